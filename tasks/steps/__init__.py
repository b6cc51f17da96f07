"""The work of each step: create, poll, download, archive, prompts, media, shots and films.

Each file is one step, decorated with `retried_task`, which gives it retries and a time limit. `purchase` is the only
place that spends money. A step takes its client and its ledger as arguments: they are opened in `session/`. Which step
comes next is decided in `session/` and `flows/engine/`, not here.
"""
