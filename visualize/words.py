"""Facts as short text: shapes, attributes, bytes, seconds, and the description of a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .graph import Measured, Node

# Default values of attributes. A box omits an attribute that has its default value.
_DEFAULTS = {
    "padding": 0, "dilation": 1, "groups": 1, "keepdim": False, "correction": 1,
    "ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0, "eps": 1e-5,
    "count_include_pad": True, "ceil_mode": False, "beta": 1.0, "threshold": float("inf"),
    "alpha": 1.0, "scale": 1.0, "rate": 1.0, "approximate": "none",
}  # fmt: skip
_WINDOW = {"kernel_size", "stride", "padding", "dilation"}  # one value for each spatial axis
# Attributes that a box omits: the shapes show them already, or they tell a reader nothing.
REDUNDANT = {
    "shape", "output_size", "x_shape", "w_shape", "divisor", "random", "path", "affine_shape",
    "matrix",
}  # fmt: skip


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape in ASCII characters, whose widths every renderer knows.

    >>> shape_text((64, 3, 8, 8)), shape_text(()), shape_text((0,))
    ('64x3x8x8', 'scalar', '0')
    """
    return "x".join(map(str, shape)) if shape else "scalar"


def attributes(node: Node) -> list[str]:
    """The attributes of an op that differ from their defaults, as short texts.

    >>> attributes(Node("op", "pool", attributes={"kernel_size": (2, 2), "stride": (2, 1),
    ...                                           "padding": ((0, 0), (0, 0))}))
    ['2x2', 'stride 2x1']
    >>> attributes(Node("op", "conv2d", attributes={"stride": (1, 1), "padding": ((1, 0), (1, 0))}))
    ['padding 1/0']
    """
    facts = []
    windowed = "kernel_size" in node.attributes
    for name, value in node.attributes.items():
        if name in _WINDOW:
            value = _uniform(value)
        if name in REDUNDANT or value is None or _equal(value, _DEFAULTS.get(name)):
            continue
        if name == "stride" and not windowed and _equal(value, 1):
            continue
        if name == "dims" and node.family == "norm":
            continue
        if name == "kernel_size":
            facts.append(shape_text(value) if isinstance(value, tuple) else f"{value}x{value}")
        elif name == "padding" and _pairs(node.attributes[name]):
            facts.append(f"padding {_padding(node.attributes[name])}")
        elif name in _WINDOW and isinstance(value, tuple) and isinstance(value[0], int):
            facts.append(f"{name} {shape_text(value)}")
        else:
            facts.append(f"{name} {value_text(value)}")
    return facts


def _pairs(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(v, tuple) and len(v) == 2 for v in value)


def _padding(value: tuple[tuple[int, int], ...]) -> str:
    """The padding of each axis; "1/0" is 1 before and 0 after."""
    sides = [str(a) if a == b else f"{a}/{b}" for a, b in value]
    return sides[0] if len(set(sides)) == 1 else "x".join(sides)


def _equal(value: object, other: object) -> bool:
    """Whether both have one type and are equal: 1 is not True, and an array equals nothing."""
    return type(value) is type(other) and bool(value == other)


def _uniform(value: Any) -> Any:
    """A pair, or a pair of pairs, of equal numbers as that one number; else the value itself."""
    for _ in range(2):
        if isinstance(value, tuple) and value:
            value = tuple(v[0] if _all_equal(v) else v for v in value)
            value = value[0] if _all_equal(value) else value
    return value


def _all_equal(value: object) -> bool:
    return isinstance(value, tuple) and len(value) > 0 and all(v == value[0] for v in value)


def value_text(value: object) -> str:
    """The value of an attribute as short text: of an array the shape, of another object its class.

    >>> value_text((slice(1, None), Ellipsis, np.zeros((2, 3)), 0.5))
    '1:, ..., array 2x3, 0.5'
    """
    if isinstance(value, np.ndarray):
        return f"array {shape_text(value.shape)}"
    if isinstance(value, slice):
        parts = ["" if part is None else str(part) for part in (value.start, value.stop)]
        return ":".join(parts if value.step is None else [*parts, str(value.step)])
    if isinstance(value, float):
        return f"{value:.6g}"
    if value is Ellipsis:
        return "..."
    if isinstance(value, tuple) and not any(isinstance(v, tuple) for v in value):
        return ", ".join(map(value_text, value))
    if value is None or isinstance(value, (str, int, tuple, np.generic, np.dtype)):
        return str(value)
    return type(value).__name__  # str(value) may be long, or hold an address


# --- Numbers with units -------------------------------------------------------------------------


def _scaled(number: float, units: tuple[str, ...], step: float = 1000.0) -> str:
    """The number with three digits and one of the units, each `step` times the one before."""
    at = 0
    while abs(number) >= 999.5 and at + 1 < len(units):
        number, at = number / step, at + 1
    digits = 0 if abs(number) >= 99.5 else 1 if abs(number) >= 9.95 else 2
    text = f"{number:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {units[at]}".rstrip()


def bytes_text(n: float) -> str:
    """A number of bytes with a decimal unit.

    >>> bytes_text(12), bytes_text(4096), bytes_text(3 << 20)
    ('12 B', '4.1 kB', '3.15 MB')
    """
    return _scaled(n, ("B", "kB", "MB", "GB", "TB"))


