"""`torch.profiler`: the time of each op and each vjp, as an observer of the engine sees them."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ContextDecorator
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

from ..engine import Observer, observe
from .averages import Averages, Event

__all__ = [
    "ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule",
    "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip


class ProfilerActivity(Enum):
    """Kinds of devices. Only CPU has events."""

    CPU, XPU, MTIA, CUDA, HPU, PrivateUse1 = range(6)


class ProfilerAction(Enum):
    """What a schedule says about a step."""

    NONE, WARMUP, RECORD, RECORD_AND_SAVE = range(4)


_RECORDS = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
_running: list[profile] = []  # these see the blocks of `record_function`


def supported_activities() -> set[ProfilerActivity]:
    """The CPU."""
    return {ProfilerActivity.CPU}


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:  # fmt: skip
    """The action of each step: after `skip_first` steps, cycles of `wait`, `warmup` and `active` steps.

    There are `repeat` cycles, or with 0 no end of them. AssertionError for negative numbers.
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active < 1:
        raise AssertionError(
            f"Invalid profiler schedule arguments. Got {wait=} (need >= 0), {warmup=} (need >= 0), "
            f"{active=} (need > 0), {repeat=} (need >= 0), {skip_first=} (need >= 0)."
        )
    cycle = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        place = step % cycle
        if (repeat and step // cycle >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return _RECORDS[place == cycle - 1]

    return action


def _always(step: int) -> ProfilerAction:
    return ProfilerAction.RECORD


class profile(Observer):
    """Records the time of ops, vjps and `record_function` blocks in a `with` block.

    With a `schedule`, `step()` ends a step, and only the steps that it names are recorded.
    `on_trace_ready(profile)` is called after each cycle, and at the end. `record_shapes` and
    `profile_memory` add shapes of inputs and bytes of outputs.

    >>> with tc.profiler.profile() as prof:
    ...     _ = tc.ones(2, 3) * 2.0
    >>> [(row.key, row.count) for row in prof.key_averages() if row.key == "mul"]
    [('mul', 1)]
    """

    def __init__(
        self,
        *,
        activities: Iterable[Any] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        **others: Any,
    ):
        self._schedule = schedule or _always
        self._on_trace_ready = on_trace_ready
        self.record_shapes, self.profile_memory = record_shapes, profile_memory
        self.step_num = 0
        self.current_action = ProfilerAction.NONE
        self._events: Averages | None = None
        self._watching: Any = None
        self._open = threading.local()  # its stack: the events of this thread that have not ended

    # --- The block ------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin, as `with` does."""
        self._act(self._schedule(self.step_num))

    def stop(self) -> None:
        """End, as the end of `with` does."""
        self._act(None)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def step(self) -> None:
        """End a step: the schedule says whether the next one is recorded."""
        self.step_num += 1
        self._act(self._schedule(self.step_num))

    def _act(self, action: ProfilerAction | None) -> None:
        """Go from the current action to the next one; None is the end."""
        before, self.current_action = self.current_action, action or ProfilerAction.NONE
        over = before in _RECORDS and (action is None or before is ProfilerAction.RECORD_AND_SAVE)
        if self._watching is not None and (over or action not in _RECORDS):
            self._watching.__exit__(None, None, None)
            _running.remove(self)
            self._watching = None
        if over and self._on_trace_ready is not None:
            self._on_trace_ready(self)
        if action in _RECORDS and self._watching is None:
            self._events = Averages()
            _running.append(self)
            self._watching = observe(self)
            self._watching.__enter__()

    # --- Events ---------------------------------------------------------------------------------

    def begin(self, name: str, inputs: Any = ()) -> None:
        """An event begins in this thread."""
        stack = vars(self._open).setdefault("stack", [])
        stack.append(Event(name, time.perf_counter_ns(), threading.get_ident(), depth=len(stack)))

    def end(self, name: str, inputs: Any = (), output: Any = None) -> None:
        """The innermost event of that name ends, and events in it that an exception left open."""
        now = time.perf_counter_ns()
        stack = vars(self._open).get("stack", [])
        if not any(event.name == name for event in stack):
            return  # it began before the profiler
        while True:
            event = stack.pop()
            event.end_ns = now
            if stack:
                stack[-1].inner_ns += now - event.start_ns
            if event.name == name:
                break
        if self.record_shapes:
            event.input_shapes = [list(getattr(x, "shape", ())) for x in inputs]
        if self.profile_memory and output is not None:
            array = output._array
            event.bytes = array.nbytes if array.base is None else 0
        if self._events is not None:
            self._events.append(event)

    def op_begins(self, op: Any) -> None:
        """An op begins."""
        self.begin(op.name)

    def op_ran(self, op: Any, inputs: tuple[Any, ...], output: Any, node: Any) -> None:
        """It ended."""
        self.end(op.name, inputs, output)

    def vjp_begins(self, node: Any, g: Any) -> None:
        """The vjps of a node begin."""
        self.begin(node.name())

    def vjp_ran(self, node: Any, g: Any, gradients: Any) -> None:
        """They ended."""
        self.end(node.name(), (g,))

    # --- Results --------------------------------------------------------------------------------

    def events(self) -> Averages:
        """The events, in the order in which they ended. AssertionError before the first."""
        if self._events is None:
            raise AssertionError("Profiler must be initialized before accessing events")
        return self._events

    def key_averages(self, group_by_input_shape: bool = False, **options: Any) -> Averages:
        """The sums of all events of a name: rows with `table()`. AssertionError before the first."""
        return self.events().key_averages(group_by_input_shape)

    def export_chrome_trace(self, path: str) -> None:
        """Write the events as a trace, which chrome://tracing and Perfetto show."""
        self.events().export_chrome_trace(path)

    def add_metadata_json(self, key: str, value: str) -> None:
        """Add an entry to the trace: a value in JSON."""
        self.events().metadata[key] = json.loads(value)

    def add_metadata(self, key: str, value: str) -> None:
        """Add an entry to the trace: a text."""
        self.events().metadata[key] = value


class autograd_profile(profile):
    """`torch.autograd.profiler.profile`: the older form, without a schedule."""

    def __init__(self, enabled: bool = True, **options: Any):
        kept = {k: options[k] for k in ("record_shapes", "profile_memory") if k in options}
        super().__init__(schedule=None if enabled else lambda step: ProfilerAction.NONE, **kept)

    @property
    def function_events(self) -> Averages:
        """The events."""
        return self.events()

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, in microseconds."""
        return self.events().self_cpu_time_total

    def table(self, *args: Any, **options: Any) -> str:
        """The table of the events."""
        return self.events().table(*args, **options)

    def total_average(self) -> Any:
        """The sum of all events."""
        return self.events().total_average()


class record_function(ContextDecorator):
    """A block, or a function, that profilers show under a name of its own."""

    def __init__(self, name: str, args: str | None = None):
        self.name = name

    def __enter__(self) -> Self:
        for profiler in _running:
            profiler.begin(self.name)
        return self

    def __exit__(self, *exc: object) -> None:
        for profiler in _running:
            profiler.end(self.name)


def emit_nvtx(enabled: bool = True, record_shapes: bool = False) -> Any:
    """RuntimeError: there is no GPU."""
    raise RuntimeError("NVTX functions not installed: there is no GPU here")


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False, **options: Any
) -> Callable[[profile], None]:
    """For `on_trace_ready`: writes each trace into a new file of the folder `dir_name`.

    NotImplementedError for `use_gzip`.
    """
    if use_gzip:
        raise NotImplementedError("tensorboard_trace_handler: use_gzip=True is not supported")

    def write(profiler: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json"
        profiler.export_chrome_trace(os.path.join(dir_name, name))

    return write


if not TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    _not_here(globals())
