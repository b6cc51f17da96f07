"""The stand-in for the Together API: a peer of the real service, reached by its base URL.

`config` says how it behaves, `faults` what goes wrong on purpose, `server` starts it.
"""
