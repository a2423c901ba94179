"""`torch.utils._pytree`: nested containers as a list of leaves and a description of the rest."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class _Kind(NamedTuple):
    """How a class of containers is taken apart, into children and a context, and made again."""

    flatten: Callable[[Any], tuple[list[Any], Any]]
    unflatten: Callable[[Any, Any], Any]


def _keyed(make: Callable[..., Any]) -> _Kind:
    return _Kind(
        lambda d: (list(d.values()), list(d)),
        lambda values, keys: make(zip(keys, values, strict=True)),
    )


_KINDS: dict[type, _Kind] = {
    list: _Kind(lambda x: (list(x), None), lambda values, _: list(values)),
    tuple: _Kind(lambda x: (list(x), None), lambda values, _: tuple(values)),
    dict: _keyed(dict),
    OrderedDict: _keyed(OrderedDict),
    defaultdict: _Kind(
        lambda d: (list(d.values()), [d.default_factory, list(d)]),
        lambda values, own: defaultdict(own[0], zip(own[1], values, strict=True)),
    ),
    deque: _Kind(lambda x: (list(x), x.maxlen), deque),
}
_NAMED = _Kind(lambda x: (list(x), type(x)), lambda values, cls: cls(*values))


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[list[Any], Any]],
    unflatten_fn: Callable[[Any, Any], Any],
    **names: Any,
) -> None:
    """Make `cls` a container: how to take it apart into children and context, and to make it again.

    ValueError if it is one already.
    """
    if cls in _KINDS:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _KINDS[cls] = _Kind(flatten_fn, unflatten_fn)


def _kind(tree: Any) -> tuple[Any, _Kind | None]:
    cls = type(tree)
    if cls not in _KINDS and isinstance(tree, tuple) and hasattr(cls, "_fields"):
        return NamedTuple, _NAMED
    return cls, _KINDS.get(cls)


class TreeSpec:
    """A tree without its leaves: the class of the container, its context, and the children's specs."""

    def __init__(self, type: Any, context: Any, children_specs: list[TreeSpec]):
        self.type, self.context, self.children_specs = type, context, children_specs
        leaf = type is None
        self.num_leaves: int = 1 if leaf else sum(c.num_leaves for c in children_specs)
        self.num_children = len(children_specs)

    def is_leaf(self) -> bool:
        """Whether it is a leaf."""
        return self.type is None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.type, self.num_leaves, self.num_children))

    def __repr__(self) -> str:
        name = getattr(self.type, "__name__", self.type)
        return "*" if self.is_leaf() else f"TreeSpec({name}, {self.context}, {self.children_specs})"


def LeafSpec() -> TreeSpec:
    """The spec of a leaf."""
    return TreeSpec(None, None, [])


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The leaves of nested containers, and their spec. `is_leaf` stops at more values.

    >>> tc.utils._pytree.tree_flatten({"a": 1, "b": [2, 3]})[0]
    [1, 2, 3]
    """
    leaves: list[Any] = []
    return leaves, _spec(tree, is_leaf, leaves)


def _spec(tree: Any, is_leaf: Callable[[Any], bool] | None, leaves: list[Any]) -> TreeSpec:
    cls, kind = _kind(tree)
    if kind is None or (is_leaf is not None and is_leaf(tree)):
        leaves.append(tree)
        return LeafSpec()
    children, context = kind.flatten(tree)
    return TreeSpec(cls, context, [_spec(child, is_leaf, leaves) for child in children])


def tree_unflatten(leaves: Any, treespec: TreeSpec) -> Any:
    """The tree of a spec, with these leaves. ValueError for another number of them."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec "
            f"refers to a pytree that holds {treespec.num_leaves} items ({treespec})."
        )
    return _built(iter(leaves), treespec)


def _built(leaves: Iterator[Any], spec: TreeSpec) -> Any:
    if spec.is_leaf():
        return next(leaves)
    kind = _NAMED if spec.type is NamedTuple else _KINDS[spec.type]
    return kind.unflatten([_built(leaves, child) for child in spec.children_specs], spec.context)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves."""
    return list(tree_flatten(tree, is_leaf)[0])


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec:
    """The spec."""
    spec: TreeSpec = tree_flatten(tree, is_leaf)[1]
    return spec


def tree_map(
    func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """The tree with `func` of each leaf, and of the parts of `rests` at its place.

    >>> tc.utils._pytree.tree_map(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]})
    {'x': [11, 22]}
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [_parts(spec, rest) for rest in rests]
    return tree_unflatten([func(*xs) for xs in zip(leaves, *others, strict=True)], spec)


def _parts(spec: TreeSpec, tree: Any) -> list[Any]:
    """The parts of `tree` at the places of the leaves of `spec`. ValueError if it has no such place."""
    if spec.is_leaf():
        return [tree]
    cls, kind = _kind(tree)
    children, context = ([], []) if kind is None else kind.flatten(tree)
    if cls is not spec.type:
        raise ValueError(f"Node type mismatch; expected {spec.type}, but got {cls}.")
    if len(children) != spec.num_children:
        raise ValueError(f"Node arity mismatch; expected {spec.num_children}, got {len(children)}.")
    if spec.type in (dict, OrderedDict) and set(context) == set(spec.context):
        children = [tree[key] for key in spec.context]
    elif context != spec.context:
        raise ValueError(f"Node context mismatch; expected {spec.context}, but got {context}.")
    pairs = zip(spec.children_specs, children, strict=True)
    return [part for own, child in pairs for part in _parts(own, child)]


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, **options: Any) -> Any:
    """Call `func` on each leaf, and return the tree as it was."""
    tree_map(func, tree, *rests, **options)
    return tree


def tree_map_only(type_or_types_or_pred: Any, func: Any, tree: Any, **options: Any) -> Any:
    """The tree with `func` of the leaves of a type, or of those that a function selects."""
    kinds = type_or_types_or_pred
    if isinstance(kinds, (type, tuple)):
        return tree_map(lambda x: func(x) if isinstance(x, kinds) else x, tree, **options)
    return tree_map(lambda x: func(x) if kinds(x) else x, tree, **options)
