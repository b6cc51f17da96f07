"""What a ledger needs from the store of its archive, whichever that is.

`store` is the protocol: write once, read, list, delete, sign links. `objects` has the values that it returns. The two
implementations are `blocks/s3/` and `blocks/folder/`; no boto3 and no file access is here.
"""