def seconds_text(seconds: float) -> str:
    """A time with a unit.

    >>> seconds_text(0.00012), seconds_text(0.25), seconds_text(0)
    ('120 µs', '250 ms', '0 µs')
    """
    return _scaled(seconds * 1e6, ("µs", "ms", "s"))


def norm_text(norm: float) -> str:
    """A norm with three digits.

    >>> norm_text(0.012345), norm_text(1234567.0)
    ('0.0123', '1.23e+06')
    """
    return f"{norm:.3g}"


def gradient_text(m: Measured) -> str:
    """The norm of the gradient; of several ops the smallest and the largest.

    >>> gradient_text(Measured(grad_norm=5.66, grad_range=(2e-8, 5.66)))
    '2e-08 … 5.66'
    """
    low, high = m.grad_range or (m.grad_norm, m.grad_norm)
    if low is None or high is None:
        return ""
    return (
        norm_text(high)
        if norm_text(low) == norm_text(high)
        else f"{norm_text(low)} … {norm_text(high)}"
    )


def warnings(node: Node) -> list[str]:
    """The lines of a box about values that are not finite, and about a write in place.

    >>> warnings(Node("op", "log", form="in place", measured=Measured(bad=2)))
    ['in place', '! 2 values not finite']
    """
    lines = ["in place"] if node.form == "in place" else []
    if node.measured is not None and node.measured.bad and node.kind != "vjp":
        lines.append(f"! {node.measured.bad:,} values not finite")
    if node.measured is not None and node.measured.bad_gradients:
        lines.append(f"! {node.measured.bad_gradients:,} gradients not finite")
    return lines


# --- Nodes --------------------------------------------------------------------------------------


def keeps(node: Node) -> str:
    """The arrays that an op keeps for its vjps, and their size.

    >>> from .graph import Saved
    >>> keeps(Node("op", "exp", saved=(Saved("y", (1000,), 4000),)))
    'keeps y 4 kB'
    """
    if node.saved is None:
        return "freed"
    if not node.saved:
        return ""
    own = ", ".join(dict.fromkeys(saved.name for saved in node.saved if saved.own))
    if own:
        return f"keeps {own} {bytes_text(node.kept())}"
    return "keeps no memory of its own"


def measures(node: Node) -> list[str]:
    """The measurements of a node, a line each; none where it was not measured."""
    m = node.measured
    if m is None:
        return []
    lines = [f"forward {seconds_text(m.forward)}", f"backward {seconds_text(m.backward)}"]
    lines.append(f"output {bytes_text(m.nbytes)}")
    if m.grad_norm is not None:
        lines.append(f"gradient norm {gradient_text(m)}")
    if m.bad:
        lines.append(f"{m.bad} values are not finite")
    if m.bad_gradients:
        lines.append(f"{m.bad_gradients} gradients are not finite")
    return lines


def describe(node: Node) -> str:
    """All facts about a node, a line each: its tooltip.

    >>> print(describe(Node("op", "exp", (2, 3), "float32", line="net.py:4, in forward")))
    op exp
    shape 2x3, float32
    net.py:4, in forward
    """
    kind = {"vjp": "vjp of", "gradient": "gradient of"}.get(node.kind, node.kind)
    lines = [f"{kind} {node.name}" + (f" x{node.count}" if node.count > 1 else "")]
    if node.shape is not None:
        lines.append(f"shape {shape_text(node.shape)}" + (f", {node.dtype}" if node.dtype else ""))
    if node.value is not None:
        lines.append(f"value {node.value!r}")
    if node.cluster:
        lines.append(f"in {node.cluster}")
    if node.form:
        lines.append(node.form)
    if node.given:
        lines.append(f"its output is {node.given}")
    if node.frozen and node.kind != "constant":
        lines.append("no gradient passes")
    lines += node.links
    lines += [f"{name} = {value_text(value)}" for name, value in node.attributes.items()]
    if node.kind in ("op", "module") and (kept := keeps(node)):
        lines.append(kept)
    lines += measures(node)
    if node.verdict is not None:
        lines.append(verdict_text(node))
    if node.status:
        lines.append(node.status)
    if node.line:
        lines.append(node.line)
    if node.formula and node.kind == "vjp":
        lines += ["", node.formula]
    return "\n".join(lines)


def verdict_text(node: Node) -> str:
    """The result of the gradient checks of a node.

    >>> from .graph import Verdict
    >>> verdict_text(Node("op", "exp", verdict=Verdict(2e-9)))
    'gradient checked, worst error 2.0e-09'
    """
    if node.verdict is None:
        return "gradient not checked"
    if node.verdict.failed:
        return f"gradient check failed: {node.verdict.failed}"
    if node.verdict.error is None:
        return "gradient checked"
    return f"gradient checked, worst error {node.verdict.error:.1e}"


def wrapped(words: Sequence[str], between: str, most: int) -> list[str]:
    """The words joined into lines of at most so many letters; a longer word has a line of its own.

    >>> wrapped(["stride 2", "padding 1", "groups 4"], ", ", 20)
    ['stride 2, padding 1', 'groups 4']
    """
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(between) + len(word) <= most:
            lines[-1] += between + word
        else:
            lines.append(word)
    return lines
