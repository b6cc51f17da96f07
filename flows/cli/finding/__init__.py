"""Commands that find and show what is in the archive: `list`, `show`, `open`, and `review`.

Here are the filters and rows of lists, their tables and files, the details of one video or film, and the import of
marks. They only read the archive, except for `review`, and do without Prefect if possible.
Not here: galleries and links for other people (`flows/cli/galleries`), and the audit (`flows/cli/ledger.py`).
"""
