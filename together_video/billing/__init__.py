"""The provider's bill: whether an unclear create was charged, and how a month compares with the archive.

The bill does not name jobs, so sums per model and hour are compared. All of this is pure arithmetic.
The call that reads the bill is in `api`, the purchases are in `ledger`, and the decision to buy again is in `tasks`.
"""
