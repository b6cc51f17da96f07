"""This project: its own command line, with S3 requests counted. Words are those of `together-video`."""

from __future__ import annotations

import sys

from benchmarks.counting import count_s3
from flows.__main__ import main

if __name__ == "__main__":
    count_s3()
    sys.exit(main(sys.argv[1:]))
