"""Measure time and memory beside the other libraries that are installed.

Contestants run in separate processes and take turns, a short block of calls each. A result is
the ratio within a round: its median and quartiles over the rounds. A ratio below 1 means that we
are faster or need less. Contestants whose result differs are excluded, and the output says so.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import extras, micro, plot, records, scaling, table
from .contestants import CONTESTANTS, OURS, PEERS
from .measure import QUICK, Effort, Samples, Start, Worker, Workload, compare, peaks
from .rows import ROWS, Row
from .workers import ProcessWorker

EXTRAS = ("checkpoint", "pictures", "examples")
GROUPS = (*dict.fromkeys(row.group for row in ROWS), "scaling", "micro", *EXTRAS)

Wanted = Callable[[str, str], bool]  # of a group and a name in it


class Session:
    """One run of the command: the contestants, the effort, the workers, and the results so far.

    Each method that measures yields the lines to print. `pause` is in seconds, for `compare`.
    """

    def __init__(
        self, ours: Sequence[str], peers: Sequence[str], effort: Effort,
        start: Start | None = None, pause: float | None = None,
    ) -> None:  # fmt: skip
        self.ours, self.peers, self.effort = list(ours), list(peers), effort
        self.start = start or (lambda name: ProcessWorker(CONTESTANTS[name]))
        self.pause = {} if pause is None else {"pause": pause}
        self.workers: dict[str, Worker] = {}  # kept from row to row
        self.results: records.Record = {
            "machine": records.machine(), "kernels": self.ours, "peers": self.peers,
            "rows": [], "scaling": [], "micro": [], "extras": [],
        }  # fmt: skip

    def names(self, rivals: Iterable[str]) -> list[str]:
        """Our contestants, then the rivals that take part."""
        return self.ours + [name for name in rivals if name in self.peers]

    def compare(self, workloads: Mapping[str, Workload], threads: int | None = None) -> Samples:
        """Time these workloads in turn. A contestant that fails gets a new process next time."""
        for name in workloads:
            if name not in self.workers:
                self.workers[name] = self.start("peak" if name in micro.PEAKS else name)
        workers = {name: self.workers[name] for name in workloads}
        samples = compare(workers, workloads, self.effort, threads, **self.pause)
        for name in samples.failed:
            self.workers.pop(name).close()
        return samples

    def row(self, row: Row) -> Iterator[str]:
        """Measure a row of the table."""
        names, workload = self.names(row.rivals), (row.workload, row.arguments)
        if row.kind == "memory":
            samples = peaks(names, self.start, workload, self.effort, row.threads)
        elif row.kind == "import":
            samples = extras.imports(names, self.effort)
        else:
            workloads = dict.fromkeys(names, workload)
            samples = self.compare(workloads | (micro.PEAKS if row.cost else {}), row.threads)
        record = records.of_row(row, samples)
        self.results["rows"].append(record)
        return table.of_row(record)

    def series(self, series: scaling.Series) -> Iterator[str]:
        """Measure a series of sizes."""
        scaled = scaling.Scaled(series, [], [])
        names = self.names(series.rivals)
        for size in series.sizes:
            workload = series.workload, series.arguments(size)
            scaled.time.append(self.compare(dict.fromkeys(names, workload)))
            scaled.memory.append(peaks(names, self.start, workload, self.effort))
        record = records.of_series(scaled)
        self.results["scaling"].append(record)
        return table.of_series(record)

    def case(self, case: micro.Case) -> Iterator[str]:
        """Measure a kernel beside the peaks of the machine."""
        names = self.names([] if case.work == "kernel" else ["torch"])
        workloads: dict[str, Workload] = dict.fromkeys(names, (case.work, case.arguments))
        record = records.of_case(case, self.compare(workloads | micro.PEAKS))
        self.results["micro"].append(record)
        return table.of_case(record)

    def checkpoints(self) -> Iterator[str]:
        """Measure the memory of steps with and without checkpoints."""
        yield table.CHECKPOINT_HEADING
        for found in extras.checkpoints(self.names(["torch"]), self.start, self.effort):
            record = records.of_checkpoint(found)
            self.results["extras"].append(record)
            yield table.of_checkpoint(record)

    def pictures(self) -> Iterator[str]:
        """Time pictures of large graphs."""
        yield table.PICTURE_HEADING
        for name, seconds, target in extras.pictures():
            met = seconds <= target
            record = {"name": name, "seconds": seconds, "target": target, "met": met}
            self.results["extras"].append(record)
            yield table.of_picture(record)

    def examples(self, quick: bool) -> Iterator[str]:
        """Run the training examples."""
        for name, printed in extras.examples(quick):
            self.results["extras"].append({"name": name, "printed": printed})
            yield f"{name}: {printed}"

    def all(self, wanted: Wanted, quick: bool) -> Iterator[str]:
        """Measure all that is wanted."""
        rows = [row for row in ROWS if wanted(row.group, row.name)]
        if rows:
            yield table.ROW_HEADING
        for row in rows:
            yield from self.row(row)
        series = [_shorter(s, quick) for s in scaling.SERIES if wanted("scaling", s.name)]
        if series:
            yield table.SERIES_HEADING
        for s in series:
            yield from self.series(s)
        cases = [case for case in micro.CASES if wanted("micro", case.name)]
        if cases:
            yield table.CASE_HEADING
        for case in cases:
            yield from self.case(case)
        if wanted("checkpoint", ""):
            yield from self.checkpoints()
        if wanted("pictures", ""):
            yield from self.pictures()
        if wanted("examples", ""):
            yield from self.examples(quick)

    def close(self) -> None:
        """End all processes."""
        for worker in self.workers.values():
            worker.close()
        self.workers.clear()


def _shorter(series: scaling.Series, quick: bool) -> scaling.Series:
    """The smaller half of a series, if `quick`."""
    return replace(series, sizes=series.sizes[: len(series.sizes) // 2 + 1]) if quick else series


def shown(results: Mapping[str, Any]) -> Iterator[str]:
    """The tables of saved results, line by line."""
    for heading, name, lines in (
        (table.ROW_HEADING, "rows", table.of_row),
        (table.SERIES_HEADING, "scaling", table.of_series),
        (table.CASE_HEADING, "micro", table.of_case),
    ):
        if results[name]:
            yield heading
        for record in results[name]:
            yield from lines(record)


# --- The command line ---------------------------------------------------------------------------


def command_line() -> argparse.ArgumentParser:
    """The parser of the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", metavar="WORD",
        help=f"measure these groups only ({', '.join(GROUPS)}), or rows with WORD in their name",
    )  # fmt: skip
    parser.add_argument(
        "--quick", action="store_true", help="measure few rounds and short series, for a first look"
    )
    parser.add_argument(
        "--kernels", nargs="+", choices=OURS,
        help="sets of kernels to measure (default: the set in use)",
    )  # fmt: skip
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, metavar="PEER",
        help=f"libraries to compare with: {', '.join(PEERS)} (default: all that are installed, "
        "without torch.compile)",
    )  # fmt: skip
    parser.add_argument(
        "--compile", action="store_true",
        help="compare with torch.compile too, which is slow and needs a C++ compiler",
    )  # fmt: skip
    parser.add_argument("--json", metavar="FILE", help="write all results as JSON")
    parser.add_argument(
        "--plot", metavar="FILE.png",
        help="draw the results; writes FILE-scaling.png and FILE-micro.png too",
    )  # fmt: skip
    parser.add_argument(
        "--read", metavar="FILE", help="measure nothing, and show the results that --json wrote"
    )
    return parser


