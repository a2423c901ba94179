"""The reducer: averages gradients over ranks while the backward pass still runs.

It observes the walk back. At its first node, it counts how often the graph uses each parameter. Each
contribution to the gradient of a parameter is added up in a bucket. A bucket whose gradients are
complete is reduced in the background, in the same order on all ranks. The hooks of the leaves, which
run at the end of the walk, return the averages. So the engine commits these to `.grad`.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..engine import Node, Observer, Recorded, mark_written, observe, wrap
from ..tensor import Tensor
from ..utils.pytree import tree_leaves
from .buckets import GradBucket, Timing, make_buckets
from .collectives import ReduceOp, all_reduce
from .groups import ProcessGroup

NOT_FINISHED = (
    "Expected to have finished reduction in the prior iteration before starting a new one. This error "
    "indicates that your module has parameters that were not used in producing loss. You can enable "
    "unused parameter detection by passing the keyword argument `find_unused_parameters=True` to "
    "`torch.nn.parallel.DistributedDataParallel`. Parameters without a gradient on rank {}: {}"
)
LATE = (
    "Expected to mark a variable ready only once: the gradient of {} grew after its bucket was reduced. "
    "Use a parameter outside of the module only after the call of the module"
)
UNSEEN = (
    "DistributedDataParallel: the gradient of {} was not seen. Call backward in the thread that called "
    "the module; use a parameter outside of the module in the first backward pass only"
)
SECOND_ORDER = (
    "DistributedDataParallel does not support create_graph=True: the graph would not lead to the "
    "gradients of the other ranks"
)


class _Place:
    """A parameter in its bucket."""

    __slots__ = ("bucket", "done", "handle", "late", "name", "parameter", "pending", "used", "view")

    def __init__(self, name: str, parameter: Tensor, bucket: GradBucket, view: Any):
        self.name, self.parameter, self.bucket, self.view = name, parameter, bucket, view
        self.handle: Any = None
        self.pending = 0  # uses in the graph whose vjp has not run
        self.used = self.done = False  # whether a contribution has come, and whether all have
        self.late = False  # it has hooks of the user: its gradient is known after these


class Reducer(Observer):
    """Averages the gradients of `named` parameters over a group, in the backward pass after `arm()`."""

    def __init__(
        self, named: Sequence[tuple[str, Tensor]], group: ProcessGroup, first_bytes: int,
        cap_bytes: int, find_unused: bool,
    ):  # fmt: skip
        self.named, self.group, self.find_unused = list(named), group, find_unused
        self._sizes = (first_bytes, cap_bytes)
        self._hook: Callable[[GradBucket], Any] | None = None
        self._armed = False
        self._unwatch: Callable[[], Any] = tuple  # ends the observation, also when this is freed
        self.divisor = group.size()
        self.began = self.computed = self.ended = 0.0  # of the last backward pass
        self._places: dict[Node | None, _Place] = {}
        self._named: dict[str, _Place] = {}
        self.buckets: list[GradBucket] = []
        self._key: Any = None
        self._plan()

    def set_hook(self, state: Any, hook: Callable[[Any, GradBucket], Any]) -> None:
        """Let `hook(state, bucket)` reduce the buckets: it returns a Future of the averages."""
        self._hook = lambda bucket: hook(state, bucket)

    def timings(self) -> list[Timing]:
        """When each bucket of the last backward pass was ready, sent and reduced."""
        return [bucket.timing() for bucket in self.buckets]

    # --- Before the backward pass -----------------------------------------------------------------

    def _plan(self) -> None:
        """Make the buckets, if a parameter has changed its dtype or whether it requires grad."""
        key = [(p._node, p._array.dtype, p._array.shape) for _, p in self.named]
        if key == self._key:
            return
        self._key = key
        for place in self._places.values():
            place.handle.remove()
        learned = [(name, p) for name, p in self.named if p._node is not None]
        self.buckets = make_buckets(learned, *self._sizes)
        self._places, self._named = {}, {}
        me = weakref.ref(self)
        for bucket in self.buckets:
            for name, p, view in zip(bucket.names, bucket.parameters(), bucket.views, strict=True):
                place = self._places[p._node] = _Place(name, p, bucket, view)
                place.handle = p.register_hook(_leaf_hook(me, name))
                self._named[name] = place

    def arm(self, late: bool = False) -> None:
        """Average the gradients of the next backward pass; at its end, if `late`."""
        self.disarm()
        self._plan()
        self._armed, self._thread = True, threading.get_ident()
        self._depth, self._last_number = 0, -1
        for node, place in self._places.items():
            hooks: dict[int, Any] = node.extra["hooks"]  # type: ignore[union-attr,index]
            place.late, place.used = late or len(hooks) > 1, False
            if len(hooks) > 1:  # ours comes last
                hooks[place.handle.id] = hooks.pop(place.handle.id)
        watch = observe(_Weak(weakref.ref(self)))
        watch.__enter__()
        self._unwatch = weakref.finalize(self, watch.__exit__, None, None, None)

    def watch_outputs(self, outputs: Any) -> None:
        """Average later backward passes through these outputs too, such as one of another loss."""
        me = weakref.ref(self)

        def sink(grad: Tensor) -> None:
            reducer = me()
            if reducer is not None and not reducer._armed:
                reducer.arm(late=True)  # what has run of this pass was not seen

        for y in tree_leaves(outputs):
            if isinstance(y, Tensor) and not y.is_leaf:
                y.register_hook(sink)

    def disarm(self) -> None:
        """Leave gradients as they are."""
        self._armed = False
        self._users: dict[Node, list[tuple[int, _Place]]] = {}
        self._seen: set[Node] = set()
        self._unwatch()

    # --- During the backward pass -----------------------------------------------------------------

    def vjp_begins(self, node: Node, g: Any) -> None:
        """Look at the graph below the first node of a walk, and below another root."""
        if threading.get_ident() != self._thread:
            return
        self._depth += 1
        if self._depth > 1:  # an inner walk
            return
        if node.number >= self._last_number or self._last_number < 0:  # numbers fall in a walk
            self._begin()
        self._last_number = node.number
        if node not in self._seen:
            self._trace(node)

    def vjp_ran(self, node: Node, g: Any, gradients: Sequence[Any]) -> None:
        """Add the contributions of a node to the buckets."""
        if threading.get_ident() != self._thread:
            return
        self._depth -= 1
        if self._depth:
            return
        for i, place in self._users.get(node, ()):
            if gradients[i] is not None:
                self._add(place, gradients[i])

    def _begin(self) -> None:
        self.began = time.perf_counter()
        self._seen, self._users, self._next, self._awaited = set(), {}, 0, 0
        for place in self._places.values():
            place.pending, place.used, place.done = 0, False, False
        for bucket in self.buckets:
            bucket.work, bucket.incomplete = None, len(bucket.views)
            bucket.ready = bucket.started = bucket.ended = 0.0

    def _trace(self, root: Node) -> None:
        """Find the uses of each parameter in the graph below `root`."""
        first = not self._seen
        places, seen, stack = self._places, self._seen, [root]
        while stack:
            node = stack.pop()
            if node in seen or node.op is None:
                continue
            seen.add(node)
            for i, parent in enumerate(node.parents):
                place = places.get(parent)
                if place is not None:
                    self._users.setdefault(node, []).append((i, place))
                    place.pending += 1
                elif parent is not None:
                    stack.append(parent)
        if first and self.find_unused and self._users:
            for place in places.values():
                if not place.pending and not place.done:
                    place.view[...] = 0
                    self._complete(place)

    def _add(self, place: _Place, gradient: Any) -> None:
        if place.bucket.work is not None:
            raise RuntimeError(LATE.format(place.name))
        g: Any = gradient._array if isinstance(gradient, Recorded) else np.asarray(gradient)
        if g.shape != place.view.shape:
            g = ops.sum_to(g, shape=place.view.shape)
        if place.used:
            place.view += g
        else:
            place.view[...] = g
            self._awaited += 1
        place.used = True
        place.pending -= 1
        if not place.pending and not place.late:
            self._complete(place)

    def _complete(self, place: _Place) -> None:
        """The gradient of this pass is known: add that of earlier ones, which were local."""
        before: Any = getattr(place.parameter, "_grad", None)
        if before is not None:
            place.view += before._array
        place.done = True
        place.bucket.incomplete -= 1
        if not place.bucket.incomplete:
            self._launch()

    def _launch(self) -> None:
        """Reduce the next buckets, as far as they are complete."""
        while self._next < len(self.buckets) and not self.buckets[self._next].incomplete:
            bucket = self.buckets[self._next]
            self._next += 1
            bucket.ready = time.perf_counter()
            bucket.work = self._reduce(bucket)

    def _reduce(self, bucket: GradBucket) -> Any:
        if self._hook is not None:
            bucket.begins()
            return self._hook(bucket)
        transport, flat = self.group.transport, bucket.flat

        def call() -> None:
            details = bucket.index(), flat.shape, str(flat.dtype)
            transport.agree("DistributedDataParallel", details)
            transport.arrive("DistributedDataParallel")  # so that `begins` is when all are there
            bucket.begins()
            if self.divisor == transport.size:
                transport.all_reduce(flat, "AVG")
            else:
                transport.all_reduce(flat, "SUM")
                np.divide(flat, flat.dtype.type(self.divisor), out=flat)
            bucket.ends()

        return self.group.run(call, async_op=True)

    # --- At its end ---------------------------------------------------------------------------------

    def leaf(self, name: str, grad: Tensor) -> Tensor | None:
        """The hook of a leaf: returns the array of its average, which is filled before it is used."""
        if not self._armed:
            return None
        place = self._named[name]
        if grad.requires_grad:
            raise NotImplementedError(SECOND_ORDER)
        if not place.used:
            raise RuntimeError(UNSEEN.format(name))
        if place.late:
            place.view[...] = grad._array
            self._complete(place)
        self._awaited -= 1
        if not self._awaited:
            self._finish()
        return wrap(place.view)

    def _finish(self) -> None:
        """Wait for all buckets."""
        self.computed = time.perf_counter()
        places = self._places.values()
        unused = [place for place in places if not place.used]
        if unused and not self.find_unused:
            raise RuntimeError(
                NOT_FINISHED.format(self.group.rank(), ", ".join(place.name for place in unused))
            )
        for place in places:
            if not place.done:  # some uses got no gradient, or all
                if not place.used:
                    place.view[...] = 0
                self._complete(place)
        self._wait()
        if self.find_unused:
            self._share_unused(unused)
        for place in places:
            before: Any = getattr(place.parameter, "_grad", None)
            if place.used and before is not None:  # the average contains it
                before._array[...] = 0
                mark_written(before._array)
        self.disarm()
        self.ended = time.perf_counter()

    def _wait(self) -> None:
        for bucket in self.buckets:
            result = bucket.work.wait()
            if isinstance(result, (list, tuple)):
                result = result[0]
            if isinstance(result, Tensor) and result._array is not bucket.flat:
                bucket.set_buffer(result)
            if not bucket.ended:
                bucket.ends()

    def _share_unused(self, unused: Iterable[_Place]) -> None:
        """Parameters that other ranks have used get the average here too."""
        used = np.array([place.used for place in self._places.values()], np.uint8)
        all_reduce(wrap(used), ReduceOp.MAX, self.group)
        for place, somewhere in zip(self._places.values(), used, strict=True):
            if somewhere and not place.used:
                place.parameter.grad = wrap(place.view.copy())

    def join_in(self) -> None:
        """Take part in the reductions of a backward pass of the other ranks, with zeros."""
        self.disarm()
        self._plan()
        self._begin()
        for bucket in self.buckets:
            bucket.flat[...] = 0
            bucket.incomplete = 0
        self._launch()
        self._wait()
        if self.find_unused:
            used = np.zeros(len(self._places), np.uint8)
            all_reduce(wrap(used), ReduceOp.MAX, self.group)


class _Weak(Observer):
    """Shows a Reducer the walk, and does not keep it alive."""

    def __init__(self, reducer: weakref.ref[Reducer]):
        self._reducer = reducer

    def vjp_begins(self, node: Node, g: Any) -> None:
        """Tell it, if it is there."""
        reducer = self._reducer()
        if reducer is not None:
            reducer.vjp_begins(node, g)

    def vjp_ran(self, node: Node, g: Any, gradients: Sequence[Any]) -> None:
        """Tell it, if it is there."""
        reducer = self._reducer()
        if reducer is not None:
            reducer.vjp_ran(node, g, gradients)


def _leaf_hook(reducer: weakref.ref[Reducer], name: str) -> Callable[[Tensor], Tensor | None]:
    def hook(grad: Tensor) -> Tensor | None:
        found = reducer()
        return None if found is None else found.leaf(name, grad)

    return hook
