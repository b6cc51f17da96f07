"""The programs that `batch.py` compares, each a process of its own: the requests as a JSONL file, then options."""
