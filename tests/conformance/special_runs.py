"""Outcomes of special values beside the recorded ones: how they differ."""

from __future__ import annotations

import builtins
import functools
import re
from collections.abc import Iterator

import numpy as np

from .record_special import DIED, FILE, as_words, unpacked
from .special_cases import FORMS, LARGE_CASES, Outcome, kinds, run, run_large

TOLERANCE = {"f2": 4e-3, "f4": 2e-4, "f8": 2e-4}  # relative; float64 may be made of float32
RATIO = {
    "f2": 2e-3,
    "f4": 2e-6,
    "f8": 2e-6,
}  # of the largest element: what cancels leaves that much
Wanted = tuple[str, np.ndarray]


@functools.cache
def recorded() -> dict[str, list[Wanted]]:
    """(head, words) of each case that PyTorch ran, by form."""
    return unpacked(FILE.read_bytes())


def cases(text: str, only: str = "") -> Iterator[tuple[str, Wanted, Outcome]]:
    """(name, recorded outcome, ours) of each case of a form, or of the large ones.

    `only`: a pattern that the names must match.
    """
    import tinygrad_cnn as tc
    import tinygrad_cnn.nn.functional as F

    wanted = iter(recorded()[text])
    names = LARGE_CASES if text == "large" else dict(kinds(FORMS[text]))
    for name, special in names.items():
        theirs = next(wanted)
        if re.search(only, name):
            large = text == "large"
            yield (
                name,
                theirs,
                run_large(name, tc, F) if large else run(FORMS[text], special, tc, F),
            )


def exact(text: str, name: str, given: Outcome) -> bool:
    """Whether an outcome is that of the same call in float64, rounded."""
    import tinygrad_cnn as tc
    import tinygrad_cnn.nn.functional as F

    if text == "large":
        wide = run_large(name, tc, F, exact=True)
    else:
        special = dict(kinds(FORMS[text]))[name]
        wide = run(FORMS[text], special, tc, F, exact=True)
    if len(wide.values) != len(given.values):
        return False
    with np.errstate(all="ignore"):
        return all(
            close(a, as_words(b.astype(a.dtype)).view(np.float64))
            for a, b in zip(given.values, wide.values, strict=True)
            if a.dtype.kind == "f"
        )


def difference(wanted: Wanted, given: Outcome) -> str | None:
    """How an outcome differs from the recorded one; None if it does not."""
    head, words = wanted
    if head == DIED:
        return None
    fails, failed = "Error" in head, "Error" in given.head
    if fails and failed:
        mine, theirs = _kind(given.head), _kind(head)
        same = issubclass(mine, theirs)  # who catches PyTorch's error catches ours
        return None if same else f"error {given.head}, wanted {head} ({given.message})"
    if fails:
        return f"no error, wanted {head}: {given.head}"
    if failed:
        return f"an error {given.head}, wanted {head} ({given.message})"
    results, _, grads = head.partition(" | ")
    ours, _, our_grads = given.head.partition(" | ")
    if results != ours:
        kind = "requires_grad" if results.replace("g", "") == ours.replace("g", "") else "dtype"
        return f"{kind} {ours}, wanted {results}"
    return _of_values(results, grads.split(), our_grads.split(), words, given)


def _kind(head: str) -> type:
    """The type of an error: raised in the call or by its gradient, for a dtype or not."""
    kind: type = getattr(builtins, head.removeprefix("grad ").removesuffix(":dtype"))
    return kind


def _of_values(
    results: str, grads: list[str], ours: list[str], words: np.ndarray, given: Outcome
) -> str | None:
    values, at = list(given.values), 0
    if not values:  # random: shapes alone
        return None
    tensors = [h for h in results.split() if h[:1] in "bfiu" and "[" in h]
    for what, entries, our_entries in (("value", tensors, tensors), ("gradient", grads, ours)):
        for k, entry in enumerate(entries):
            other = our_entries[k] if k < len(our_entries) else "-"
            here = values.pop(0) if other != "-" else np.zeros(0)
            size = 0
            if entry != "-":
                size = here.size if other == entry else _size(entry)
                there = _numbers(entry, words[at : at + size])
                at += size
            if "-" in (entry, other):
                some = here if entry == "-" else there if other == "-" else np.zeros(0)
                if np.any(some):  # a gradient of zeros is as good as none
                    return f"{what} {k}: {some[:6]} beside none"
            elif entry != other:
                return f"{what} dtype {other}, wanted {entry}"
            elif not close(here, there):
                return f"{what} {k}: {here[:6]}, wanted {there[:6]}"
    return None


def _size(entry: str) -> int:
    """The number of elements that are kept of a Tensor, from its dtype and shape."""
    shape = [int(n) for n in entry.partition("[")[2].rstrip("g]").split(",") if n]
    size = int(np.prod(shape)) if shape else 1
    step = -(-size // 40)
    return size if size <= 40 else -(-size // step)


def _numbers(entry: str, words: np.ndarray) -> np.ndarray:
    kind = entry.partition("[")[0]
    if kind[0] == "f":
        return words.view(np.float64)
    return words.view(np.int64)


def close(given: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether numbers agree: integers exactly, NaN and infinities in place, others to rounding."""
    if given.size != wanted.size:
        return False
    if given.dtype.kind != "f":
        return bool(np.array_equal(given.astype(np.int64), wanted))
    kind = given.dtype.str[1:]
    wide = as_words(given).view(np.float64)
    finite = np.isfinite(wanted)
    if not np.array_equal(wide[~finite], wanted[~finite], equal_nan=True):
        return False
    a, b = wide[finite], wanted[finite]
    scale = np.abs(b).max(initial=0.0)
    tiny = float(np.finfo(given.dtype).smallest_subnormal) * 4
    with np.errstate(all="ignore"):
        limit = TOLERANCE[kind] * np.abs(b) + RATIO[kind] * scale + tiny
        return bool((np.abs(a - b) <= limit).all())
