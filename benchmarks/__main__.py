"""`python -m benchmarks`: time and memory beside the libraries that are installed.

Contestants run in processes of their own, in turn, a short block each: what counts is the ratio
within a round, its median and its quartiles. A ratio under 1 says that we are faster (smaller).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from . import micro, plot, records, scaling, table
from .contestants import ALL, OURS
from .measure import QUICK, Effort, Samples, Sits, compare, peaks
from .rows import ROWS, Row
from .seats import Apart

GROUPS = (
    *dict.fromkeys(row.group for row in ROWS),
    "scaling",
    "micro",
    "checkpoint",
    "pictures",
    "jobs",
)


class Run:
    """One run: who takes part, how long it looks, and what it found so far."""

    def __init__(
        self, ours: Sequence[str], peers: Sequence[str], effort: Effort,
        sit: Callable[[str], Sits] | None = None, pause: float | None = None,
    ):  # fmt: skip
        self.ours, self.peers, self.effort = list(ours), list(peers), effort
        self.sit = sit or (lambda name: Apart(ALL[name]))
        self.pause = {} if pause is None else {"pause": pause}
        self.seats: dict[str, Sits] = {}
        self.results: dict[str, Any] = {
            "machine": records.machine(), "kernels": self.ours, "peers": self.peers,
            "rows": [], "scaling": [], "micro": [], "extras": [],
        }  # fmt: skip

    def names(self, rivals: Iterable[str]) -> list[str]:
        """Who of them is there, after ourselves."""
        return self.ours + [name for name in rivals if name in self.peers]

    def seated(self, names: Iterable[str]) -> dict[str, Sits]:
        """Their seats, each kept from row to row."""
        for name in names:
            if name not in self.seats:
                self.seats[name] = self.sit("peak" if name.startswith("peak") else name)
        return {name: self.seats[name] for name in names}

    def row(self, row: Row) -> Iterable[str]:
        """Measure a row of the table."""
        names, work = self.names(row.rivals), (row.work, row.arguments)
        if row.kind == "memory":
            samples = peaks(names, self.sit, work, self.effort, row.threads)
        elif row.kind == "import":
            from . import extras

            samples = extras.imports(names, self.effort)
        else:
            works = dict.fromkeys(names, work)
            samples = self.compare(works | (micro.PEAKS if row.size else {}), row.threads)
        record = records.of_row(row, samples)
        self.results["rows"].append(record)
        return table.of_row(record)

    def compare(self, works: dict[str, Any], threads: int | None = None) -> Samples:
        """Time the works of these contestants in turn; who has failed in its process gets another."""
        samples = compare(self.seated(works), works, self.effort, threads, **self.pause)
        for name in samples.failed:
            self.seats.pop(name).close()
        return samples

    def series(self, series: scaling.Series) -> Iterable[str]:
        """Measure a series of sizes."""
        scaled = scaling.Scaled(series, [], [])
        names = self.names(series.rivals)
        for size in series.sizes:
            work = series.work, series.arguments(size)
            scaled.time.append(self.compare(dict.fromkeys(names, work)))
            scaled.memory.append(peaks(names, self.sit, work, self.effort))
        record = records.of_series(scaled)
        self.results["scaling"].append(record)
        return table.of_series(record)

    def case(self, case: micro.Case) -> Iterable[str]:
        """Measure a kernel beside the machine's peaks."""
        names = self.names([] if case.work == "kernel" else ["torch"])
        works: dict[str, Any] = dict.fromkeys(names, (case.work, case.arguments))
        record = records.of_case(case, self.compare(works | micro.PEAKS))
        self.results["micro"].append(record)
        return table.of_case(record)

    def extras(self, wanted: Callable[[str, str], bool], quick: bool) -> Iterable[str]:
        """Pictures and jobs, ours alone."""
        from . import extras

        if wanted("checkpoint", ""):
            yield table.CHECKPOINTS
            for record in map(
                records.of_checkpoint,
                extras.checkpoints(self.names(["torch"]), self.sit, self.effort),
            ):
                self.results["extras"].append(record)
                yield table.of_checkpoint(record)
        if wanted("pictures", ""):
            for name, seconds, target in extras.pictures():
                met = seconds <= target
                record = {"name": name, "seconds": seconds, "target": target, "met": met}
                self.results["extras"].append(record)
                yield f"{name:48} {seconds:9.3f} s {target:7.1f} {'met' if met else 'missed'}"
        if wanted("jobs", ""):
            for name, said in extras.jobs(quick):
                self.results["extras"].append({"name": name, "said": said})
                yield f"{name:48} {said}"

    def all(self, wanted: Callable[[str, str], bool], quick: bool) -> Iterable[str]:
        """Measure everything that is wanted, line by line."""
        for header, things, measured in (
            (table.ROWS, [r for r in ROWS if wanted(r.group, r.name)], self.row),
            (table.SCALING, [_short(s, quick) for s in scaling.SERIES
                             if wanted("scaling", s.name)], self.series),
            (table.MICRO, [c for c in micro.CASES if wanted("micro", c.name)], self.case),
        ):  # fmt: skip
            if things:
                yield header
            for thing in things:
                yield from measured(thing)  # type: ignore[operator]
        yield from self.extras(wanted, quick)

    def close(self) -> None:
        """End all processes."""
        for seat in self.seats.values():
            seat.close()
        self.seats.clear()


