"""`python -m tinygrad_cnn.testing` makes stock mistakes in every op and prints which are noticed.

`--op NAME` first checks that op as it is. `--self-test` instead checks the checks: with right
functions that are hard to check, and with wrong vjps. Status 1 if a check fails or a mistake is not
noticed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence

from ..engine import registry
from .check_op import check_op
from .entries import entry_for
from .errors import GradientError
from .mutation import Score, mutation_score
from .selftest import table


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tinygrad_cnn.testing",
        description="Make stock mistakes in every op and show which of them check_op notices.",
    )
    parser.add_argument(
        "--op", action="append", metavar="NAME", help="check this op, then its mutants"
    )
    parser.add_argument("--examples", type=int, default=30, metavar="N", help="calls drawn (30)")
    parser.add_argument("--all", action="store_true", help="every mutant of every op")
    parser.add_argument(
        "--self-test", nargs="*", metavar="NAME",
        help="check right functions and wrong vjps; of these families or functions alone",
    )  # fmt: skip
    parser.add_argument(
        "--seeds", type=int, default=3, metavar="N", help="draws of inputs in the self-test (3)"
    )
    given = parser.parse_args(arguments)
    if given.self_test is not None:
        return self_test(given.self_test, given.seeds)
    names = given.op or sorted(name for name in registry if entry_for(name))
    for name in names:
        if name not in registry:
            parser.error(f"no op is named {name}")
        if not entry_for(name):
            place = registry[name].forward.__module__.replace(".ops.", ".testing.ours.")
            parser.error(f"no strategy for {name}: call register_strategy in {place}")
    start = time.perf_counter()
    for name in given.op or ():  # mutants of a wrong op would be noticed for its own mistake
        try:
            check_op(name)
        except GradientError as error:
            print(f"WRONG: {error}")
            return 1
        print(f"{name}: check_op finds no mistake\n")
    scores = []
    for name in names:
        scores.append(mutation_score(name, examples=given.examples))
        if given.op or given.all:
            print(scores[-1], end="\n\n", flush=True)
    if not (given.op or given.all):
        print(by_op(scores), end="\n\n")
    print(by_check(scores))
    survivors = [(s.op, m) for s in scores for m in s.survivors]
    for op, mutant in survivors:
        print(f"SURVIVED: {op}: {mutant.name}" + (f", in {mutant.input}" if mutant.input else ""))
    killed, same = (sum(len(getattr(s, k)) for s in scores) for k in ("killed", "equivalent"))
    print(
        f"{len(scores)} op{'s' * (len(scores) != 1)}, {killed + len(survivors)} mutants: "
        f"{killed} killed, {len(survivors)} survived ({same} others are no mistake for their op); "
        f"{time.perf_counter() - start:.1f} s"
    )
    return 1 if survivors else 0


def self_test(names: Sequence[str], seeds: int) -> int:
    """Print what the checks say about right functions and wrong vjps. 1 if they are wrong."""
    start = time.perf_counter()
    right, wrong = table.select(names)
    if not right and not wrong:
        print(f"no family and no function has one of {', '.join(names)} in its name")
        return 2
    found = [table.outcomes(cases, range(seeds)) for cases in (right, wrong)]
    for rows in table.report(*found):
        print(_table(rows))
    for outcomes in found:
        print("".join(f"{line}\n" for line in table.lines(outcomes)), end="")
    print(
        f"{len(right)} right functions, {len(wrong)} wrong vjps, {seeds} draws of inputs of each; "
        f"in parentheses the number of functions; {time.perf_counter() - start:.1f} s"
    )
    return 0 if table.clean(*found) else 1


def by_op(scores: Sequence[Score]) -> str:
    """A line for each op: the number of its mutants that each kind of check noticed."""
    kinds = [kind for kind, _ in _checks(scores).most_common()]
    rows = [["op", "mutants", *kinds, "survived", "examples"]]
    for score in scores:
        by = Counter(mutant.check for mutant in score.killed)
        most = max((mutant.examples for mutant in score.killed), default=0)
        counts = [len(score.killed) + len(score.survivors), *(by[k] for k in kinds)]
        rows.append([score.op, *map(_count, counts), _count(len(score.survivors)), str(most)])
    heads = [cell.split(" ") for cell in rows[0]]
    height = max(map(len, heads))
    lines = [[([""] * height + head)[k - height] for head in heads] for k in range(height)]
    return _table([*lines, *rows[1:]])


def by_check(scores: Sequence[Score]) -> str:
    """A line for each check: how many mutants it noticed, and its most frequent verdict."""
    rows = [["noticed by", "mutants", "most often with the verdict"]]
    for check, number in _checks(scores).most_common():
        verdicts = Counter(m.verdict for s in scores for m in s.killed if m.check == check)
        verdict = verdicts.most_common(1)[0][0].split(":")[0]
        rows.append([check, str(number), verdict])
    return _table(rows, left=(0, 2))


def _checks(scores: Sequence[Score]) -> Counter[str]:
    return Counter(mutant.check for score in scores for mutant in score.killed)


def _count(number: int) -> str:
    return str(number or "·")


def _table(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = (
        "  ".join(
            cell.ljust(width) if k in left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
