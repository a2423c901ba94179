"""Which call of which module an op belongs to.

A scope is a tuple of (path, call) from the outermost module in: (("layer1", 1), ("layer1.0", 1)).
`trace` sees the calls. Of a graph that was recorded before anybody looked, `inferred` knows what
follows from the parameters: an op that uses `layer1.0.conv1.weight` ran in layer1.0.conv1, and what
ran between two ops of one module ran in that module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from .model import Cluster

Scope = tuple[tuple[str, int], ...]


def owner(parameters: Sequence[str]) -> str:
    """The innermost module that has all of these parameters, "" for the model itself.

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
    """The scope of each op, in the order in which they ran; `uses` has the parameters of each.

    A module whose parameter is used again was called again. `kinds` has the class of each path: a
    Sequential does nothing itself, so what ran between two of its children ran in those between
    them, or at the end of the first. Modules of one class end with the same ops, by their `names`.
    """
    known: dict[int, Scope] = {}
    called: dict[str, int] = {}
    used: dict[str, set[str]] = {}
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
            if not seen.isdisjoint(parameters):
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
    """Let a module end as another of its class does, whose end was between two in a Sequential."""
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
    """The scopes of `n` ops that ran between two whose scopes are known."""
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
    """The key of the innermost cluster of a scope; None at the top.

    >>> key((("block", 1),)), key((("block", 2), ("block.conv", 2)))
    ('block', 'block.conv (2)')
    """
    if not scope:
        return None
    path, call = scope[-1]
    return path if call == 1 else f"{path} ({call})"


def clusters(scopes: Sequence[Scope], kinds: Mapping[str, str]) -> tuple[Cluster, ...]:
    """A cluster for every call of a module in these scopes, those around before those inside."""
    found: dict[str | None, Cluster] = {}
    for scope in dict.fromkeys(scopes):
        for depth in range(1, len(scope) + 1):
            name = key(scope[:depth])
            if name is not None and name not in found:
                kind = kinds.get(scope[depth - 1][0], "")
                found[name] = Cluster(name, kind, key(scope[: depth - 1]))
    return tuple(found.values())