def selection(parser: argparse.ArgumentParser, only: Sequence[str]) -> Wanted:
    """The function that selects rows by `--only`. Ends the program if it selects none."""
    words = [word.lower() for word in only]

    def wanted(group: str, name: str) -> bool:
        return not words or any(word == group or (name and word in name.lower()) for word in words)

    names = [(row.group, row.name) for row in ROWS]
    names += [("scaling", series.name) for series in scaling.SERIES]
    names += [("micro", case.name) for case in micro.CASES]
    names += [(group, "") for group in EXTRAS]
    if not any(wanted(*name) for name in names):
        parser.error(f"--only: no row matches {' or '.join(words)}; groups: {', '.join(GROUPS)}")
    return wanted


def _check_sets(parser: argparse.ArgumentParser, sets: Sequence[str]) -> None:
    """End the program with a message if a set of kernels cannot be imported."""
    from tinygrad_cnn import kernels

    before = kernels.current()
    try:
        for name in sets:
            kernels.use(name)
    except ImportError as error:
        parser.error(str(error))
    kernels.use(before)


def measured(
    parser: argparse.ArgumentParser, options: argparse.Namespace, start: Start | None
) -> records.Record:
    """Measure the rows that the options ask for, and print the table."""
    from tinygrad_cnn import kernels

    wanted = selection(parser, options.only or ())
    ours = options.kernels or [kernels.current()]
    if start is None:
        _check_sets(parser, ours)
    peers = options.peers
    if peers is None:
        peers = [name for name in PEERS if name != "torch.compile" or options.compile]
    installed = [name for name in peers if CONTESTANTS[name].installed()]
    session = Session(ours, installed, QUICK if options.quick else Effort(), start)
    try:
        for line in session.all(wanted, options.quick):
            print(line, flush=True)
    finally:
        session.close()
    return session.results


def main(arguments: Sequence[str] | None = None, start: Start | None = None) -> None:
    """Run the command. Tests pass `start`, which makes the worker of a contestant."""
    parser = command_line()
    options = parser.parse_args(arguments)
    if options.read:
        results = records.load(options.read)
        print(*shown(results), sep="\n")
    else:
        results = measured(parser, options, start)
    if results["rows"]:
        print(table.summary(results))
    if options.json:
        records.save(results, options.json)
    if options.plot:
        print("drawn:", *plot.save(results, options.plot))


if __name__ == "__main__":
    main()
