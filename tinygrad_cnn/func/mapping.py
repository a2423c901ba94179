"""vmap: a function of one sample as a function of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import functions
from ..random import get_rng_state, set_rng_state
from ..tensor import Tensor
from ..utils.pytree import tree_leaves, tree_structure, tree_unflatten

__all__ = ["vmap"]


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that calls `func` for each sample along an axis, and stacks the results.

    `in_dims` says which axis of the arguments holds the samples: one for all of them, or a tuple with
    one for each, or nested as they are; None passes an argument whole. `out_dims` is the axis of the
    samples in the results. It calls `func` once a sample, with views: it saves no time. Draws are
    different for each sample with `randomness="different"`, equal with "same", and a RuntimeError by
    default. `chunk_size` has no effect. ValueError for sizes that differ and for other results.

    >>> dot = tc.func.vmap(tc.dot)
    >>> dot(tc.tensor([[1.0, 2.0], [3.0, 4.0]]), tc.ones(2, 2))
    tensor([3., 7.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )
    name = getattr(func, "__name__", repr(func))

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        values = tree_leaves(args)
        axes = _axes(name, in_dims, args)
        size = _size(name, values, axes)
        start, results = get_rng_state(), []
        for k in range(size):
            if randomness == "same":
                set_rng_state(start)
            own = [
                x if axis is None else functions.select(x, axis, k)
                for x, axis in zip(values, axes, strict=True)
            ]
            results.append(func(*tree_unflatten(own, tree_structure(args)), **kwargs))
        if randomness == "error" and (get_rng_state() != start).any():
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the "
                "'same' or 'different' randomness flags on vmap or perform the randomness operation "
                "out of vmap"
            )
        return _stacked(name, results, out_dims)

    return wrapper


def _axes(name: str, in_dims: Any, args: Any) -> list[Any]:
    """The axis of the samples for each leaf of the arguments, from 0; None for whole ones."""
    found: list[Any] = []

    def visit(dims: Any, tree: Any) -> None:
        if dims is None or isinstance(dims, int):
            for leaf in tree_leaves(tree):
                if dims is not None and not isinstance(leaf, Tensor):
                    raise ValueError(
                        f"vmap({name}, in_dims={in_dims})(<inputs>): Got in_dim={dims} for an input "
                        f"but the input is of type {type(leaf)}. We cannot vmap over non-Tensor "
                        "arguments, please use None as the respective in_dim"
                    )
                if dims is not None and not -leaf.ndim <= dims < leaf.ndim:
                    raise ValueError(
                        f"vmap({name}, in_dims={in_dims})(<inputs>): Got in_dim={dims} for some "
                        f"input, but that input is a Tensor of dimensionality {leaf.ndim}"
                    )
                found.append(None if dims is None else dims % leaf.ndim)
            return
        same = isinstance(tree, (dict, list, tuple)) and len(tree) == len(dims)
        if not same or (isinstance(dims, dict) and dims.keys() != tree.keys()):
            raise ValueError(
                f"vmap({name}, in_dims={in_dims})(<inputs>): in_dims is not compatible with the "
                "structure of inputs"
            )
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            visit(dims[key], tree[key])

    if not isinstance(in_dims, (int, list, tuple)):
        raise ValueError(
            f"vmap({name}, in_dims={in_dims})(<inputs>): expected `in_dims` to be int or a (potentially "
            f"nested) tuple matching the structure of inputs, got: {type(in_dims)}"
        )
    visit(in_dims, args)
    return found


def _size(name: str, values: list[Any], axes: list[Any]) -> int:
    sizes = [x.shape[a] for x, a in zip(values, axes, strict=True) if a is not None]
    if not sizes:
        raise ValueError(f"vmap({name}): at least one input must have an axis of samples")
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    if not sizes[0]:
        raise ValueError(f"vmap({name}): the mapped dimension has size 0, and needs a sample")
    return sizes[0]


def _stacked(name: str, results: list[Any], out_dims: Any) -> Any:
    """The results of all samples as one, whose leaves are stacked."""
    columns = list(zip(*map(tree_leaves, results), strict=True))
    outputs = len(columns)
    dims = list(out_dims) if isinstance(out_dims, (tuple, list)) else [out_dims] * outputs
    if len(dims) != outputs:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims}): got {outputs} outputs and {len(dims)} out_dims"
        )
    found = []
    for column, dim in zip(columns, dims, strict=True):
        for y in column:
            if not isinstance(y, Tensor):
                raise ValueError(
                    f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(y)}. Did "
                    "you mean to set out_dims= to None for output?"
                )
        found.append(column[0] if dim is None else functions.stack(list(column), dim))
    return tree_unflatten(found, tree_structure(results[0]))
