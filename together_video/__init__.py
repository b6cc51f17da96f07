"""The domain of prefect-together-video: requests, prices, the ledger, polling, media, films and galleries.

Everything here works without Prefect and boto3: data models, rules, arithmetic, HTTP clients and files on this machine.
The top level has what all folders share, such as errors, requests, jobs, labels and money.
Blocks, tasks, flows and the command line live in `prefect_together_video`; nothing here imports them.
"""
