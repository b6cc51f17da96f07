"""An archive in an S3 bucket: all calls of boto3 are here.

`store` implements `blocks.store.Store` with conditional writes and checksums, `client` and `opening` make the shared
client, `errors` translates S3's answers, `objects` is how objects are stored. What the objects mean is not known here:
see `blocks/ledger/`.
"""
