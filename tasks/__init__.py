"""The public steps, one Prefect task per file: create, wait, download, archive, make, prompts.

`steps/` does the work behind them and behind the flows, `session/` is what steps share (client, ledger, budget,
terms), and `running/` runs a step with its retries, with or without Prefect. A task does one thing to one video, film
or brief: chains of steps are in `flows/`, the archive's objects and Prefect blocks in `blocks/`, and rules that need
neither Prefect nor S3 in `together_video/`.
"""
