"""The work of the flows: what each does from its parameters to its ending, with or without Prefect.

`batch_run`, `video_run`, `film_run`, `collect_run` and `audit_run` are one flow's work each. `pipeline` takes one video
through its steps, `split` shares a batch among workers, `approval` suspends a run. The steps are in `tasks/`, rules
that need no archive in `together_video/`, and what Prefect shows of a run in `flows/reporting/`.
"""
