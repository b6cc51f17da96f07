"""Renders the sandbox's clips as real MP4 and WEBM files, with pictures, keyframes, input media and sound.

`clip` describes what to render, `inputs` fetches the media of a request, `picture` draws prompts as words and
`seaside/` as scenes, and `render` encodes. Which requests are accepted, and what they cost, is decided one folder up.
"""
