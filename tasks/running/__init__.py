"""How a step runs: with or without Prefect, its retries, its cancellation, its logger.

`retries` and `runs` run a step with its policy, `public_task` makes the sync and async tasks, `background` has their
event loop, and `prefect_compat` the parts of Prefect that are not public. Nothing here knows about videos or money:
that is in `steps/` and `session/`.
"""
