"""Commands that run servers: `demo`, `sandbox`, and `serve`, and how the process ends.

Here are the local S3, sandbox and Prefect servers of the demo and the tests, the runner of `serve`, and the handling
of Ctrl-C and SIGTERM.
Not here: the sandbox itself (`together_video/sandbox`), and calls to a Prefect server (`flows/server`).
"""
