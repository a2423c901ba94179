"""The kinds of statements: functions that write one for a tensor, if it is possible there.

A kind takes the builder, the name of a tensor and two drawn numbers. It returns a statement; or one
that begins with "= ", which makes a new tensor; or None if the statement is not possible: shapes do
not fit, a kink is near, or numbers become too large.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from ..values import Array, Shape, signed
from . import oracle
from .builder import CONSTANTS, Builder

Kind = Callable[[Builder, str, int, int], str | None]

LARGEST_VALUE = 1e3  # so that float64 has digits left for a comparison
# Their slopes are constant: libraries differ in whether the graph of the gradient leads to them.
PIECEWISE = re.compile(r"relu|abs|maximum|minimum|amax|where")
MOST_ELEMENTS = 24  # of a tensor: the oracle's Jacobians are square in it


def _broadcast(a: oracle.Tensor, b: oracle.Tensor) -> bool:
    """Whether a and b broadcast, to a shape that is not too large."""
    try:
        return int(np.prod(np.broadcast_shapes(a.shape, b.shape))) <= MOST_ELEMENTS
    except ValueError:
        return False


def _into(a: oracle.Tensor, b: oracle.Tensor) -> bool:
    """Whether b can be written into a: it broadcasts to a, and shares no memory unless it is a."""
    return (
        _broadcast(a, b)
        and np.broadcast_shapes(a.shape, b.shape) == a.shape
        and (not np.shares_memory(a.array, b.array) or a is b)
    )


def _apart(values: Array, gap: float = 1e-3) -> bool:
    """Whether all values are away from 0."""
    return bool(np.abs(values).min(initial=1.0) > gap)


def _bounded(name: str, a: Array, *others: Array) -> bool:
    """Whether the op is smooth at a, and its result is not too large."""
    if name in ("log", "sqrt"):
        return bool(a.min(initial=1.0) > 0.1)
    if name in ("relu", "abs"):
        return _apart(a)
    if name == "exp":
        return bool(a.max(initial=0.0) < 3)
    if name == "div":
        return _apart(others[0], 0.1) and bool(np.abs(a / others[0]).max(initial=0) < LARGEST_VALUE)
    if name in ("maximum", "minimum"):
        return _apart(a - others[0])
    if name in ("add", "sub", "mul"):
        with np.errstate(all="ignore"):
            y = oracle.TABLE[name][0](a, others[0])
        return bool(np.abs(y).max(initial=0.0) < LARGEST_VALUE)
    return True


def _unary(name: str, in_place: bool = False) -> Kind:
    def kind(b: Builder, x: str, j: int, k: int) -> str | None:
        if not _bounded(name, b.array(x)):
            return None
        return f"{x}.{name}_()" if in_place else f"= {x}.{name}()"

    return kind


def _binary(name: str, symbol: str, in_place: bool = False) -> Kind:
    def kind(b: Builder, x: str, j: int, k: int) -> str | None:
        other = b.partner(x, j, _into if in_place else _broadcast)
        if not _bounded(name, b.array(x), b.array(other)):
            return None
        if in_place:
            return f"{x} {symbol}= {other}" if k % 2 else f"{x}.{name}_({other})"
        if symbol:
            return f"= {x} {symbol} {other}"
        return f"= lib.{name}({x}, {other})" if other in b.scope else None

    return kind


def _where(b: Builder, x: str, j: int, k: int) -> str | None:
    other = b.partner(x, j, _broadcast)
    return f"= lib.where({x} > 0.0, {x}, {other})" if _apart(b.array(x)) else None


def _reduction(name: str) -> Kind:
    def kind(b: Builder, x: str, j: int, k: int) -> str | None:
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


def _matmul(b: Builder, x: str, j: int, k: int) -> str | None:
    def fits(a: oracle.Tensor, c: oracle.Tensor) -> bool:
        if len(a.shape) != 2 or len(c.shape) not in (1, 2) or a.shape[1] != c.shape[0]:
            return False
        return bool(np.abs(a.array @ c.array).max(initial=0.0) < LARGEST_VALUE)

    other = b.partner(x, j, fits)
    return f"= {x} @ {other}" if other in b.scope else None


def _cat(b: Builder, x: str, j: int, k: int) -> str | None:
    def fits(a: oracle.Tensor, c: oracle.Tensor) -> bool:
        return len(a.shape) > 0 and a.shape[1:] == c.shape[1:] and len(a.shape) == len(c.shape)

    other = b.partner(x, j, fits)
    if other not in b.scope or b.array(x).size + b.array(other).size > MOST_ELEMENTS:
        return None
    return f"= lib.cat(({x}, {other}), 0)"


def _index(shape: Shape, j: int, k: int) -> str | None:
    """A basic index that selects at least one element."""
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


def _take(b: Builder, x: str, j: int, k: int) -> str | None:
    index = _index(b.array(x).shape, j, k)
    return None if index is None else f"= {x}[{index}]"


def _view(b: Builder, x: str, j: int, k: int) -> str | None:
    t = b.tensor(x)
    if not t.certain:
        return None
    n = t.array.size
    shapes = [(n,), (1, n), (n, 1)] + [(m, n // m) for m in (2, 3) if n % m == 0]
    shape = ", ".join(map(str, shapes[k % len(shapes)]))
    if t.array.flags.c_contiguous and j % 2 == 0:
        return f"= {x}.view({shape})"
    return f"= {x}.reshape({shape})"


def _transpose(b: Builder, x: str, j: int, k: int) -> str | None:
    return f"= {x}.transpose(0, {-1 - k % 2})" if b.array(x).ndim > 1 else None


def _expand(b: Builder, x: str, j: int, k: int) -> str | None:
    shape = b.array(x).shape
    goal = tuple(3 if n == 1 else n for n in shape)
    goal = (2, *goal) if goal == shape or k % 2 else goal
    if np.prod(goal) > MOST_ELEMENTS or len(goal) > 3:
        return None
    return f"= {x}.expand({', '.join(map(str, goal))})"


def _unsqueeze(b: Builder, x: str, j: int, k: int) -> str | None:
    ndim = b.array(x).ndim
    return f"= {x}.unsqueeze({k % (ndim + 1)})" if ndim < 3 else None


def _copy(b: Builder, x: str, j: int, k: int) -> str | None:
    other = b.partner(x, j, _into)
    if other in b.scope:
        return f"{x}.copy_({other})"
    return f"{x}.zero_()" if k % 2 else f"{x}.fill_({other})"


def _set(b: Builder, x: str, j: int, k: int) -> str | None:
    index = _index(b.array(x).shape, j, k)
    if index is None:
        return None
    part = b.evaluate(f"{x}[{index}]")
    names = [n for n in reversed(b.pool) if _into(part, b.tensor(n))]
    other = names[j % len(names)] if names and j % 3 else str(CONSTANTS[j % len(CONSTANTS)])
    if k // 16 % 2 and _bounded("mul", part.array, b.array(other)):
        return f"{x}[{index}] *= {other}"
    return f"{x}[{index}] = {other}"


def _detach(b: Builder, x: str, j: int, k: int) -> str | None:
    return f"= {x}.detach()" + (".clone().requires_grad_()" if k % 3 == 2 else "")


def _clone(b: Builder, x: str, j: int, k: int) -> str | None:
    return f"= {x}.clone()"


def new_hook(b: Builder, k: int) -> str:
    """A hook that counts its calls: it scales the gradient, or only looks."""
    factor = "" if k % 3 == 2 else f", {CONSTANTS[k % len(CONSTANTS)]}"
    return f"hook('h{len(b.lines)}'{factor})"


def _hook(b: Builder, x: str, j: int, k: int) -> str | None:
    return f"{x}.register_hook({new_hook(b, k)})" if b.tensor(x).requires_grad else None


def _retain(b: Builder, x: str, j: int, k: int) -> str | None:
    return f"{x}.retain_grad()" if b.tensor(x).requires_grad else None


def _forget(b: Builder, x: str, j: int, k: int) -> str | None:
    t = b.tensor(x)
    return f"{x}.grad = None" if t.is_leaf and t.requires_grad else None


def _checkpoint(b: Builder, x: str, j: int, k: int) -> str | None:
    """A checkpointed piece that uses x and another tensor: passed, or found outside; nested or not."""
    w = b.partner(x, j, _broadcast)
    if not _bounded("mul", b.array(x), b.array(w)):
        return None
    run = f", run={new_hook(b, j)}" if k % 2 else ""

    def piece(argument: str, w: str, run: str = "") -> str:
        product = f"hooked(u * {w}, run)" if k % 2 else f"u * {w}"
        return f"checkpoint(lambda u{run}: ({product}).sin(), {argument})"

    if w in b.scope and k % 16 >= 8:
        made = f"checkpoint(lambda v, w{run}: ({piece('v', 'w')} * w).tanh(), {x}, {w})"
    elif k % 8 >= 4:
        made = f"checkpoint(lambda v{run}: ({piece('v.tanh()', w)} * {w}).tanh(), {x})"
    else:
        made = piece(x, w, run)
    b.keep_unwritten(x, w)
    return f"= {made}"


def norm(b: Builder, x: str, j: int, k: int) -> str | None:
    """An op with a composite, of values that vary enough."""
    a = b.array(x)
    name = ("layer_norm", "batch_norm", "rms_norm", "instance_norm")[k % 4]
    if a.ndim < 2 + (name == "instance_norm"):
        return None
    axes = {"batch_norm": (0, *range(2, a.ndim)), "instance_norm": tuple(range(2, a.ndim))}.get(
        name, (a.ndim - 1,)
    )
    if int(np.prod([a.shape[i] for i in axes])) < 2:
        return None
    if (np.mean(a * a, axes) if name == "rms_norm" else np.var(a, axes)).min() < 0.05:
        return None
    b.keep_unwritten(x)
    if name in ("batch_norm", "instance_norm"):
        rest = ", None, None, None, None, True" if name == "batch_norm" else ""
        return f"= lib.nn.functional.{name}({x}{rest})"
    weights = [n for n in b.pool if b.tensor(n).shape == a.shape[-1:]] if k // 4 % 2 else []
    weight = weights[j % len(weights)] if weights and b.tensor(x).requires_grad else "None"
    if weight in b.scope:
        b.keep_unwritten(weight)
    rest = ", eps=1e-05" if name == "rms_norm" else ""
    return f"= lib.nn.functional.{name}({x}, ({a.shape[-1]},), {weight}{rest})"


def _inputs(b: Builder, x: str, j: int) -> list[str]:
    """Tensors that x depends on: all leaves, one leaf, or one tensor that an op made."""
    root = b.tensor(x).node
    if root is None:
        return []
    on = {n: b.tensor(n).node for n in b.pool if b.tensor(n).requires_grad}
    found = [
        n for n, node in on.items() if node is not None and root in oracle.leading_to([node], root)
    ]
    leaves = [n for n in found if b.tensor(n).is_leaf]
    return leaves if j % 3 == 0 else found[j // 3 % len(found) :][:1] if found else []


def gradient(b: Builder, x: str, j: int, k: int) -> str | None:
    """A gradient as a tensor, recorded or not."""
    inputs = _inputs(b, x, j)
    record = k % 4 != 0 and not b.recorded and not any(map(PIECEWISE.search, b.lines))
    if not inputs or (k % 4 != 0 and not record):
        return None
    weights = "" if b.array(x).ndim == 0 else f", {_weights(b.array(x), j)}"
    option = "create_graph=True" if record else "retain_graph=True"
    b.recorded |= record
    return f"= lib.autograd.grad({x}, [{', '.join(inputs)}]{weights}, {option})[{k % len(inputs)}]"


def _backward_of(b: Builder, x: str, j: int, k: int) -> str | None:
    """A backward pass to some tensors alone, recorded or not."""
    inputs = _inputs(b, x, j)
    if not inputs:
        return None
    record = k % 4 == 3 and not b.recorded and not any(map(PIECEWISE.search, b.lines))
    retain = b.recorded or k % 2 == 0
    options = [f"inputs=[{', '.join(inputs)}]"]
    options += ["create_graph=True"] * record + ["retain_graph=True"] * (retain and not record)
    weights = [] if b.array(x).ndim == 0 else [_weights(b.array(x), j)]
    b.recorded |= record
    return f"{x}.backward({', '.join(weights + options)})"


def _weights(a: Array, j: int) -> str:
    return f"real({signed(np.random.default_rng(j), a.shape).round(2).tolist()})"


def _grad_of(b: Builder, x: str, j: int, k: int) -> str | None:
    """A copy of the gradient of a leaf, on the tape if it was recorded."""
    names = [n for n in b.pool if b.tensor(n).is_leaf and b.tensor(n).grad is not None]
    return f"= {names[j % len(names)]}.grad.clone()" if names else None


def backward(b: Builder, x: str, j: int, k: int, retain: bool | None = None) -> str:
    """A backward pass from x, with weights unless x is a scalar. `retain` is drawn by default."""
    a = b.array(x)
    retain = (b.recorded or k % 2 == 0) if retain is None else retain
    option = "retain_graph=True" if retain else ""
    if a.ndim == 0:
        return f"{x}.backward({option})"
    if j % 3 == 0:
        return f"{x}.sum().backward({option})"
    return f"{x}.backward({_weights(a, j)}{', ' + option if option else ''})"


KINDS: tuple[Kind, ...] = (
    _binary("mul", "*"), _binary("add", "+"), _take, norm, _binary("mul", "*", True),
    _binary("add", "+", True), _view, _set, gradient, _reduction("sum"), _unary("sin"), backward,
    _hook, _checkpoint, _detach, _transpose, _copy, _backward_of, _unary("tanh"), _binary("sub", "-"),
    _matmul, _unary("exp"), _retain, _grad_of, _forget,
    _where, _expand, _unary("relu"), _unary("relu", True), _unary("sigmoid"), _reduction("mean"),
    _reduction("amax"), _binary("div", "/"), _cat, _clone, _binary("maximum", ""),
    _binary("sub", "-", True), _unary("sigmoid", True), _unary("exp", True), _unary("abs"),
    _unary("log"), _unary("sqrt"), _unary("cos"), _unary("neg", True), _binary("minimum", ""),
    _binary("div", "/", True), _unary("tanh", True), _unsqueeze, norm, gradient, _hook,
)  # fmt: skip
