"""Nested dicts, lists and tuples of values: their leaves, and how to put them together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..tensor import Tensor


def leaves(tree: Any) -> list[Any]:
    """The values of a nested dict, list or tuple that are neither of these, in order."""
    if isinstance(tree, dict):
        return [leaf for key in tree for leaf in leaves(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


def rebuilt(tree: Any, values: Iterator[Any]) -> Any:
    """The same tree with other leaves, which are taken from `values` in order."""
    if isinstance(tree, dict):
        pairs = [(key, rebuilt(part, values)) for key, part in tree.items()]
        return dict(pairs) if type(tree) is dict else type(tree)(pairs)
    if isinstance(tree, (list, tuple)):
        parts = [rebuilt(part, values) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return next(values)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `function(leaf)` for each leaf."""
    return rebuilt(tree, iter([function(leaf) for leaf in leaves(tree)]))


def tensors_only(tree: Any, message: str, error: type[Exception] = ValueError) -> list[Any]:
    """The leaves of a tree of Tensors. `error` with `message` and the type of any other leaf."""
    found = leaves(tree)
    for leaf in found:
        if not isinstance(leaf, Tensor):
            raise error(f"{message}, got {type(leaf)}")
    return found
