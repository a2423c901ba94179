"""Collectives of Tensors. The results are written into Tensors in place, whatever their layout."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ..engine import mark_written
from ..engine.dtypes import FLOATING
from ..tensor import Tensor
from .groups import ProcessGroup, member
from .work import Work

__all__ = [
    "ReduceOp", "all_gather", "all_gather_into_tensor", "all_reduce", "barrier", "broadcast", "gather",
    "reduce", "reduce_scatter", "reduce_scatter_tensor", "scatter",
]  # fmt: skip

Array: TypeAlias = np.ndarray[Any, Any]


class ReduceOp(Enum):
    """How `all_reduce` and the like join the Tensors of the ranks."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = range(8)


# --- Arguments ------------------------------------------------------------------------------------


def array(name: str, parameter: str, tensor: Any) -> Array:
    """The array of an argument. TypeError unless it is a Tensor."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"{name}: Invalid function argument. Expected parameter `{parameter}` of type torch.Tensor "
            f"but got {type(tensor)} instead."
        )
    return tensor._array


def _arrays(name: str, parameter: str, tensors: Any, like: Any, count: int) -> list[Array]:
    """The arrays of a list of `count` Tensors, of the shape and dtype of `like`."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{name}: {parameter} must be a list of Tensors, got {type(tensors).__name__}"
        )
    found = [array(name, f"{parameter}[{i}]", t) for i, t in enumerate(tensors)]
    if len(found) != count:
        raise RuntimeError(f"{name}: {parameter} has {len(found)} Tensors, the group {count} ranks")
    for i, x in enumerate(found):
        if x.shape != like.shape or x.dtype != like.dtype:
            raise RuntimeError(
                f"{name}: invalid tensor at index {i} of {parameter}: shape {x.shape}, {x.dtype}, where "
                f"the other Tensor has {like.shape}, {like.dtype}"
            )
    return found


def _stacked(name: str, whole: Array, part: Array, count: int, names: tuple[str, str]) -> None:
    """RuntimeError unless `whole` is `count` times as large as `part`, along axis 0 or a new one."""
    fits = whole.shape == (count, *part.shape) or (
        part.ndim > 0 and whole.shape == (count * part.shape[0], *part.shape[1:])
    )
    if not (fits or (part.ndim == 0 and whole.shape == (count,))) or whole.dtype != part.dtype:
        raise RuntimeError(
            f"{name}: {names[0]} must hold {count} of {names[1]}, got {whole.shape}, {whole.dtype}, and "
            f"{part.shape}, {part.dtype}"
        )


def _root(
    name: str, group: ProcessGroup, rank: int | None, in_group: int | None, what: str,
    default: int | None = None,
) -> int:  # fmt: skip
    """The rank in the group of the source or destination, given by its rank in the job or the group.

    Without both it is `default`, or there is a ValueError.
    """
    if rank is in_group is None:
        in_group = default
    if (rank is None) == (in_group is None):
        given = "both are given" if rank is not None else "none is given"
        raise ValueError(f"{name}: wanted either {what} or group_{what}, {given}")
    if in_group is None:
        found = group.local(rank, name)  # type: ignore[arg-type]
    elif 0 <= in_group < group.size():
        found = in_group
    else:
        raise ValueError(f"{name}: group_{what} {in_group} is not a rank of {group.size()}")
    return found


def _op(name: str, op: Any, x: Array) -> str:
    """The name of a reduction. TypeError for something else, RuntimeError for a wrong dtype."""
    if not isinstance(op, ReduceOp):
        raise TypeError(f"{name}: op must be a ReduceOp, got {type(op).__name__}")
    floating = x.dtype.kind in FLOATING
    if (op is ReduceOp.AVG and not floating) or (op.name[0] == "B" and x.dtype.kind not in "iu"):
        raise RuntimeError(f"{name}: {op.name} does not support {x.dtype}")
    return op.name


