"""The forms that Prefect's UIs show to start a run of a deployment.

Here are the fields of each form, their descriptions, and the conversion from a filled-in form to the parameters of
its flow. `form` has what all forms share; `batch`, `film` and `video` have a form each.
Not here: the flows themselves (`flows/*.py`), and the form of an approval (`together_video/ledger/approval.py`).
"""
