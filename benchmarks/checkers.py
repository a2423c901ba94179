"""`python -m benchmarks.checkers`: what each checker of gradients says about wrong and right vjps.

The first table has 41 wrong vjps of ten rules, the second the functions of the self-test.

Each checker gets the same calls, in float64. One call has equal sizes. The others are drawn by
Hypothesis from the strategies of the rules: the same calls each time, away from kinks, none empty.
A checker notices a wrong vjp if it raises an exception. The right vjps get the same calls; an
exception there is a false alarm.

Of the self-test, each checker gets the functions with at most MOST_ELEMENTS inputs, some of them in
float32 and float16. A wrong vjp counts as noticed if the checker accuses it, but not the right vjp
at the same inputs: an accusation of both tells nothing.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from tinygrad_cnn.testing import Call
from tinygrad_cnn.testing.mutation.wrong_vjps import RULES, WRONG_VJPS, Rule, Vjp
from tinygrad_cnn.testing.selftest import RIGHT, WRONG, Right

from .foreign import Checker
from .peers import CHECKERS, PEERS, Check, installed, ours_drawn

MOST_ELEMENTS = 1000  # a Jacobian takes a call for each


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


class HardResult:
    """What one checker says about the functions of the self-test.

    `noticed`: wrong vjps that it accuses, while it passes the right one; `both`: those that it accuses
    together with the right one; `missed`: the others; `alarms`: right functions that it accuses.
    """

    def __init__(self, checker: Checker, seeds: int):
        start = time.perf_counter()
        self.noticed: list[str] = []
        self.both: list[str] = []
        self.missed: list[str] = []
        self.alarms: dict[str, str] = {}
        for right, xs in drawn_of(RIGHT, seeds):
            functions = right.functions()
            said = error_of(lambda f=functions, xs=xs: checker(f, xs))
            if said:
                self.alarms.setdefault(right.name, said)
        for wrong, xs in drawn_of(WRONG, seeds):
            said, of_right = (
                error_of(lambda f=f, xs=xs: checker(f, [x.copy(order="K") for x in xs]))
                for f in (wrong.functions(), wrong.right.functions())
            )
            found = self.missed if not said else self.both if of_right else self.noticed
            found.append(wrong.name)
        self.seconds = time.perf_counter() - start


def drawn_of(cases: Sequence[Any], seeds: int) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """(case, inputs) for each seed, without those that are too large for a Jacobian."""
    for case in cases:
        for seed in range(seeds):
            rng = np.random.default_rng([seed, 7])
            xs = case.draw(rng) if isinstance(case, Right) else case.inputs(rng)
            if sum(x.size for x in xs) <= MOST_ELEMENTS:
                yield case, xs


def run_hard(seeds: int) -> dict[str, HardResult]:
    """The results of every installed checker on the functions of the self-test."""
    found = {}
    for name, (checker, needs) in CHECKERS.items():
        if installed(*needs):
            error_of(
                lambda c=checker: c(RIGHT[0].functions(), RIGHT[0].draw(np.random.default_rng(0)))
            )
            found[name] = HardResult(checker, seeds)
    return found


def hard_table(found: dict[str, HardResult], seeds: int) -> str:
    """The results in Markdown."""
    rights = len({c.name for c, _ in drawn_of(RIGHT, seeds)})
    wrongs = len(list(drawn_of(WRONG, seeds)))
    lines = [
        f"| checker | noticed, of {wrongs} | accuses the right vjp too | missed | "
        f"right functions accused, of {rights} | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for name, r in found.items():
        cells = [len(r.noticed), len(r.both), len(r.missed), len(r.alarms), f"{r.seconds:.1f}"]
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def version(module: str) -> str:
    """The name and version of a peer."""
    distribution = importlib.metadata.packages_distributions()[module][0]
    return f"{module} {importlib.metadata.version(distribution)}"


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
    parser.add_argument("--seeds", type=int, default=1, help="draws of the self-test (1)")
    parser.add_argument("--only", choices=["41", "self-test"], help="one of both tables")
    options = parser.parse_args()
    if options.only != "41":
        hard = run_hard(options.seeds)
        print(hard_table(hard, options.seeds), end="\n\n")
        for name, result in hard.items() if options.survivors else ():
            print(
                f"{name}\n  missed: {'; '.join(result.missed)}\n  accused both: "
                f"{'; '.join(result.both)}\n  false alarms: {'; '.join(result.alarms)}\n"
            )
    if options.only == "self-test":
        return
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
