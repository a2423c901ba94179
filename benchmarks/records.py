"""The results as plain data. The table, the JSON and the figures are made from it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import micro
from .contestants import CONTESTANTS, OURS
from .extras import Checkpointing
from .measure import Samples, quartiles
from .micro import PEAKS, Case, share
from .rows import Row
from .scaling import Scaled, exponents

Record = dict[str, Any]


def machine() -> Record:
    """The processor, the cores, and the versions of Python and of all contestants."""
    versions = {}
    packages = sorted({c.needs[0] for c in CONTESTANTS.values() if c.needs})
    for name in ("numpy", *packages, "numba"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    processor = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        processor = lines[0].split(":", 1)[1].strip() if lines else processor
    return {
        "processor": processor, "cores": os.cpu_count(), "system": platform.system(),
        "python": platform.python_version(), "versions": versions,
    }  # fmt: skip


def of_row(row: Row, samples: Samples) -> Record:
    """The record of a row: medians in the row's unit, and our ratio to each rival.

    `against` has one entry for each of our sets of kernels and each rival. The best rival of a
    family is `shown`, and its entry has the target. If the cost of the row is known, `limit` is the
    ratio that we would reach at the machine's peaks, and `bound` names the peak that sets it.
    """
    scale = 1.0 if samples.unit == "MiB" else (1e3 if row.unit == "ms" else 1e6 / row.ops)
    product, copy = (samples.values.get(name, []) for name in PEAKS)
    contestants = {name: v for name, v in samples.values.items() if name not in PEAKS}
    samples = replace(samples, values=contestants)
    cost = row.cost() if row.cost and product else (0.0, 0.0)
    least = [micro.least(*cost, *peaks) for peaks in zip(product, copy, strict=False)]
    against = []
    for ours in (name for name in OURS if name in samples.values):
        against += _rivals(row, samples, ours, least)
        if (target := row.targets.get("", {}).get(ours)) is not None:
            met = samples.median(ours) * scale <= target
            against.append({
                "ours": ours, "rival": None, "family": "", "ratio": None, "quartiles": None,
                "best": False, "shown": True, "target": target, "met": met,
            })  # fmt: skip
    return {
        "group": row.group, "name": row.name, "unit": row.unit,
        "contestants": _summaries(samples, scale), "failed": samples.failed, "against": against,
    }  # fmt: skip


def _rivals(row: Row, samples: Samples, ours: str, least: list[tuple[float, str]]) -> list[Record]:
    """An entry of `against` for each rival; `least` has the least time and its bound by round."""
    rivals = [name for name in samples.values if name not in OURS]
    families: dict[str, list[str]] = {}
    for name in rivals:
        families.setdefault(CONTESTANTS[name].family, []).append(name)
    best_of_all = samples.best(rivals)
    found = []
    for family, names in families.items():
        best = samples.best(names)
        for name in names:
            low, middle, high = samples.ratio(ours, name)
            entry: Record = {
                "ours": ours, "rival": name, "family": family, "ratio": middle,
                "quartiles": [low, high], "best": name == best_of_all,
                "shown": name == best, "target": None, "met": None,
            }  # fmt: skip
            target = row.targets.get(family, {}).get(ours)
            if name == best and target is not None:
                entry |= {"target": target, "met": middle <= target}
            if least:
                pairs = zip(least, samples.values[name], strict=False)
                entry["limit"] = quartiles([seconds / theirs for (seconds, _), theirs in pairs])[1]
                entry["bound"] = least[0][1]
            found.append(entry)
    return found


def _summaries(samples: Samples, scale: float) -> Record:
    """Median, quartiles and number of rounds of each contestant."""
    found = {}
    for name, values in samples.values.items():
        low, middle, high = quartiles([v * scale for v in values])
        found[name] = {"median": middle, "quartiles": [low, high], "rounds": len(values)}
    return found


def of_series(scaled: Scaled) -> Record:
    """The record of a series: medians at each size in ms and MiB, and the exponents."""
    contestants: Record = {}
    failed: Record = {}
    for metric, samples, scale in (("time", scaled.time, 1e3), ("memory", scaled.memory, 1.0)):
        for size, s in zip(scaled.series.sizes, samples, strict=True):
            failed |= {f"{name}, {metric} at {size}": reason for name, reason in s.failed.items()}
        for name in dict.fromkeys(n for s in samples for n in s.values):
            medians = [s.median(name) * scale if s.values.get(name) else None for s in samples]
            contestants.setdefault(name, {})[metric] = {
                "medians": medians,
                "exponent": exponents(scaled.series.sizes, samples, name),
            }
    return {
        "name": scaled.series.name, "sizes": list(scaled.series.sizes),
        "expected": scaled.series.expected, "contestants": contestants, "failed": failed,
    }  # fmt: skip


def of_case(case: Case, samples: Samples) -> Record:
    """The record of a kernel: time, rates, and share of the peak for each contestant."""
    found, failed = {}, dict(samples.failed)
    product, copy = (samples.values.get(name) for name in PEAKS)
    for name, values in samples.values.items():
        if name in PEAKS or not product or not copy:
            continue
        shares = [
            share(case, *times) for times in zip(values, product, copy, strict=False)
        ]  # each from the peaks of its own round
        low, middle, high = quartiles([s.share for s in shares])
        found[name] = {
            "ms": samples.median(name) * 1e3,
            "gflops": quartiles([s.gflops for s in shares])[1],
            "gbytes": quartiles([s.gbytes for s in shares])[1],
            "share": middle, "quartiles": [low, high], "bound": shares[0].bound,
        }  # fmt: skip
    return {"name": case.name, "contestants": found, "failed": failed}


def of_checkpoint(found: Checkpointing) -> Record:
    """The record of a step with and without checkpoints, in MiB."""
    ratio = found.with_ / found.without
    return {
        "name": found.network, "contestant": found.contestant, "checkpointed": found.with_,
        "plain": found.without, "ratio": ratio, "target": found.target,
        "met": None if found.target is None else ratio <= found.target,
    }  # fmt: skip


def save(results: Record, path: str) -> None:
    """Write the results as JSON."""
    Path(path).write_text(json.dumps(results, indent=1) + "\n")


def load(path: str) -> Record:
    """The results that `save` wrote."""
    return json.loads(Path(path).read_text())
