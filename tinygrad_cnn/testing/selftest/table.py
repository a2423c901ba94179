"""Both tables: what the checks say about right functions, and about wrong vjps."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import GradientError
from .adapter import check
from .case import RIGHT, WRONG, Right, Wrong

UNSEEN = "cannot tell"  # verdicts that start so say that an error here could not be seen
PASSED, TOLD_UNSEEN, CAUGHT = "passed", "unseen", "caught"
MOST_UNSEEN_RIGHT, MOST_UNSEEN_WRONG = 0.05, 0.1  # of the functions: the checks may say so of them
FEW = 5  # functions, if a part of the table is run


@dataclass
class Outcome:
    """What the checks said about one function, over the seeds.

    `counts` counts `PASSED`, `TOLD_UNSEEN` and `CAUGHT`, `verdicts` the reasons; `seeds` lists the
    seeds of each.
    """

    case: Right | Wrong
    counts: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    seeds: dict[str, list[int]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether the checks accused a right function, or passed a wrong vjp."""
        return self.counts[CAUGHT if isinstance(self.case, Right) else PASSED] > 0


def verdict(case: Right | Wrong, seed: int) -> tuple[str, str]:
    """What the checks say about one function at one draw, and the reason."""
    rng = np.random.default_rng([seed, 7])
    xs = case.draw(rng) if isinstance(case, Right) else case.inputs(rng)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)
            check(case.functions(), xs, case.second)
    except GradientError as error:
        reason = error.verdict.split(":")[0]
        return TOLD_UNSEEN if error.verdict.startswith(UNSEEN) else CAUGHT, reason
    return PASSED, ""


def tried(case: Right | Wrong, seeds: Iterable[int]) -> Outcome:
    """The outcome of one function."""
    found = Outcome(case)
    start = time.perf_counter()
    for seed in seeds:
        said, reason = verdict(case, seed)
        found.counts[said] += 1
        found.seeds.setdefault(said, []).append(seed)
        if reason:
            found.verdicts[reason] += 1
    found.seconds = time.perf_counter() - start
    return found


def outcomes(
    cases: Sequence[Right | Wrong],
    seeds: Sequence[int],
    shown: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """The outcome of each; `shown` is called with each as it comes."""
    found = []
    for case in cases:
        found.append(tried(case, seeds))
        shown(found[-1])
    return found


def rows(found: Sequence[Outcome], said: Sequence[str]) -> list[list[str]]:
    """A row for each family: functions, checks, then for each answer: checks (functions)."""
    families = list(dict.fromkeys(outcome.case.family for outcome in found))
    table = []
    for family in [*families, ""]:
        part = [o for o in found if family in ("", o.case.family)]
        cells = [family or "all", str(len(part)), str(sum(o.counts.total() for o in part))]
        for answer in said:
            checks, functions = (
                sum(o.counts[answer] for o in part),
                sum(o.counts[answer] > 0 for o in part),
            )
            cells.append(f"{checks} ({functions})" if checks else "·")
        table.append([*cells, f"{sum(o.seconds for o in part):.1f}"])
    return table


def report(right: Sequence[Outcome], wrong: Sequence[Outcome]) -> list[list[list[str]]]:
    """Both tables, as rows of cells; in parentheses the number of functions."""
    head = ["checks", "accused", "cannot tell", "passed", "seconds"]
    first = [["right functions", "number", *head], *rows(right, (CAUGHT, TOLD_UNSEEN, PASSED))]
    head = ["checks", "missed", "cannot tell", "caught", "seconds"]
    second = [["wrong vjps", "number", *head], *rows(wrong, (PASSED, TOLD_UNSEEN, CAUGHT))]
    return [first, second]


def lines(found: Sequence[Outcome]) -> list[str]:
    """A line for each function that the checks were wrong about."""
    listed = []
    for outcome in found:
        case, accused = outcome.case, isinstance(outcome.case, Right)
        if outcome.bad:
            answer = CAUGHT if accused else PASSED
            of = f"{outcome.counts[answer]} of {outcome.counts.total()}"
            said = "; ".join(f"{v} {n}" for v, n in outcome.verdicts.most_common(2))
            about = f": {said}" if accused else f": {case.what}" if isinstance(case, Wrong) else ""
            seed = outcome.seeds[answer][0]
            listed.append(
                f"{'ACCUSED' if accused else 'MISSED'}: {case.family}, {case.name}, {of}, "
                f"first with seed {seed}{about}"
            )
    return listed


def clean(right: Sequence[Outcome], wrong: Sequence[Outcome]) -> bool:
    """No right function accused, no wrong vjp passed, and few of which they cannot tell."""
    unseen = [sum(o.counts[TOLD_UNSEEN] > 0 for o in part) for part in (right, wrong)]
    shares = (MOST_UNSEEN_RIGHT, MOST_UNSEEN_WRONG)
    allowed = all(
        n <= max(FEW, share * len(part))
        for n, share, part in zip(unseen, shares, (right, wrong), strict=True)
    )
    return allowed and not any(outcome.bad for outcome in (*right, *wrong))


def select(names: Sequence[str]) -> tuple[list[Right], list[Wrong]]:
    """The functions whose name or family contains one of `names`; all if there are none."""

    def chosen(case: Right | Wrong) -> bool:
        return not names or any(n in case.name or n in case.family for n in names)

    return [c for c in RIGHT if chosen(c)], [c for c in WRONG if chosen(c)]
