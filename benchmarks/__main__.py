"""All benchmarks in a row: `make bench`, or `python -m benchmarks`. About half an hour.

Each is a separate program with options; the longest ones run with smaller sizes here. The last table says which goals
were met, from `results/*.json`.
"""

from __future__ import annotations

import json
import signal
import sys
import time

from benchmarks.children import child
from benchmarks.harness import RESULTS, ROOT, Goal, table

#: Module and options, the short ones first.
PROGRAMS = (
    ("start", "--rounds", "5"),
    ("clips",),
    ("archive", "--records", "50000"),
    ("joining",),
    ("polling",),
    ("relay", "--rounds", "1"),
    ("batch", "--only", "alone,ours,bare,mapped,plain"),
    ("scale", "--videos", "1500", "--in-flight", "1000", "--again", "1000"),
)

#: Most minutes for each of them, and for all together.
MOST_MINUTES, MOST_MINUTES_OF_ALL = 10, 30


def main() -> int:
    """0: all ran, whether or not the goals were met. 1: a benchmark failed."""
    failed, minutes = [], {}
    for name, *words in PROGRAMS:
        print(f"\n== {name} {' '.join(words)}\n", flush=True)
        began = time.monotonic()
        command = [sys.executable, "-m", f"benchmarks.{name}", *words]
        with child(command, cwd=ROOT, told=signal.SIGTERM) as process:
            if process.wait():
                failed.append(name)
        minutes[name] = (time.monotonic() - began) / 60
        print(f"\n{60 * minutes[name]:.0f} s", flush=True)
    times = [Goal(f"{name}: minutes", taken, MOST_MINUTES) for name, taken in minutes.items()]
    times.append(Goal("all: minutes", sum(minutes.values()), MOST_MINUTES_OF_ALL))
    rows = [[one.what, f"{one.figure:.1f}", one.bound, "met" if one.met else "missed"] for one in times]
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