def _reduced(x: Array, op: str, reduce: Callable[[Array, str], None]) -> None:
    """Reduce x in place; booleans as numbers 0 and 1, as MPI has no sum of them."""
    if x.dtype == bool:
        x, op = x.view(np.uint8), {"SUM": "BOR", "PRODUCT": "BAND"}.get(op, op)
    reduce(x, op)


def _in_place(x: Array, function: Callable[[Array], None]) -> None:
    """Call `function` with x, or with a contiguous copy that is written back."""
    if x.flags.c_contiguous and x.flags.writeable:
        function(x)
    else:
        copy = np.array(x, order="C")
        function(copy)
        x[...] = copy
    mark_written(x)


def _write(out: Array, value: Array) -> None:
    out[...] = value.reshape(out.shape)
    mark_written(out)


def _gathered(found: ProcessGroup, x: Array) -> Array:
    """x of all ranks, stacked."""
    whole = np.empty((found.size(), *x.shape), x.dtype)
    found.transport.all_gather(np.ascontiguousarray(x), whole)
    return whole


def _run(
    found: ProcessGroup, name: str, x: Array, more: Any, function: Callable[[], None],
    async_op: bool, results: Any,
) -> Work | None:  # fmt: skip
    """Make a call, now or in the background. In debug mode, all ranks must agree on it."""

    def call() -> None:
        found.transport.agree(name, (x.shape, str(x.dtype), *more))
        function()

    return found.run(call, async_op, results)


# --- Collectives ----------------------------------------------------------------------------------


def barrier(
    group: Any = None, async_op: bool = False, device_ids: Any = None, timeout: timedelta | None = None
) -> Work | None:  # fmt: skip
    """Wait until all ranks of the group have called it."""
    found = member(group)
    return _run(
        found, "barrier", np.empty(0), (), partial(found.transport.arrive, "barrier"), async_op, []
    )


