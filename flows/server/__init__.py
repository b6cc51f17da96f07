"""Talking to the Prefect server: whether it can be used, and what this project saves on it.

`address`, `asking`, `answer`, `problems` and `settings` check the configured server and say in one sentence what is
wrong. `saved_*` and `served_*` are blocks, automations, deployments and schedules; `waiting_runs` are approvals. No
flow runs here, and `configured` and `address` do not import Prefect.
"""
