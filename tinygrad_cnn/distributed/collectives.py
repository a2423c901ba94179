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


def _root(name: str, group: ProcessGroup, rank: int | None, in_group: int | None, what: str) -> int:
    """The rank in the group of the source or destination, given by its rank in the job or the group."""
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


def _details(x: Array, *more: Any) -> tuple[Any, ...]:
    return (x.shape, str(x.dtype), *more)


# --- Collectives ----------------------------------------------------------------------------------


def barrier(
    group: Any = None,
    async_op: bool = False,
    device_ids: Any = None,
    timeout: timedelta | None = None,
) -> Work | None:
    """Wait until all ranks of the group have called it."""
    found = member(group)
    return found.run(partial(found.transport.arrive, "barrier"), async_op)


def broadcast(
    tensor: Tensor, src: int | None = None, group: Any = None, async_op: bool = False,
    group_src: int | None = None,
) -> Work | None:  # fmt: skip
    """Overwrite `tensor` with that of rank `src`, in all ranks."""
    found, x = member(group), array("broadcast", "tensor", tensor)
    root = _root("broadcast", found, src, group_src, "src")

    def call() -> None:
        found.transport.arrive("broadcast", _details(x, root))
        _in_place(x, lambda y: found.transport.broadcast(y, root))

    return found.run(call, async_op, [tensor])


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

    def call() -> None:
        found.transport.arrive("all_reduce", _details(x, name))
        reduce = found.transport.all_reduce
        _in_place(x, lambda y: _reduced(y, name, reduce))

    return found.run(call, async_op, [tensor])


def reduce(
    tensor: Tensor, dst: int | None = None, op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False, group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Overwrite `tensor` of rank `dst` with the sum over all ranks, or another reduction."""
    found, x = member(group), array("reduce", "tensor", tensor)
    name, root = _op("reduce", op, x), _root("reduce", found, dst, group_dst, "dst")

    def call() -> None:
        found.transport.arrive("reduce", _details(x, name, root))
        y = x if root == found.rank() else x.copy()  # elsewhere x stays
        one = lambda z, op: found.transport.reduce(z, op, root)  # noqa: E731
        _in_place(y, lambda z: _reduced(z, name, one))

    return found.run(call, async_op, [tensor])


def all_gather(
    tensor_list: list[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Write `tensor` of rank r into tensor_list[r], in all ranks."""
    found, x = member(group), array("all_gather", "tensor", tensor)
    outs = _arrays("all_gather", "tensor_list", tensor_list, x, found.size())

    def call() -> None:
        found.transport.arrive("all_gather", _details(x))
        whole = np.empty((found.size(), *x.shape), x.dtype)
        found.transport.all_gather(np.ascontiguousarray(x), whole)
        for out, y in zip(outs, whole, strict=True):
            out[...] = y
            mark_written(out)

    return found.run(call, async_op, tensor_list)


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """Write `input_tensor` of all ranks into `output_tensor`: one after the other on axis 0, or stacked."""
    name, found = "all_gather_into_tensor", member(group)
    out, x = array(name, "output_tensor", output_tensor), array(name, "input_tensor", input_tensor)
    _stacked(name, out, x, found.size(), ("output_tensor", "input_tensor"))

    def call() -> None:
        found.transport.arrive(name, _details(x))
        given = np.ascontiguousarray(x)
        _in_place(
            out, lambda y: found.transport.all_gather(given, y.reshape(found.size(), *x.shape))
        )

    return found.run(call, async_op, [output_tensor])


def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False,
) -> Work | None:  # fmt: skip
    """Reduce `input` over the ranks, and write part r of it into `output` of rank r."""
    name, found = "reduce_scatter_tensor", member(group)
    out, x = array(name, "output", output), array(name, "input", input)
    _stacked(name, x, out, found.size(), ("input", "output"))
    return found.run(
        lambda: _reduce_scatter(found, name, out, x, _op(name, op, x)), async_op, [output]
    )


def reduce_scatter(
    output: Tensor, input_list: list[Tensor], op: ReduceOp = ReduceOp.SUM, group: Any = None,
    async_op: bool = False,
) -> Work | None:  # fmt: skip
    """Reduce input_list[r] over the ranks into `output` of rank r."""
    name, found = "reduce_scatter", member(group)
    out = array(name, "output", output)
    xs = _arrays(name, "input_list", input_list, out, found.size())
    op_name = _op(name, op, out)
    return found.run(
        lambda: _reduce_scatter(found, name, out, np.stack(xs), op_name), async_op, [output]
    )


def _reduce_scatter(found: ProcessGroup, name: str, out: Array, x: Array, op: str) -> None:
    found.transport.arrive(name, _details(out, op))
    whole = np.array(x, order="C").reshape(found.size(), *out.shape)
    _reduced(whole, op, found.transport.all_reduce)
    out[...] = whole[found.rank()]
    mark_written(out)


def scatter(
    tensor: Tensor, scatter_list: list[Tensor] | None = None, src: int | None = None,
    group: Any = None, async_op: bool = False, group_src: int | None = None,
) -> Work | None:  # fmt: skip
    """Write scatter_list[r] of rank `src` into `tensor` of rank r. Without a rank, `src` is 0."""
    found, out = member(group), array("scatter", "tensor", tensor)
    src = found.ranks[0] if src is group_src is None else src
    root = _root("scatter", found, src, group_src, "src")
    xs = None
    if root == found.rank():
        if not scatter_list:
            raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
        xs = _arrays("scatter", "scatter_list", scatter_list, out, found.size())
    elif scatter_list:
        raise ValueError("Argument ``scatter_list`` must NOT be specified on non-source ranks.")

    def call() -> None:
        found.transport.arrive("scatter", _details(out, root))
        whole = None if xs is None else np.stack(xs)
        _in_place(out, lambda y: found.transport.scatter(whole, y, root))

    return found.run(call, async_op, [tensor])


def gather(
    tensor: Tensor, gather_list: list[Tensor] | None = None, dst: int | None = None,
    group: Any = None, async_op: bool = False, group_dst: int | None = None,
) -> Work | None:  # fmt: skip
    """Write `tensor` of rank r into gather_list[r] of rank `dst`. Without a rank, `dst` is 0."""
    found, x = member(group), array("gather", "tensor", tensor)
    dst = found.ranks[0] if dst is group_dst is None else dst
    root = _root("gather", found, dst, group_dst, "dst")
    outs = None
    if root == found.rank():
        if not gather_list:
            raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
        outs = _arrays("gather", "gather_list", gather_list, x, found.size())
    elif gather_list:
        raise ValueError("Argument ``gather_list`` must NOT be specified on non-destination ranks.")

    def call() -> None:
        found.transport.arrive("gather", _details(x, root))
        whole = None if outs is None else np.empty((found.size(), *x.shape), x.dtype)
        found.transport.gather(np.ascontiguousarray(x), whole, root)
        for out, y in zip(outs or (), () if whole is None else whole, strict=True):
            out[...] = y
            mark_written(out)

    return found.run(call, async_op, gather_list)
