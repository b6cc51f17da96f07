"""The programs that the benchmarks compare, each a separate process: this project's and others'.

`batch.py` passes a file of requests, then options; `relay.py` and `start.py` have their own arguments.
Nothing here measures: that is in `benchmarks`.
"""
