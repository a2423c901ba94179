"""What was measured as plain data, which the table, the JSON and the plots are made of."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import micro
from .contestants import ALL, OURS
from .measure import Samples, quartiles
from .micro import PEAKS, Case, share
from .rows import Row
from .scaling import Scaled, exponents

Record = dict[str, Any]


def machine() -> Record:
    """Where this is: processor, cores, versions of Python and of all contestants."""
    versions = {}
    for name in ("numpy", *sorted({c.needs[0] for c in ALL.values() if c.needs}), "numba"):
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


def _summaries(samples: Samples, scale: float) -> Record:
    found = {}
    for name, values in samples.taken.items():
        low, middle, high = quartiles([v * scale for v in values])
        found[name] = {"median": middle, "quartiles": [low, high], "rounds": len(values)}
    return found


def of_row(row: Row, samples: Samples) -> Record:
    """Its medians in the row's unit, and what each set of kernels takes over each rival.

    `against` has an entry for each rival; the best one of its family carries the target. Its limit, where
    the row's size is known, is the ratio that the machine's peaks leave of the rival's time.
    """
    scale = 1.0 if samples.unit == "MiB" else (1e3 if row.unit == "ms" else 1e6 / row.per)
    product, copy = (samples.taken.get(name, ()) for name in PEAKS)
    taken = {name: values for name, values in samples.taken.items() if name not in PEAKS}
    samples = replace(samples, taken=taken)
    size = row.size() if row.size and product else (0.0, 0.0)
    least = [micro.least(*size, *of) for of in zip(product, copy, strict=False)]
    against: list[Record] = []
    for ours in [n for n in OURS if n in samples.taken]:
        families: dict[str, list[str]] = {}
        for name in samples.taken:
            if name not in OURS:
                families.setdefault(ALL[name].family, []).append(name)
        best_of_all = samples.best([n for n in samples.taken if n not in OURS])
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
                    pairs = zip(least, samples.taken[name], strict=False)
                    entry["limit"] = quartiles([seconds / its for (seconds, _), its in pairs])[1]
                    entry["bound"] = least[0][1]
                against.append(entry)
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


def of_series(scaled: Scaled) -> Record:
    """Medians at each size, ms and MiB, and the exponents, for each contestant."""
    contestants: Record = {}
    failed: Record = {}
    for what, samples, scale in (("time", scaled.time, 1e3), ("memory", scaled.memory, 1.0)):
        for size, s in zip(scaled.series.sizes, samples, strict=True):
            failed |= {f"{name}, {what} at {size}": said for name, said in s.failed.items()}
        for name in dict.fromkeys(n for s in samples for n in s.taken):
            medians = [s.median(name) * scale if s.taken.get(name) else None for s in samples]
            contestants.setdefault(name, {})[what] = {
                "medians": medians,
                "exponent": exponents(scaled.series.sizes, samples, name),
            }
    return {
        "name": scaled.series.name, "sizes": list(scaled.series.sizes),
        "expected": scaled.series.expected, "contestants": contestants, "failed": failed,
    }  # fmt: skip


def of_case(case: Case, samples: Samples) -> Record:
    """Of a kernel alone: its time, its rates, its share of the peak; PyTorch's share beside it."""
    found, failed = {}, dict(samples.failed)
    product, copy = samples.taken.get("peak product"), samples.taken.get("peak copy")
    for name, values in samples.taken.items():
        if name.startswith("peak") or not product or not copy:
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


def of_checkpoint(found: tuple[str, str, float, float, float | None]) -> Record:
    """What a step takes with checkpoints, and without."""
    network, name, less, plain, target = found
    ratio = less / plain
    return {
        "name": network, "contestant": name, "checkpointed": less, "plain": plain, "ratio": ratio,
        "target": target, "met": None if target is None else ratio <= target,
    }  # fmt: skip


def save(results: Record, path: str) -> None:
    """As JSON."""
    Path(path).write_text(json.dumps(results, indent=1) + "\n")


def load(path: str) -> Record:
    """What `save` wrote."""
    return json.loads(Path(path).read_text())
