"""Scopes: the call of a module that an op ran in.

A scope is a tuple of (path, call), the outermost module first: (("layer1", 1), ("layer1.0", 1)).
`trace` observes the calls. For a graph that was recorded unobserved, `inferred` deduces them from
the parameters: an op that uses `layer1.0.conv1.weight` ran in layer1.0.conv1, and an op between two
ops of one module ran in that module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from .graph import Cluster

Scope = tuple[tuple[str, int], ...]


def owner(parameters: Sequence[str]) -> str:
    """The path of the innermost module that holds all of these parameters; "" for the model itself.

    >>> owner(["fc.weight", "fc.bias"]), owner(["block.a.weight", "block.b.bias"])
    ('fc', 'block')
    """
    paths = [name.split(".")[:-1] for name in parameters]
    common = paths[0]
    for path in paths[1:]:
        n = next((k for k, (a, b) in enumerate(zip(common, path, strict=False)) if a != b), None)
        common = common[: min(len(common), len(path)) if n is None else n]
    return ".".join(common)


def inferred(
    uses: Sequence[Sequence[str]], kinds: Mapping[str, str], names: Sequence[str] = ()
) -> list[Scope]:
    """The scope of each op, in execution order.

    Args:
        uses: for each op, the names of its parameters.
        kinds: the class name of each module, by path. A Sequential runs no op itself, so an op
            between two of its children belongs to a child between them, or to the end of the first.
        names: the name of each op. Modules of one class end with the same ops.

    A module whose parameter is used a second time was called a second time, unless others of its
    parameters still wait for their first use: then a module in it was.

    >>> inferred([["a.weight"], [], ["b.weight"]], {"": "Net", "a": "Linear", "b": "Linear"})
    [(('a', 1),), (), (('b', 1),)]
    """
    known: dict[int, Scope] = {}
    called: dict[str, int] = {}
    used: dict[str, set[str]] = {}
    whole: dict[str, set[str]] = {}  # the parameters that are used in each module
    for parameters in uses:
        path = ""
        for part in owner(parameters).split(".") if parameters else ():
            path = f"{path}.{part}" if path else part
            whole.setdefault(path, set()).update(parameters)
    for at, parameters in enumerate(uses):
        if not parameters:
            continue
        path = ""
        calls: list[tuple[str, int]] = []
        for part in owner(parameters).split("."):
            if not part:
                break
            path = f"{path}.{part}" if path else part
            seen = used.setdefault(path, set())
            if not seen.isdisjoint(parameters) and seen == whole[path]:
                called[path] = called.get(path, 1) + 1
                seen.clear()
            seen.update(parameters)
            calls.append((path, called.get(path, 1)))
        known[at] = tuple(calls)
    scopes: list[Scope] = [()] * len(uses)
    places = sorted(known)
    for at in places:
        scopes[at] = known[at]
    for before, after in pairwise(places):
        gap = range(before + 1, after)
        if gap:
            for at, scope in zip(gap, _between(known[before], known[after], len(gap), kinds),
                                 strict=True):  # fmt: skip
                scopes[at] = scope
    _same_ends(scopes, known, kinds, names)
    return scopes


def _same_ends(
    scopes: list[Scope], known: Mapping[int, Scope], kinds: Mapping[str, str], names: Sequence[str]
) -> None:
    """Give each module the ops after its last parameter that another of its class ends with.

    That other module is one whose end was certain: it was followed by a sibling in a Sequential.
    """
    last: dict[tuple[str, int], int] = {}  # the last op of each call that uses a parameter
    for at, scope in known.items():
        for call in scope:
            last[call] = at
    ends: dict[str, list[str]] = {}
    for call, at in last.items():
        stop = at + 1
        while stop < len(scopes) and stop not in known and call in scopes[stop]:
            stop += 1
        if stop > at + 1 and kinds.get(call[0]) not in (None, "Sequential"):
            ends.setdefault(kinds[call[0]], list(names[at + 1 : stop]))
    for call, at in last.items():
        end = ends.get(kinds.get(call[0], ""), [])
        places = range(at + 1, at + 1 + len(end))
        free = all(p < len(scopes) and p not in known and call not in scopes[p] for p in places)
        if end and free and list(names[at + 1 : at + 1 + len(end)]) == end:
            whole = known[at]
            for p in places:
                scopes[p] = whole[: whole.index(call) + 1]


def _between(before: Scope, after: Scope, n: int, kinds: Mapping[str, str]) -> list[Scope]:
    """The scopes of the `n` ops between two ops whose scopes are known."""
    depth = 0
    while depth < min(len(before), len(after)) and before[depth] == after[depth]:
        depth += 1
    common = before[:depth]
    around = common[-1][0] if common else ""
    if kinds.get(around) != "Sequential" or depth == len(before) or depth == len(after):
        return [common] * n
    prefix = f"{around}." if around else ""
    children = [path for path in kinds if path.startswith(prefix) and path != around
                and "." not in path[len(prefix):]]  # fmt: skip
    first, last = before[depth][0], after[depth][0]
    if first not in children or last not in children:
        return [common] * n
    inner = children[children.index(first) + 1 : children.index(last)]
    if not inner:
        return [before[: depth + 1]] * n
    if len(inner) == n:
        return [(*common, (child, 1)) for child in inner]
    return [common] * n


def key(scope: Scope) -> str | None:
    """The path of the innermost cluster of a scope; None outside of all modules.

    >>> key((("block", 1),)), key((("block", 2), ("block.conv", 2)))
    ('block', 'block.conv (2)')
    """
    if not scope:
        return None
    path, call = scope[-1]
    return path if call == 1 else f"{path} ({call})"


def clusters(scopes: Sequence[Scope], kinds: Mapping[str, str]) -> tuple[Cluster, ...]:
    """A cluster for every call of a module in these scopes, outer ones before inner ones.

    >>> found = clusters([(("block", 1), ("block.conv", 1))], {"block": "Block"})
    >>> [(cluster.path, cluster.kind, cluster.parent) for cluster in found]
    [('block', 'Block', None), ('block.conv', '', 'block')]
    """
    found: dict[str | None, Cluster] = {}
    for scope in dict.fromkeys(scopes):
        for depth in range(1, len(scope) + 1):
            name = key(scope[:depth])
            if name is not None and name not in found:
                kind = kinds.get(scope[depth - 1][0], "")
                found[name] = Cluster(name, kind, key(scope[: depth - 1]))
    return tuple(found.values())
