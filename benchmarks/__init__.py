"""Measurements with goals: `make bench` runs all of them, `python -m benchmarks.NAME` one.

Each module is one benchmark that prints a table and its goals and writes `results/<name>.json`. `harness` and
`children` start the servers and measure the processes.
Tests of correctness are in `tests`. What the figures mean is in `docs/performance.md`.
"""
