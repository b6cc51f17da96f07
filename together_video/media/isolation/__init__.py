"""Opens files from outside in separate processes, with limits of memory and time, so a bad file can do no harm.

`pool`, `process` and `channel` are the parent's side. `worker`, `limits` and the modules `read_…` run in the worker,
which has no secrets, writes no files and does not import pydantic. What the answers mean is decided one folder up.
"""
