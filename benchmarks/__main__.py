"""All benchmarks, one after the other: `make bench`, or `python -m benchmarks`. About half an hour.

Each is a program of its own with options; the longest run in smaller sizes here. At the end stands what became of
the goals, from `results/*.json`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from benchmarks.harness import RESULTS, ROOT, table

#: Module and options, the short ones first.
PROGRAMS = (
    ("start", "--rounds", "5"),
    ("clips",),
    ("listing",),
    ("polling",),
    ("relay", "--rounds", "1"),
    ("batch",),
    ("scale", "--videos", "1500", "--in-flight", "1000", "--again", "1000"),
)


def main() -> int:
    """0: all ran, whatever became of the goals. 1: one of them failed."""
    failed = []
    for name, *words in PROGRAMS:
        print(f"\n== {name} {' '.join(words)}\n", flush=True)
        began = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *words], cwd=ROOT).returncode:
            failed.append(name)
        print(f"\n{time.monotonic() - began:.0f} s", flush=True)
    rows = []
    for path in sorted(RESULTS.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        for goal in found.get("goals", []):
            verdict = "met" if goal["met"] else "missed"
            rows.append([f"{path.stem}: {goal['what']}", goal["is"], goal["goal"], verdict])
    print(f"\n{table(['goal', 'is', 'bound', ''], rows)}")
    if failed:
        print(f"\nFailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
