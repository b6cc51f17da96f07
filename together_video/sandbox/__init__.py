"""A stand-in for the Together video API: a server that takes the same requests, renders real clips and costs nothing.

`config` sets how it behaves, `faults` what goes wrong on purpose, `server` starts it, `rendering/` draws the clips, and
`chat/` writes prompts and storyboards. It shares the catalogue with the client, but checks requests on its own. It is
reached by its base URL only: no client code knows about it.
"""
