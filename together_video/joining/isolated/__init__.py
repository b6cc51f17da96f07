"""Runs in the process that joins clips: everything that opens, decodes or encodes a file.

`survey` reads the clips, `laying_out` decides what is copied, `make` writes the film, and `worker` is the main loop of
the process. It has no secrets, writes nothing to disk, and does not import pydantic. The parent's side is one folder
up.
"""
