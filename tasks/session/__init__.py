"""What the steps of one run or process share, and what they decide from it.

Sessions (client, ledger, pacing, learner), the run's policy, terms and budget, the choice of the next purchase, and
the checks before money is spent. Nothing here is a Prefect task, and nothing creates a job by itself: that is done by
`steps/`. How a step is run and retried is in `running/`.
"""
