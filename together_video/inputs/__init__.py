"""What people write, turned into requests: files of all formats, shorthand, sweeps, events and inbox files.

Reading and decoding, presets, defaults, media on this machine, fallback models, and findings for each wrong line.
Everything here treats its input as untrusted, and sends and buys nothing.
Whether a model accepts a request is checked in `catalogue`; briefs are in `prompts`, storyboards in `film`.
"""
