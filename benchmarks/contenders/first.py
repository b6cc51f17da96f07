"""The shortest way to a video's POST: a script with the official SDK, without checks and records."""

from __future__ import annotations

import sys

from together import Together

if __name__ == "__main__":
    Together(max_retries=0).videos.create(model=sys.argv[1], prompt=sys.argv[2])
