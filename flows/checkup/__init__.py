"""The checks of `together-video doctor`: a line for each thing that a run needs, and what fixes it.

Here are the checks of this machine, the network, the API key, the archive, the clock and the Prefect server.
`checkup` runs them all at the same time, and `redaction` removes secrets from their lines.
Not here: the command that prints the lines (`flows/cli/doctor.py`), and the checks that each run makes before it
buys anything (`tasks/session/readiness.py`).
"""
