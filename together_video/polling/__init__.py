"""When to poll a job: the policy, what is learned about a model's durations, and the schedule that follows from it.

Pure arithmetic without a clock and without sleep; `benchmarks/polling.py` simulates it.
The poll itself and its retries are in `tasks`; the meaning of a status is in `job_status`.
"""
