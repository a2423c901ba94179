"""Run the scenarios and print a table: `python -m tests.soak`.

    python -m tests.soak                          # all, in full: see --list for their numbers
    python -m tests.soak kills=200 forks          # 200 kills, and forks in full
    python -m tests.soak --minutes 2              # each scenario ends after two minutes
    python -m tests.soak --write                  # the table also goes into docs/reliability.md

The exit status is 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import platform
import re
import sys
from pathlib import Path

import numpy as np

from .scenario import HEADER, run
from .scenarios import SCENARIOS

GUIDE = Path(__file__).parents[2] / "docs" / "reliability.md"
TABLE = re.compile(r"(?<=<!-- soak -->\n).*?(?=<!-- end of soak -->)", re.DOTALL)


def main(arguments: list[str] | None = None) -> int:
    """Run the scenarios that the arguments name. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__.split("\n")[0]
    )
    parser.add_argument("scenarios", nargs="*", metavar="NAME[=COUNT]")
    parser.add_argument("--minutes", type=float, help="of each scenario, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="write the table into the guide")
    parser.add_argument("--list", action="store_true", help="list the scenarios and leave")
    args = parser.parse_args(arguments)
    if args.list:
        for scenario in SCENARIOS.values():
            print(f"{scenario.name}={scenario.count}".ljust(20), scenario.what)
        return 0
    wanted = {}
    for text in args.scenarios or SCENARIOS:
        name, _, count = text.partition("=")
        if name not in SCENARIOS:
            parser.error(f"no scenario {name!r}: there are {', '.join(SCENARIOS)}")
        wanted[name] = int(count) if count else SCENARIOS[name].count
    lines = [HEADER]
    print(HEADER, flush=True)
    bad = 0
    for name, count in wanted.items():
        result = run(SCENARIOS[name], count, args.minutes, args.seed)
        bad += result.wrong.total()
        lines.append(result.row())
        print(lines[-1], flush=True)
    machine = f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}"
    command = " ".join(
        ["python -m tests.soak", *(sys.argv[1:] if arguments is None else arguments)]
    )
    lines.append(f"\nFrom `{command}` on {machine}.")
    print(lines[-1])
    if args.write:
        text = GUIDE.read_text()
        if not TABLE.search(text):
            raise SystemExit(f"{GUIDE} has no place for the table")
        GUIDE.write_text(TABLE.sub(lambda _: "\n".join(lines) + "\n", text))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
