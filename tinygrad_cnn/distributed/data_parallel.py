"""DistributedDataParallel: a module that several processes train, each on its part of every batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from ..engine import is_grad_enabled, mark_written
from ..nn.module import Module
from ..tensor import Tensor
from .buckets import CAP_MEGABYTES, FIRST_BYTES, GradBucket
from .groups import ProcessGroup, member, twin
from .join import Uneven
from .objects import all_gather_object
from .reducer import Reducer

__all__ = ["DistributedDataParallel"]

M = TypeVar("M", bound=Module)


class DistributedDataParallel(Module, Generic[M]):
    """Runs `module`; the backward pass averages gradients over the ranks of `process_group`.

    Each rank computes the loss of its own batch, of one size in all ranks. All start from the
    parameters and buffers of rank 0, and have equal gradients after each backward pass, so that equal
    optimizers keep them equal to the last bit. Before each call, buffers such as running means are
    those of rank 0. Averages of gradients that are known travel while the others are computed, in
    buckets of `bucket_cap_mb` megabytes, 25 by default; the first has one.

    `find_unused_parameters` allows parameters that a loss does not depend on, at a price: without it,
    these are a RuntimeError, which names them. `device_ids`, `output_device`, `dim`,
    `gradient_as_bucket_view`, `static_graph` and `check_reduction` have no effect. Keys of the
    `state_dict()` begin with "module.".

    Raises ValueError before `init_process_group`; RuntimeError for a module without parameters that
    require grad, or if the ranks' modules differ.

    >>> import tinygrad_cnn.distributed as dist
    >>> dist.init_process_group()
    >>> net = tc.nn.parallel.DistributedDataParallel(tc.nn.Linear(2, 1))
    >>> net(tc.ones(3, 2)).sum().backward()
    >>> net.module.weight.grad
    tensor([[3., 3.]])
    >>> dist.destroy_process_group()
    """

    module: M

    def __init__(
        self, module: M, device_ids: Sequence[Any] | None = None, output_device: Any = None,
        dim: int = 0, broadcast_buffers: bool | None = None, init_sync: bool = True,
        process_group: Any = None, bucket_cap_mb: float | None = None,
        find_unused_parameters: bool = False, check_reduction: bool = False,
        gradient_as_bucket_view: bool = False, static_graph: bool = False,
    ):  # fmt: skip
        super().__init__()
        self.process_group = member(process_group)
        named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        if not named:
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that "
                "requires a gradient."
            )
        if bucket_cap_mb is not None and bucket_cap_mb <= 0:
            raise ValueError(f"bucket_cap_mb must be positive, got {bucket_cap_mb}")
        self.module = module
        self.broadcast_buffers = broadcast_buffers is None or broadcast_buffers
        self.find_unused_parameters = find_unused_parameters
        self.require_backward_grad_sync = self.require_forward_param_sync = True
        self._uneven: Uneven | None = None
        check_equal(module, self.process_group)
        if init_sync:
            self.send_state(0)
        cap = int((CAP_MEGABYTES if bucket_cap_mb is None else bucket_cap_mb) * (1 << 20))
        self._sizes = (FIRST_BYTES if bucket_cap_mb is None else cap, cap)
        self._make_reducer()

    def _make_reducer(self) -> None:
        named = list(self.module.named_parameters())
        group, unused = twin(self.process_group), self.find_unused_parameters
        self.reducer = Reducer(named, group, *self._sizes, unused)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The result of the module. Its backward pass averages the gradients, except in `no_sync`."""
        if self.process_group.size() == 1:
            return self.module(*inputs, **kwargs)
        averages = is_grad_enabled() and self.require_backward_grad_sync
        if self._uneven is not None:
            self._uneven.another(averages)
        self.send_buffers(0 if self._uneven is None else self._uneven.source)
        self.require_forward_param_sync = averages
        y = self.module(*inputs, **kwargs)
        if averages:
            self.reducer.arm()
            self.reducer.watch_outputs(y)
        elif is_grad_enabled():
            self.reducer.disarm()
        return y

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Let gradients grow in each rank alone. The next backward pass outside averages the sums.

        The call of the module counts, not that of `backward`.
        """
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def register_comm_hook(self, state: Any, hook: Callable[[Any, GradBucket], Any]) -> None:
        """Let `hook(state, bucket)` average gradients: it returns a Future of the flat Tensor.

        `distributed.algorithms.ddp_comm_hooks.default_hooks` has hooks that compress gradients.
        TypeError for a hook that cannot be called.
        """
        if not callable(hook):
            raise TypeError("Communication hook must be callable.")
        self.reducer.set_hook(self.process_group if state is None else state, hook)

    def will_sync_module_buffers(self) -> bool:
        """Whether the next call overwrites the buffers with those of rank 0."""
        return (
            self.require_forward_param_sync
            and self.broadcast_buffers
            and any(True for _ in self.module.buffers())
        )

    @contextmanager
    def join(
        self, divide_by_initial_world_size: bool = True, enable: bool = True,
        throw_on_early_termination: bool = False,
    ) -> Iterator[None]:  # fmt: skip
        """Let ranks have different numbers of batches: who has none left takes part with zeros.

        Gradients are divided by the number of ranks, or by the number of those that still have batches
        if `divide_by_initial_world_size` is False. At the end all have the parameters of a rank that
        had the most batches. With `throw_on_early_termination`, all ranks raise RuntimeError as soon as
        one has no batch left.
        """
        if not enable or self.process_group.size() == 1:
            yield
            return
        self._uneven = Uneven(self, divide_by_initial_world_size, throw_on_early_termination)
        try:
            yield
            self._uneven.finish()
        finally:
            self._uneven = None
            self.reducer.divisor = self.process_group.size()

    def send_buffers(self, source: int) -> None:
        """Overwrite the buffers with those of a rank of the group, if they are to be equal."""
        if self.will_sync_module_buffers():
            _broadcast(list(self.module.buffers()), self.process_group, source)

    def send_state(self, source: int) -> None:
        """Overwrite parameters and buffers with those of a rank of the group."""
        tensors = [*self.module.parameters(), *self.module.buffers()]
        _broadcast(tensors, self.process_group, source)

    def __getstate__(self) -> dict[str, Any]:
        left = ("process_group", "reducer", "_uneven")
        return {name: value for name, value in vars(self).items() if name not in left}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy, in the default group: all ranks make copies together."""
        vars(self).update(state)
        self.process_group, self._uneven = member(), None
        self._make_reducer()


