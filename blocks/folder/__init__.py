"""An archive in a folder, on a local or a shared file system.

`store` implements `blocks.store.Store` over `files`, which writes each file once, durably and completely or not at all;
`errors` translates system errors. The keys are the same as in a bucket, and what they mean is not known here: see
`blocks/ledger/`.
"""
