"""Record what PyTorch makes of special values: `python -m tests.conformance.record_special`.

Outcomes that several cases share are stored once. Numbers are rounded to 20 bits, in which they
compress well; the bytes of equal weight stand together for the same reason.
"""

from __future__ import annotations

import json
import lzma
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .special_cases import FORMS, LARGE_CASES, Outcome, kinds, run, run_large

FILE = Path(__file__).parent / "recorded" / "special.xz"
BATCH = 20  # forms that one process runs
DIED = "died"  # for the head of an outcome


def packed(outcomes: dict[str, dict[str, Outcome]]) -> bytes:
    """All outcomes: a line of JSON, then the bytes of their numbers."""
    heads: dict[tuple[str, bytes], int] = {}
    cases: dict[str, list[int]] = {}
    store: list[np.ndarray] = []
    for form, found in outcomes.items():
        cases[form] = []
        for o in found.values():
            row = np.concatenate([as_words(v) for v in o.values] or [np.empty(0, np.uint64)])
            key = (o.head, row.tobytes())
            if key not in heads:
                heads[key] = len(heads)
                store.append(row)
            cases[form].append(heads[key])
    words = np.concatenate(store)
    head = json.dumps({
        "heads": [h for h, _ in heads], "cases": cases, "sizes": [len(r) for r in store],
    })  # fmt: skip
    body = words.view(np.uint8).reshape(-1, 8).T.tobytes()
    return lzma.compress(head.encode() + b"\n" + body, preset=9)


def unpacked(data: bytes) -> dict[str, list[tuple[str, np.ndarray]]]:
    """(head, words) of each case of each form, in the order of `kinds`."""
    head, _, body = lzma.decompress(data).partition(b"\n")
    facts: dict[str, Any] = json.loads(head)
    words = np.ascontiguousarray(np.frombuffer(body, np.uint8).reshape(8, -1).T).view(np.uint64)
    ends = np.cumsum(facts["sizes"])
    rows = np.split(words.reshape(-1), ends[:-1])
    outcomes = list(zip(facts["heads"], rows, strict=True))
    return {form: [outcomes[k] for k in places] for form, places in facts["cases"].items()}


def as_words(values: np.ndarray) -> np.ndarray:
    """Numbers as 64-bit words: floats as doubles of 20 bits, others as int64."""
    if values.dtype.kind != "f":
        return values.astype(np.int64).view(np.uint64)
    wide = values.astype(np.float64)
    words = wide.view(np.uint64)
    rounded = (words + np.uint64(1 << 31)) & ~np.uint64((1 << 32) - 1)
    return np.where(np.isfinite(wide), rounded, words & ~np.uint64((1 << 32) - 1))


def apart(work: Callable[[], Any]) -> Any:
    """What `work` returns, in a process of its own; None if that dies.

    Some calls make PyTorch read or write outside of its memory.
    """
    reader, writer = os.pipe()
    if not (child := os.fork()):
        try:
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(work(), pipe)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(data) if data else None


def run_all(torch: Any, F: Any, texts: list[str]) -> dict[str, dict[str, Outcome]]:
    """The outcomes of some forms. `DIED` is that of a case of which PyTorch died."""

    def one(text: str, special: dict[str, str]) -> Outcome:
        return run(FORMS[text], special, torch, F)

    found = apart(lambda: {t: {n: one(t, s) for n, s in kinds(FORMS[t])} for t in texts})
    if found is None and len(texts) > 1:
        return {t: found for text in texts for t, found in run_all(torch, F, [text]).items()}
    if found is None:
        (t,) = texts
        died = Outcome(DIED, [])
        found = {t: {n: apart(lambda s=s: one(t, s)) or died for n, s in kinds(FORMS[t])}}
    result: dict[str, dict[str, Outcome]] = found
    return result


def main() -> None:
    """Record all cases."""
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)
    texts, outcomes = list(FORMS), {}
    for k in range(0, len(texts), BATCH):
        outcomes |= run_all(torch, F, texts[k : k + BATCH])
    outcomes["large"] = {name: run_large(name, torch, F) for name in LARGE_CASES}
    FILE.write_bytes(packed(outcomes))
    count = sum(map(len, outcomes.values()))
    print(f"{len(FORMS)} forms, {count} cases, {FILE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