def check_equal(module: Module, group: ProcessGroup) -> None:
    """RuntimeError if the parameters of the ranks differ in number, name, shape or dtype."""
    if group.size() == 1:
        return
    mine = [(n, tuple(p.shape), str(p.dtype)) for n, p in module.named_parameters()]
    all_of_them: list[Any] = [None] * group.size()
    all_gather_object(all_of_them, mine, group)
    first = all_of_them[0]
    for rank, other in enumerate(all_of_them):
        if len(other) != len(first):
            raise RuntimeError(
                f"DDP expects same model across all ranks, but Rank 0 has {len(first)} params, while "
                f"rank {rank} has inconsistent {len(other)} params."
            )
        for ours, theirs in zip(first, other, strict=True):
            if ours != theirs:
                raise RuntimeError(
                    f"DDP expects same model across all ranks: parameter {ours} of rank 0 is {theirs} on "
                    f"rank {rank}"
                )


def _broadcast(tensors: list[Tensor], group: ProcessGroup, source: int) -> None:
    """Overwrite all with those of a rank: in one message for each dtype."""
    arrays = [t._array for t in tensors if t._array.size]
    for dtype in dict.fromkeys(x.dtype for x in arrays):
        some = [x for x in arrays if x.dtype == dtype]
        flat = np.concatenate([x.reshape(-1) for x in some])

        def call(flat: Any = flat) -> None:
            group.transport.agree("DistributedDataParallel", (flat.shape, str(flat.dtype), source))
            group.transport.broadcast(flat, source)

        group.run(call)
        if group.rank() != source:
            start = 0
            for x in some:
                x[...] = flat[start : start + x.size].reshape(x.shape)
                mark_written(x)
                start += x.size


if not TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    _not_here(globals())
