"""Events of the profiler: their sums by name, a table, and a file for trace viewers."""

from __future__ import annotations

import json
import os
from typing import Any

from ..serialization.writing import write


class Event:
    """One run of an op, a vjp or a block, or the sum of several. Times are in microseconds."""

    def __init__(self, name: str, start_ns: int, thread: int, depth: int = 0):
        self.name, self.start_ns, self.thread, self.depth = name, start_ns, thread, depth
        self.end_ns = start_ns
        self.inner_ns = 0  # the time of the events inside
        self.input_shapes: list[list[int]] = []
        self.bytes = 0
        self.count = 1

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    @property
    def cpu_time_total(self) -> float:
        """The time of all runs."""
        return (self.end_ns - self.start_ns) / 1000.0

    @property
    def self_cpu_time_total(self) -> float:
        """The same without events inside."""
        return self.cpu_time_total - self.inner_ns / 1000.0

    @property
    def cpu_time(self) -> float:
        """The mean time of a run."""
        return self.cpu_time_total / self.count

    @property
    def cpu_memory_usage(self) -> int:
        """The bytes of the outputs, if the profiler records them."""
        return self.bytes

    self_cpu_memory_usage = cpu_memory_usage
    device_time_total = self_device_time_total = device_time = 0.0  # there is no other device
    cuda_time_total = self_cuda_time_total = cuda_time = 0.0
    device_memory_usage = self_device_memory_usage = 0

    def add(self, other: Event) -> None:
        """Add the times of another run."""
        self.end_ns += other.end_ns - other.start_ns
        self.inner_ns += other.inner_ns
        self.bytes += other.bytes
        self.count += other.count

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.name} self_cpu_time={_time(self.self_cpu_time_total)} "
            f"cpu_time={_time(self.cpu_time)} count={self.count}>"
        )


class Averages(list[Event]):
    """Events, or sums of events by name, with a table."""

    def __init__(self, events: Any = ()):
        super().__init__(events)
        self.metadata: dict[str, Any] = {}

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, in microseconds."""
        return sum(event.self_cpu_time_total for event in self)

    def key_averages(self, group_by_input_shape: bool = False) -> Averages:
        """The sums of all events of a name, or of a name and the shapes of the inputs."""
        rows: dict[Any, Event] = {}
        for event in self:
            key = (event.name, str(event.input_shapes) if group_by_input_shape else "")
            if key not in rows:
                rows[key] = Event(event.name, 0, event.thread)
                rows[key].count = 0
                rows[key].input_shapes = event.input_shapes if group_by_input_shape else []
            rows[key].add(event)
        return Averages(rows.values())

    def total_average(self) -> Event:
        """The sum of all events. An event inside another one counts twice."""
        total = Event("Total", 0, 0)
        total.count = 0
        for event in self:
            total.add(event)
        return total

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, header: str | None = None,
        **options: Any,
    ) -> str:  # fmt: skip
        """The rows as a text: by descending `sort_by`, such as "cpu_time_total", at most `row_limit`.

        AttributeError for a column that does not exist.
        """
        rows = list(self)
        if sort_by is not None:
            rows.sort(key=lambda event: getattr(event, sort_by), reverse=True)
        total = self.self_cpu_time_total
        columns = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
        memory = any(event.bytes for event in rows)
        shapes = any(event.input_shapes for event in rows)
        columns += ["CPU Mem"] * memory + ["# of Calls"] + ["Input Shapes"] * shapes
        lines = [columns]
        for event in rows[: row_limit if row_limit >= 0 else None]:
            own, whole = event.self_cpu_time_total, event.cpu_time_total
            line = [event.name, _share(own, total), _time(own), _share(whole, total)]
            line += [_time(whole), _time(event.cpu_time)]
            line += [f"{event.bytes:,} B"] * memory + [str(event.count)]
            lines.append(line + [str(event.input_shapes)] * shapes)
        widths = [max(len(line[k]) for line in lines) for k in range(len(columns))]
        rule = "  ".join("-" * width for width in widths)
        texts = ["  ".join(x.rjust(w) for x, w in zip(line, widths, strict=True)) for line in lines]
        body = [rule, texts[0], rule, *texts[1:], rule]
        last = f"Self CPU time total: {_time(total)}\n"
        return "\n".join([*([header] if header else []), *body, last])

    def export_chrome_trace(self, path: str) -> None:
        """Write the events as a trace, which chrome://tracing and Perfetto show."""
        events = [
            {
                "ph": "X", "cat": "cpu_op", "name": event.name, "pid": os.getpid(),
                "tid": event.thread, "ts": event.start_ns / 1000.0, "dur": event.cpu_time_total,
                "args": {"Input Dims": event.input_shapes} if event.input_shapes else {},
            }
            for event in self
        ]  # fmt: skip
        trace = {"traceEvents": events, "displayTimeUnit": "ms", **self.metadata}
        write(path, [json.dumps(trace).encode()])

    def __str__(self) -> str:
        return self.table()


def _time(microseconds: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:.3f}{unit}"
    return f"{microseconds:.3f}us"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole if whole else 0:.2f}%"
