"""The Together API over HTTP: one call each for create, retrieve, download, chat, usage and models.

The client, its connections and time limits, downloads with their checks, the rate limiter, and decoded answers.
What a call may have cost is in the errors that it raises.
Loops, retries, sleeps and polling live in `tasks`. What a request may contain is in `requests` and `catalogue`.
"""
