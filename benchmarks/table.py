"""The records as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from .records import Record

ROWS = (
    f"{'':36} {'kernels':11} {'ours':>9} {'':9} {'rival':19} {'theirs':>9} {'ratio':>7} "
    f"{'quartiles':>13} {'target':>7} {'':6} {'limit':>5} by"
)
SCALING = (
    f"{'':24} {'contestant':19} {'of':6} {'exponent':>8} {'quartiles':>13} {'all':>6}  medians"
)
MICRO = (
    f"{'':42} {'contestant':11} {'ms':>9} {'GFLOP/s':>8} {'GB/s':>7} {'of peak':>8} "
    f"{'quartiles':>13} bound"
)

CHECKPOINTS = f"{'':36} {'':19} {'with':>9} {'without':>9} MiB   {'ratio':>7} {'target':>7}"


def _figure(x: float | None) -> str:
    if x is None:
        return "-"
    return f"{x:.3f}" if abs(x) < 10 else f"{x:.1f}" if abs(x) < 1e4 else f"{x:.0f}"


def _spread(pair: list[float] | tuple[float, float]) -> str:
    return f"{pair[0]:.2f} to {pair[1]:.2f}"


def of_row(record: Record) -> Iterator[str]:
    """A line for each set of kernels and each family's best contestant."""
    found, name = record["contestants"], record["name"]
    shown = [entry for entry in record["against"] if entry["shown"]]
    beside = {entry["ours"] for entry in shown}
    shown += [{"ours": n} for n in found if n in ("vectorized", "compiled") and n not in beside]
    for entry in shown:
        line = f"{name:36} {entry['ours']:11} {_figure(found[entry['ours']]['median']):>9} "
        line += f"{record['unit']:9} "
        if entry.get("rival"):
            takes = _figure(found[entry["rival"]]["median"])
            line += f"{entry['rival']:19} {takes:>9} {entry['ratio']:7.2f} "
            line += f"{_spread(entry['quartiles']):>13} "
        else:
            line += f"{'-':19} {'':31} "
        if entry.get("target") is not None:
            line += f"{entry['target']:7.2f} {'met' if entry['met'] else 'missed':6} "
        if entry.get("limit") is not None:
            line += f"{entry['limit']:5.2f} {entry['bound']}"
        yield line.rstrip()
        name = ""
    yield from _failures(record)


def of_series(record: Record) -> Iterator[str]:
    """A line for the time and one for the memory of each contestant."""
    yield f"{record['name']}: sizes {', '.join(f'{n:,}' for n in record['sizes'])}"
    for name, kinds in record["contestants"].items():
        for what, unit in (("time", "ms"), ("memory", "MiB")):
            if what not in kinds:
                continue
            fit, medians = kinds[what]["exponent"], kinds[what]["medians"]
            line = f"{'':24} {name:19} {what:6} "
            if fit:
                low, middle, high = fit["upper"]
                line += f"{middle:8.2f} {_spread((low, high)):>13} {fit['all'][1]:6.2f}  "
            else:
                line += f"{'-':>8} {'':13} {'':6}  "
            yield line + " ".join(map(_figure, medians)) + f" {unit}"
    yield f"{'':24} {'expected of time':26} {record['expected']:8.2f}"
    yield from _failures(record)


def of_case(record: Record) -> Iterator[str]:
    """A line for each contestant."""
    title = record["name"]
    for name, its in record["contestants"].items():
        rate = f"{its['gflops']:8.1f}" if its["gflops"] else f"{'-':>8}"
        line = f"{title:42} {name:11} {_figure(its['ms']):>9} {rate} {its['gbytes']:7.2f} "
        yield line + f"{its['share']:8.0%} {_spread(its['quartiles']):>13} {its['bound']}"
        title = ""
    yield from _failures(record)


def of_checkpoint(record: Record) -> str:
    """One line."""
    line = f"{record['name']:36} {record['contestant']:19} {_figure(record['checkpointed']):>9} "
    line += f"{_figure(record['plain']):>9} MiB   {record['ratio']:7.2f} "
    if record["target"] is not None:
        line += f"{record['target']:7.2f} {'met' if record['met'] else 'missed'}"
    return line.rstrip()


def summary(results: Record) -> str:
    """How many targets are met, and which are not."""
    judged = [
        (f"{row['name']} ({entry['ours']}, {entry['family'] or 'itself'})", entry["met"])
        for row in results["rows"]
        for entry in row["against"]
        if entry["met"] is not None
    ]
    missed = [name for name, met in judged if not met]
    text = f"{len(judged) - len(missed)} of {len(judged)} targets met"
    return text + ("; missed: " + "; ".join(missed) if missed else "")


def _failures(record: Record) -> Iterator[str]:
    for who, said in record["failed"].items():
        yield f"    {record['name']}: {who} failed: {said}"