def broadcast(
    tensor: Tensor, src: int | None = None, group: Any = None, async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:  # fmt: skip
    """Overwrite `tensor` with that of rank `src`, in all ranks."""
    found, x = member(group), array("broadcast", "tensor", tensor)
    root = _root("broadcast", found, src, group_src, "src")
    call = partial(_in_place, x, partial(found.transport.broadcast, root=root))
    return _run(found, "broadcast", x, (root,), call, async_op, [tensor])


def all_reduce(
    tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """Overwrite `tensor` with the sum over all ranks, or another reduction, in all ranks.

    All ranks get the same bits. AVG divides the sum by the number of ranks. float16 and bfloat16 are
    added in float32, and rounded once.

    >>> import tinygrad_cnn.distributed as dist
    >>> dist.init_process_group()
    >>> x = tc.tensor([1.0, 2.0])
    >>> dist.all_reduce(x)
    >>> x
    tensor([1., 2.])
    >>> dist.destroy_process_group()
    """
    found, x = member(group), array("all_reduce", "tensor", tensor)
    name = _op("all_reduce", op, x)
    call = partial(_in_place, x, partial(_reduced, op=name, reduce=found.transport.all_reduce))
    return _run(found, "all_reduce", x, (name,), call, async_op, [tensor])


def reduce(
    tensor: Tensor, dst: int | None = None, op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False, group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Overwrite `tensor` of rank `dst` with the sum over all ranks, or another reduction."""
    found, x = member(group), array("reduce", "tensor", tensor)
    name, root = _op("reduce", op, x), _root("reduce", found, dst, group_dst, "dst")
    y = x if root == found.rank() else x.copy()  # elsewhere x stays
    call = partial(_in_place, y, partial(_reduced, op=name, reduce=found.transport.all_reduce))
    return _run(found, "reduce", x, (name, root), call, async_op, [tensor])


def all_gather(
    tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Write `tensor` of rank r into tensor_list[r], in all ranks."""
    found, x = member(group), array("all_gather", "tensor", tensor)
    outs = _arrays("all_gather", "tensor_list", tensor_list, x, found.size())

    def call() -> None:
        for out, y in zip(outs, _gathered(found, x), strict=True):
            _write(out, y)

    return _run(found, "all_gather", x, (), call, async_op, tensor_list)


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Write `input_tensor` of all ranks into `output_tensor`: one after the other on axis 0, or stacked."""
    name, found = "all_gather_into_tensor", member(group)
    out, x = array(name, "output_tensor", output_tensor), array(name, "input_tensor", input_tensor)
    _stacked(name, out, x, found.size(), ("output_tensor", "input_tensor"))
    return _run(
        found, name, x, (), lambda: _write(out, _gathered(found, x)), async_op, [output_tensor]
    )


def _reduce_scatter(
    name: str, found: ProcessGroup, out: Array, whole: Array, op: Any, async_op: bool, output: Tensor
) -> Work | None:  # fmt: skip
    op_name = _op(name, op, out)

    def call() -> None:
        parts = np.array(whole, order="C").reshape(found.size(), *out.shape)
        _reduced(parts, op_name, found.transport.all_reduce)
        _write(out, parts[found.rank()])

    return _run(found, name, out, (op_name,), call, async_op, [output])


def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False,
) -> Work | None:  # fmt: skip
    """Reduce `input` over the ranks, and write part r of it into `output` of rank r."""
    name, found = "reduce_scatter_tensor", member(group)
    out, x = array(name, "output", output), array(name, "input", input)
    _stacked(name, x, out, found.size(), ("input", "output"))
    return _reduce_scatter(name, found, out, x, op, async_op, output)


def reduce_scatter(
    output: Tensor, input_list: list[Tensor], op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False,
) -> Work | None:  # fmt: skip
    """Reduce input_list[r] over the ranks into `output` of rank r."""
    name, found = "reduce_scatter", member(group)
    out = array(name, "output", output)
    xs = _arrays(name, "input_list", input_list, out, found.size())
    return _reduce_scatter(name, found, out, np.stack(xs), op, async_op, output)


def _list_of_root(
    name: str, found: ProcessGroup, root: int, what: str, given: Any, like: Array
) -> list[Array] | None:  # fmt: skip
    """The arrays of a list that one rank gives. ValueError if it does not, or if another does."""
    side = {"scatter_list": "source", "gather_list": "destination"}[what]
    if root == found.rank():
        if not given:
            raise ValueError(f"Argument ``{what}`` must be specified on {side} rank.")
        return _arrays(name, what, given, like, found.size())
    if given:
        raise ValueError(f"Argument ``{what}`` must NOT be specified on non-{side} ranks.")
    return None


def scatter(
    tensor: Tensor, scatter_list: list[Tensor] | None = None, src: int | None = None,
    group: Any = None, async_op: bool = False, group_src: int | None = None,
) -> Work | None:  # fmt: skip
    """Write scatter_list[r] of rank `src` into `tensor` of rank r. Without a rank, `src` is 0."""
    found, out = member(group), array("scatter", "tensor", tensor)
    root = _root("scatter", found, src, group_src, "src", default=0)
    xs = _list_of_root("scatter", found, root, "scatter_list", scatter_list, out)

    def call() -> None:
        whole = np.empty((found.size(), *out.shape), out.dtype) if xs is None else np.stack(xs)
        found.transport.broadcast(whole, root)
        _write(out, whole[found.rank()])

    return _run(found, "scatter", out, (root,), call, async_op, [tensor])


def gather(
    tensor: Tensor, gather_list: list[Tensor] | None = None, dst: int | None = None,
    group: Any = None, async_op: bool = False, group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Write `tensor` of rank r into gather_list[r] of rank `dst`. Without a rank, `dst` is 0."""
    found, x = member(group), array("gather", "tensor", tensor)
    root = _root("gather", found, dst, group_dst, "dst", default=0)
    outs = _list_of_root("gather", found, root, "gather_list", gather_list, x)

    def call() -> None:
        for out, y in zip(outs or [], _gathered(found, x), strict=False):
            _write(out, y)

    return _run(found, "gather", x, (root,), call, async_op, gather_list)