def _short(series: scaling.Series, quick: bool) -> scaling.Series:
    return replace(series, sizes=series.sizes[: len(series.sizes) // 2 + 1]) if quick else series


def parser() -> argparse.ArgumentParser:
    """The options."""
    words = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    words.add_argument(
        "--only", nargs="+", metavar="WORD",
        help=f"groups ({', '.join(GROUPS)}) or parts of the names of rows",
    )  # fmt: skip
    words.add_argument("--quick", action="store_true", help="few rounds, for a first look")
    words.add_argument(
        "--kernels", nargs="+", choices=OURS, help="which sets; the one in use by default"
    )
    peers = [name for name, c in ALL.items() if c.family not in ("ours", "peak")]
    words.add_argument(
        "--peers", nargs="*", choices=peers, metavar="PEER",
        help=f"whom to compare with, of {', '.join(peers)}; by default all that are installed",
    )  # fmt: skip
    words.add_argument(
        "--compile", action="store_true", help="torch.compile too: slow, and needs a C++ compiler"
    )
    words.add_argument("--json", metavar="FILE", help="write all that was measured")
    words.add_argument(
        "--plot", metavar="FILE.png", help="draw it; also FILE-scaling.png and FILE-micro.png"
    )
    words.add_argument("--read", metavar="FILE", help="measure nothing; show what --json wrote")
    return words


def show(results: dict[str, Any]) -> Iterable[str]:
    """The tables of what was measured before."""
    for header, name, lines in (
        (table.ROWS, "rows", table.of_row),
        (table.SCALING, "scaling", table.of_series),
        (table.MICRO, "micro", table.of_case),
    ):
        if results[name]:
            yield header
        for record in results[name]:
            yield from lines(record)


def main(arguments: Sequence[str] | None = None, sit: Callable[[str], Sits] | None = None) -> None:
    """Run the rows that were asked for."""
    words = parser()
    options = words.parse_args(arguments)
    if options.read:
        results = records.load(options.read)
        print(*show(results), sep="\n")
    else:
        results = _measure(words, options, sit)
    if results["rows"]:
        print(table.summary(results))
    if options.json:
        records.save(results, options.json)
    if options.plot:
        print("drawn:", *plot.save(results, options.plot))


def _usable(words: argparse.ArgumentParser, sets: Sequence[str]) -> None:
    """End with a message where a set of kernels cannot be imported."""
    from tinygrad_cnn import kernels

    before = kernels.current()
    try:
        for name in sets:
            kernels.use(name)
    except ImportError as error:
        words.error(str(error))
    kernels.use(before)


def _measure(
    words: argparse.ArgumentParser, options: argparse.Namespace, sit: Callable[[str], Sits] | None
) -> dict[str, Any]:
    only = [word.lower() for word in options.only or ()]

    def wanted(group: str, name: str) -> bool:
        return not only or any(word == group or (name and word in name.lower()) for word in only)

    things = [(row.group, row.name) for row in ROWS]
    things += [("scaling", s.name) for s in scaling.SERIES]
    things += [("micro", c.name) for c in micro.CASES] + [
        (n, "") for n in ("checkpoint", "pictures", "jobs")
    ]
    if not any(wanted(*thing) for thing in things):
        words.error(f"--only: no row of {' or '.join(only)}; groups are {', '.join(GROUPS)}")
    from tinygrad_cnn import kernels

    ours = options.kernels or [kernels.current()]
    if sit is None:
        _usable(words, ours)
    peers = options.peers
    if peers is None:
        peers = [name for name, c in ALL.items() if c.family not in ("ours", "peak")]
        peers = [name for name in peers if name != "torch.compile" or options.compile]
    there = [name for name in peers if ALL[name].there()]
    run = Run(ours, there, QUICK if options.quick else Effort(), sit)
    try:
        for line in run.all(wanted, options.quick):
            print(line, flush=True)
    finally:
        run.close()
    return run.results


if __name__ == "__main__":
    main()
