"""`python -m benchmarks.checkers`: how many of 41 wrong vjps each checker of gradients notices.

Each checker gets the same calls, in float64. One call has equal sizes. The others are drawn by
Hypothesis from the strategies of the rules: the same calls each time, away from kinks, none empty.
A checker notices a wrong vjp if it raises an exception. The right vjps get the same calls; an
exception there is a false alarm.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import time
import warnings
from collections.abc import Callable
from functools import cache

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from tinygrad_cnn.testing import Call
from tinygrad_cnn.testing.mutation.wrong_vjps import RULES, WRONG_VJPS, Rule, Vjp

from .peers import PEERS, Check, installed, ours_drawn


class Result:
    """The wrong vjps that survived one checker, its false alarms, and the seconds for all."""

    def __init__(self, notices: Callable[[Rule, Vjp], str]):
        start = time.perf_counter()
        self.survivors = [w.name for w in WRONG_VJPS if not notices(w.rule, w.make())]
        self.alarms = {r.name: said for r in RULES if (said := notices(r, r.vjp))}
        self.seconds = time.perf_counter() - start
        self.killed = len(WRONG_VJPS) - len(self.survivors)


def error_of(check: Callable[[], None]) -> str:
    """The exception that the check raises, as text; "" if it raises none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return ""


def at_square(check: Check) -> Result:
    """The result at the call with equal sizes."""
    return Result(lambda rule, vjp: error_of(lambda: check(rule, vjp, rule.square)))


def at_drawn(check: Check, examples: int) -> Result:
    """The result at the drawn calls. A checker runs until one raises an exception."""

    def notices(rule: Rule, vjp: Vjp) -> str:
        found = (error_of(lambda c=c: check(rule, vjp, c)) for c in drawn(rule.name, examples))
        return next((said for said in found if said), "")

    return Result(notices)


def by_check_op(examples: int) -> Result:
    """The result of check_op, which draws calls itself from the same strategies."""
    return Result(lambda rule, vjp: error_of(lambda: ours_drawn(rule, vjp, examples)))


@cache
def drawn(name: str, examples: int) -> list[Call]:
    """Drawn calls of a rule. Calls with an empty input are left out."""
    (rule,) = (r for r in RULES if r.name == name)
    calls: list[Call] = []

    @settings(
        derandomize=True, database=None, max_examples=2 * examples, phases=[Phase.generate],
        deadline=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(rule.calls)
    def collect(call: Call) -> None:
        if all(np.size(x) for x in call.inputs):
            calls.append(call)

    collect()
    return calls[:examples]


def version(module: str) -> str:
    """The name and version of a peer."""
    return f"{module} {importlib.metadata.version(module)}"


def run(examples: int) -> dict[str, tuple[Result | None, Result]]:
    """The results of every installed checker: at the square call, and at the drawn calls."""
    for rule in RULES:
        drawn(rule.name, examples)
    found: dict[str, tuple[Result | None, Result]] = {}
    for name, (check, needs) in PEERS.items():
        if installed(*needs):
            error_of(lambda check=check: check(RULES[0], RULES[0].vjp, RULES[0].square))  # warm up
            found[name] = (at_square(check), at_drawn(check, examples))
    found["`check_op`, with conventions at kinks"] = (None, by_check_op(examples))
    return found


def table(found: dict[str, tuple[Result | None, Result]], examples: int) -> str:
    """The results in Markdown."""
    lines = [
        f"| checker | one square shape | {examples} drawn shapes | false alarms | seconds |",
        "|---|---|---|---|---|",
    ]
    for name, (square, many) in found.items():
        both = [many] if square is None else [square, many]
        first = "" if square is None else f"{square.killed}"
        alarms = len({a for result in both for a in result.alarms})
        seconds = sum(result.seconds for result in both)
        lines.append(f"| {name} | {first} | {many.killed} | {alarms} | {seconds:.1f} |")
    peers = sorted({module for _, needs in PEERS.values() for module in needs} - {"jaxlib"})
    versions = [*(version(module) for module in peers if installed(module)), version("numpy")]
    lines.append(f"\nOf {len(WRONG_VJPS)}. {', '.join(versions)}.")
    if missing := [module for module in peers if not installed(module)]:
        lines.append(f"Left out, since not installed: {', '.join(missing)}.")
    return "\n".join(lines)


def main() -> None:
    """Run all checkers and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkers", description=__doc__)
    parser.add_argument("--examples", type=int, default=20, help="calls to draw for each rule (20)")
    parser.add_argument("--survivors", action="store_true", help="list survivors and false alarms")
    options = parser.parse_args()
    found = run(options.examples)
    print(table(found, options.examples))
    for name, results in found.items() if options.survivors else ():
        for where, result in zip(("square", "drawn"), results, strict=True):
            if result is not None:
                print(f"\n{name}, {where}: survivors")
                print("".join(f"  {survivor}\n" for survivor in result.survivors), end="")
                for rule, said in result.alarms.items():
                    print(f"  FALSE ALARM {rule}: {said[:300]}")


if __name__ == "__main__":
    main()
