"""Whole programs, drawn: fan-out, views, writes, hooks, repeated backward, run by several libraries.

What is drawn is a list of small integers. They are read as statements by a builder that runs them
on the oracle as it goes, so that each statement is one that can be run there: shapes fit, no kink
is near, numbers stay small. Nothing is rejected, and a shorter list is a shorter program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from . import oracle
from .program import HEAD, Program, compiled
from .values import Array, separated, signed

NAMES = "abcd"  # of the first tensors; what is made of them is t1, t2 ...


Numbers = tuple[int, int, int, int, int]
SHAPES = ((2, 3), (3,), (2, 1), (), (3, 2), (1, 3), (2, 2), (3, 1, 2))
CONSTANTS = (2.0, -1.0, 0.5, 1.5, -0.75, 3.0)
VIEWS = re.compile(r"\]$|\.(view|reshape|transpose|expand|unsqueeze)\(")
NOT_OPS = re.compile(r"\.(backward|register_hook|retain_grad|grad)\b")
LARGEST, MOST = 1e3, 24  # of numbers, and of the elements of a tensor


class _Builder:
    """Reads integers as statements; the oracle runs each as it comes."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {"lib": oracle}
        exec(compiled(HEAD), self.scope)
        self.lines: list[str] = []
        self.pool: list[str] = []
        self.stopped = False

    def tensor(self, name: str) -> oracle.Tensor:
        """The oracle's tensor of that name."""
        found: oracle.Tensor = self.scope[name]
        return found

    def add(self, line: str, target: str | None = None, keep: bool = False) -> None:
        """Run a statement, and take it in; one that raises is left out, or with `keep` the last."""
        try:
            exec(compiled(line), self.scope)
        except RuntimeError:
            if keep:
                self.lines.append(line)
                self.stopped = True
            return
        self.lines.append(line)
        if target is not None:
            self.pool.append(target)

    def step(self, numbers: Numbers) -> None:
        """One statement: the kind that the first number says, or the next that is possible."""
        kind, i, j, k, how = numbers
        x = self.pool[-1 - i % len(self.pool)]
        for tried in range(len(KINDS)):
            made = KINDS[(kind + tried) % len(KINDS)](self, x, j, k)
            if made is not None:
                break
        else:
            return
        name = f"t{sum(n[0] == 't' for n in self.scope if n[1:].isdigit()) + 1}"
        new = made.startswith("=")
        line = f"{name} {made}" if new else made
        # a view made in no_grad of what is written later: nobody promises what that gives
        if how % 16 == 15 and not (new and VIEWS.search(line)) and not NOT_OPS.search(line):
            line = f"with lib.no_grad():\n    {line}"
        self.add(line, name if new else None, keep=how % 16 in (11, 12, 13, 14))

    def partner(self, x: str, number: int, fits: Callable[[Any, Any], bool]) -> str | None:
        """A tensor that fits, or a constant."""
        a = self.tensor(x)
        names = [n for n in reversed(self.pool) if fits(a, self.tensor(n))]
        if not names or number % 4 == 3:
            return str(CONSTANTS[number // 4 % len(CONSTANTS)])
        return names[(number - number // 4) % len(names)]

    def array(self, operand: str) -> Array:
        """The values of a tensor or constant."""
        return self.tensor(operand).array if operand in self.scope else np.asarray(float(operand))


def _broadcast(a: Any, b: Any) -> bool:
    try:
        return int(np.prod(np.broadcast_shapes(a.shape, b.shape))) <= MOST
    except ValueError:
        return False


def _into(a: Any, b: Any) -> bool:
    """Whether b can be written into a: it broadcasts, and overlaps it wholly or not at all."""
    return (
        _broadcast(a, b)
        and np.broadcast_shapes(a.shape, b.shape) == a.shape
        and (not np.shares_memory(a.array, b.array) or a is b)
    )


def _apart(values: Array, gap: float = 1e-3) -> bool:
    return bool(np.abs(values).min(initial=1.0) > gap)


Kind = Callable[[_Builder, str, int, int], str | None]


def _bounded(name: str, a: Array, *others: Array) -> bool:
    """Whether the op is smooth there, and its result is not too large."""
    if name in ("log", "sqrt"):
        return bool(a.min(initial=1.0) > 0.1)
    if name in ("relu", "abs"):
        return _apart(a)
    if name == "exp":
        return bool(a.max(initial=0.0) < 3)
    if name == "div":
        return _apart(others[0], 0.1) and bool(np.abs(a / others[0]).max(initial=0) < LARGEST)
    if name in ("maximum", "minimum"):
        return _apart(a - others[0])
    if name in ("add", "sub", "mul"):
        with np.errstate(all="ignore"):
            y = oracle.TABLE[name][0](a, others[0])
        return bool(np.abs(y).max(initial=0.0) < LARGEST)
    return True


def _unary(name: str, in_place: bool = False) -> Kind:
    def kind(b: _Builder, x: str, j: int, k: int) -> str | None:
        if not _bounded(name, b.array(x)):
            return None
        return f"{x}.{name}_()" if in_place else f"= {x}.{name}()"

    return kind


def _binary(name: str, symbol: str, in_place: bool = False) -> Kind:
    def kind(b: _Builder, x: str, j: int, k: int) -> str | None:
        other = b.partner(x, j, _into if in_place else _broadcast)
        if other is None or not _bounded(name, b.array(x), b.array(other)):
            return None
        if in_place:
            return f"{x} {symbol}= {other}" if k % 2 else f"{x}.{name}_({other})"
        if symbol:
            return f"= {x} {symbol} {other}"
        return f"= lib.{name}({x}, {other})" if other in b.scope else None

    return kind


def _where(b: _Builder, x: str, j: int, k: int) -> str | None:
    other = b.partner(x, j, _broadcast)
    return f"= lib.where({x} > 0.0, {x}, {other})" if _apart(b.array(x)) else None


def _reduction(name: str) -> Kind:
    def kind(b: _Builder, x: str, j: int, k: int) -> str | None:
        a = b.array(x)
        if name != "amax" and (j % 3 == 0 or not a.ndim):
            return f"= {x}.{name}()"
        if not a.ndim:
            return None
        dim = k % a.ndim
        if name == "amax" and not _apart(np.diff(np.sort(a, dim), axis=dim)):
            return None
        return f"= {x}.{name}({dim}{', keepdim=True' if j % 3 == 1 else ''})"

    return kind


def _matmul(b: _Builder, x: str, j: int, k: int) -> str | None:
    def fits(a: Any, c: Any) -> bool:
        if len(a.shape) != 2 or len(c.shape) not in (1, 2) or a.shape[1] != c.shape[0]:
            return False
        return bool(np.abs(a.array @ c.array).max(initial=0.0) < LARGEST)

    other = b.partner(x, j, fits)
    return f"= {x} @ {other}" if other in b.scope else None


def _cat(b: _Builder, x: str, j: int, k: int) -> str | None:
    def fits(a: Any, c: Any) -> bool:
        return len(a.shape) > 0 and a.shape[1:] == c.shape[1:] and len(a.shape) == len(c.shape)

    other = b.partner(x, j, fits)
    if other not in b.scope or b.array(x).size + b.array(other or "").size > MOST:
        return None
    return f"= lib.cat(({x}, {other}), 0)"


def _index(shape: tuple[int, ...], j: int, k: int) -> str | None:
    """A basic index that takes something."""
    if not shape or 0 in shape:
        return None
    first = [
        str(j % shape[0]),
        "1:" if shape[0] > 1 else ":",
        "::2",
        ":-1" if shape[0] > 1 else ":",
    ]
    index = first[k % 4]
    if len(shape) > 1 and k // 4 % 2:
        index = f"{index}, {j // 2 % shape[1]}" if k // 8 % 2 else f":, {j % shape[1]}"
    return index


def _take(b: _Builder, x: str, j: int, k: int) -> str | None:
    index = _index(b.array(x).shape, j, k)
    return None if index is None else f"= {x}[{index}]"


def _view(b: _Builder, x: str, j: int, k: int) -> str | None:
    t = b.tensor(x)
    if not t.certain:
        return None
    n = t.array.size
    shapes = [(n,), (1, n), (n, 1)] + [(m, n // m) for m in (2, 3) if n % m == 0]
    shape = ", ".join(map(str, shapes[k % len(shapes)]))
    if t.array.flags.c_contiguous and j % 2 == 0:
        return f"= {x}.view({shape})"
    return f"= {x}.reshape({shape})"


def _transpose(b: _Builder, x: str, j: int, k: int) -> str | None:
    return f"= {x}.transpose(0, {-1 - k % 2})" if b.array(x).ndim > 1 else None


def _expand(b: _Builder, x: str, j: int, k: int) -> str | None:
    shape = b.array(x).shape
    goal = tuple(3 if n == 1 else n for n in shape)
    goal = (2, *goal) if goal == shape or k % 2 else goal
    if np.prod(goal) > MOST or len(goal) > 3:
        return None
    return f"= {x}.expand({', '.join(map(str, goal))})"


def _unsqueeze(b: _Builder, x: str, j: int, k: int) -> str | None:
    ndim = b.array(x).ndim
    return f"= {x}.unsqueeze({k % (ndim + 1)})" if ndim < 3 else None


def _copy(b: _Builder, x: str, j: int, k: int) -> str | None:
    other = b.partner(x, j, _into)
    if other in b.scope:
        return f"{x}.copy_({other})"
    return f"{x}.zero_()" if k % 2 else f"{x}.fill_({other})"


def _set(b: _Builder, x: str, j: int, k: int) -> str | None:
    index = _index(b.array(x).shape, j, k)
    if index is None:
        return None
    exec(compiled(f"_part = {x}[{index}]"), b.scope)
    part = b.scope.pop("_part")
    names = [n for n in reversed(b.pool) if _into(part, b.tensor(n))]
    other = names[j % len(names)] if names and j % 3 else str(CONSTANTS[j % len(CONSTANTS)])
    if k // 16 % 2 and _bounded("mul", part.array, b.array(other)):
        return f"{x}[{index}] *= {other}"
    return f"{x}[{index}] = {other}"


def _detach(b: _Builder, x: str, j: int, k: int) -> str | None:
    return f"= {x}.detach()" + (".clone().requires_grad_()" if k % 3 == 2 else "")


def _clone(b: _Builder, x: str, j: int, k: int) -> str | None:
    return f"= {x}.clone()"


def _hook(b: _Builder, x: str, j: int, k: int) -> str | None:
    factor = CONSTANTS[k % len(CONSTANTS)]
    return f"{x}.register_hook(lambda g: g * {factor})" if b.tensor(x).requires_grad else None


def _retain(b: _Builder, x: str, j: int, k: int) -> str | None:
    return f"{x}.retain_grad()" if b.tensor(x).requires_grad else None


def _forget(b: _Builder, x: str, j: int, k: int) -> str | None:
    t = b.tensor(x)
    return f"{x}.grad = None" if t.is_leaf and t.requires_grad else None


def _backward(b: _Builder, x: str, j: int, k: int, retain: bool | None = None) -> str:
    a = b.array(x)
    retain = k % 2 == 0 if retain is None else retain
    option = "retain_graph=True" if retain else ""
    if a.ndim == 0:
        return f"{x}.backward({option})"
    if j % 3 == 0:
        return f"{x}.sum().backward({option})"
    weights = signed(np.random.default_rng(j), a.shape).round(2).tolist()
    return f"{x}.backward(real({weights}){', ' + option if option else ''})"


KINDS: tuple[Kind, ...] = (
    _binary("mul", "*"), _binary("add", "+"), _take, _binary("mul", "*", True),
    _binary("add", "+", True), _view, _set, _reduction("sum"), _unary("sin"), _backward, _detach,
    _transpose, _copy, _unary("tanh"), _binary("sub", "-"), _matmul, _unary("exp"), _hook, _retain, _forget,
    _where, _expand, _unary("relu"), _unary("relu", True), _unary("sigmoid"), _reduction("mean"),
    _reduction("amax"), _binary("div", "/"), _cat, _clone, _binary("maximum", ""),
    _binary("sub", "-", True), _unary("sigmoid", True), _unary("exp", True), _unary("abs"),
    _unary("log"), _unary("sqrt"), _unary("cos"), _unary("neg", True), _binary("minimum", ""),
    _binary("div", "/", True), _unary("tanh", True), _unsqueeze,
)  # fmt: skip


def build(seed: int, leaves: Iterable[tuple[int, bool]], steps: Iterable[Numbers]) -> Program:
    """The program that these numbers mean."""
    b = _Builder()
    chosen = list(leaves)
    shapes = [SHAPES[shape % len(SHAPES)] for shape, _ in chosen]
    values = separated(np.random.default_rng(seed), *shapes, avoid=[0.0])
    for name, value, (_, needs) in zip(NAMES, values, chosen, strict=False):
        grad = ", requires_grad=True" if needs else ""
        b.add(f"{name} = real({value.round(2).tolist()}{grad})", name)
    for numbers in steps:
        if not b.stopped:
            b.step(numbers)
    if not b.stopped:
        ends = [n for n in b.pool if b.tensor(n).requires_grad][-3:]
        for n in ends:
            b.add(_backward(b, n, 1, 0, retain=n is not ends[-1]))
    return Program(tuple(b.lines))


def graph_programs(*, max_ops: int = 40) -> st.SearchStrategy[Program]:
    """Programs of 1 to `max_ops` statements on up to four leaves, and backward at the end.

    Fan-out, reuse, broadcasting, reductions, products; views and writes, through views too; detach
    and no_grad blocks; hooks and retain_grad; backward more than once, with and without
    retain_graph. Some end in an error. Each runs with any library that has PyTorch's API.

    >>> import tinygrad_cnn as tc
    >>> from hypothesis import given
    >>> @given(graph_programs(max_ops=10))
    ... def test(program):
    ...     program.check(tc)  # against the oracle: op by op, all Jacobians written out
    >>> test()
    """
    small = st.integers(0, 63)
    step = st.tuples(st.integers(0, len(KINDS) - 1), small, small, small, st.integers(0, 15))
    leaf = st.tuples(st.integers(0, len(SHAPES) - 1), st.sampled_from([True, True, True, False]))
    # in groups: lists of up to 40 would be of six or so nearly always
    groups = st.lists(st.lists(step, min_size=1, max_size=8), min_size=1, max_size=-(-max_ops // 8))
    steps = groups.map(lambda parts: [s for part in parts for s in part][:max_ops])
    return st.builds(build, st.integers(0, 255), st.lists(leaf, min_size=1, max_size=4), steps)
