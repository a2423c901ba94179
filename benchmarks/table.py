"""The records as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .contestants import OURS
from .records import Record

ROW_HEADING = (
    f"{'workload':36} {'kernels':11} {'ours':>9} {'unit':9} {'rival':19} {'theirs':>9} "
    f"{'ratio':>7} {'quartiles':>13} {'target':>7} {'':6} {'limit':>5} bound by"
)
SERIES_HEADING = (
    f"{'series':24} {'contestant':19} {'metric':6} {'exponent':>8} {'quartiles':>13} "
    f"{'all sizes':>9}  medians"
)
CASE_HEADING = (
    f"{'kernel':42} {'contestant':11} {'ms':>9} {'GFLOP/s':>8} {'GB/s':>7} {'of peak':>8} "
    f"{'quartiles':>13} bound by"
)
CHECKPOINT_HEADING = (
    f"{'network':36} {'contestant':19} {'with':>9} {'without':>9} MiB   {'ratio':>7} {'target':>7}"
)
PICTURE_HEADING = f"{'picture':48} {'seconds':>9} {'target':>9}"


def _figure(x: float | None) -> str:
    if x is None:
        return "-"
    return f"{x:.3f}" if abs(x) < 10 else f"{x:.1f}" if abs(x) < 1e4 else f"{x:.0f}"


def _spread(pair: Sequence[float]) -> str:
    return f"{pair[0]:.2f} to {pair[1]:.2f}"


def of_row(record: Record) -> Iterator[str]:
    """A line for each of our sets of kernels and the best contestant of each family."""
    found, name = record["contestants"], record["name"]
    shown = [entry for entry in record["against"] if entry["shown"]]
    compared = {entry["ours"] for entry in shown}
    shown += [{"ours": n} for n in found if n in OURS and n not in compared]
    for entry in shown:
        line = f"{name:36} {entry['ours']:11} {_figure(found[entry['ours']]['median']):>9} "
        line += f"{record['unit']:9} "
        if entry.get("rival"):
            theirs = _figure(found[entry["rival"]]["median"])
            line += f"{entry['rival']:19} {theirs:>9} {entry['ratio']:7.2f} "
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
    for name, metrics in record["contestants"].items():
        for metric, unit in (("time", "ms"), ("memory", "MiB")):
            if metric not in metrics:
                continue
            fit, medians = metrics[metric]["exponent"], metrics[metric]["medians"]
            line = f"{'':24} {name:19} {metric:6} "
            if fit:
                low, middle, high = fit["upper"]
                line += f"{middle:8.2f} {_spread((low, high)):>13} {fit['all'][1]:9.2f}  "
            else:
                line += f"{'-':>8} {'':13} {'':9}  "
            yield line + " ".join(map(_figure, medians)) + f" {unit}"
    yield f"{'':24} {'(in theory)':19} {'time':6} {record['expected']:8.2f}"
    yield from _failures(record)


def of_case(record: Record) -> Iterator[str]:
    """A line for each contestant."""
    title = record["name"]
    for name, found in record["contestants"].items():
        rate = f"{found['gflops']:8.1f}" if found["gflops"] else f"{'-':>8}"
        line = f"{title:42} {name:11} {_figure(found['ms']):>9} {rate} {found['gbytes']:7.2f} "
        yield line + f"{found['share']:8.0%} {_spread(found['quartiles']):>13} {found['bound']}"
        title = ""
    yield from _failures(record)


def of_checkpoint(record: Record) -> str:
    """One line, in MiB."""
    line = f"{record['name']:36} {record['contestant']:19} {_figure(record['checkpointed']):>9} "
    line += f"{_figure(record['plain']):>9} MiB   {record['ratio']:7.2f} "
    if record["target"] is not None:
        line += f"{record['target']:7.2f} {'met' if record['met'] else 'missed'}"
    return line.rstrip()


def of_picture(record: Record) -> str:
    """One line."""
    met = "met" if record["met"] else "missed"
    return f"{record['name']:48} {record['seconds']:9.3f} {record['target']:9.1f} {met}"


def summary(results: Record) -> str:
    """How many targets are met, and the names of those that are missed."""
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
    for contestant, reason in record["failed"].items():
        yield f"    {record['name']}: {contestant} excluded: {reason}"
