"""The ledger: what an archive knows about its purchases, films, media, marks, prompts and spending.

`ledger` has the facts of one purchase and the order in which they are written. Other files are one kind of object or
one way to read many: `index*`, `inventory`, `survey`, `bought`, `finding`. `auditing/` verifies an archive. The models
and keys of these objects are in `together_video/ledger/`; how bytes are stored is in `blocks/s3/` and `blocks/folder/`.
"""
