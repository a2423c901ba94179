"""Values as Python expressions, for the snippet of a failed check."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..engine import Op, registry
from .compare import same_bits
from .recipes import recipes_of
from .values import Array, laid_out, separated

SHORT = 2000  # characters of an array in the repr of a Call
NAMES: dict[str, Any] = {  # that expressions use
    "np": np, "laid_out": laid_out, "separated": separated, "registry": registry
}  # fmt: skip


def show(
    value: object,
    array: Callable[[Array], str] | None = None,
    other: Callable[[object], str] = repr,
) -> str:
    """An expression that makes `value` again, where there is one.

    It uses the names in `NAMES`. `array` shows arrays; by default
    `show_array`, or in brief where that has no expression. `other` shows values of other types.
    """

    def again(v: object) -> str:
        return show(v, array, other)

    if isinstance(value, np.ndarray):
        shown = show_array(value) if array is None else array(value)
        return shown or f"<array {value.shape} {value.dtype}>"
    if isinstance(value, np.generic):
        return f"np.{type(value).__name__}({again(value.item())})"
    if isinstance(value, np.dtype):
        return repr(str(value))
    if type(value) in (tuple, list):
        inside = ", ".join(again(v) for v in value)  # type: ignore[attr-defined]
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"  # type: ignore[arg-type]
    if type(value) is dict:
        return f"{{{', '.join(f'{again(key)}: {again(v)}' for key, v in value.items())}}}"
    if isinstance(value, slice):
        return f"slice({again(value.start)}, {again(value.stop)}, {again(value.step)})"
    if isinstance(value, Op) and registry.get(value.name) is value:
        return f"registry[{value.name!r}]"
    if type(value) is float and not math.isfinite(value):
        return f"float('{value}')"
    if value is ...:
        return "..."
    if value is None or type(value) in (bool, int, float, complex, str, bytes):
        return repr(value)
    return other(value)


def show_array(x: Array, room: int = SHORT) -> str | None:
    """An expression of at most `room` characters that makes an array with the same bits.

    The array has the same strides, and is read-only if x is. Returns None if `room` is too small.
    """
    plain = np.array(x, order="C", subok=False)
    for text in _expressions(x, plain, room):
        if len(text) <= room and _makes(text, plain):
            return _with_layout(text, x)
    return None


def _expressions(x: Array, plain: Array, room: int) -> Iterator[str]:
    """Expressions that may make the values of x, readable ones first."""
    shape, dtype = x.shape, repr(str(x.dtype))
    if not x.size:
        yield f"np.zeros({shape}, {dtype})"
        return
    first = show(plain.flat[0].item(), other=repr)
    if x.size > 4:
        yield f"np.full({shape}, {first}, {dtype})"
    if x.size <= room:
        yield f"np.array({_nested(plain)}, {dtype})"
    for recipe in recipes_of(x):
        yield from (f"{recipe}{view}" for view in ("", ".T", "[::-1]", f".reshape({shape})"))
    if x.size > 4 and x.dtype.kind in "fiu":
        last, reshape = show(plain.flat[-1].item()), f".reshape({shape})" if x.ndim != 1 else ""
        yield f"np.linspace({first}, {last}, {x.size}, dtype={dtype}){reshape}"
    if x.nbytes <= 100 * room and not x.dtype.hasobject:
        data = base64.b85encode(zlib.compress(plain.tobytes(), 9)).decode()
        yield (
            "np.frombuffer(bytearray(__import__('zlib').decompress(__import__('base64')"
            f".b85decode({data!r}))), {dtype}).reshape({shape})"
        )


def _nested(x: Array) -> str:
    """The elements as nested lists, each in the fewest digits that identify it in its dtype."""
    if x.ndim:
        return f"[{', '.join(_nested(part) for part in x)}]"
    if x.dtype.kind != "f":
        return repr(x.item())
    return str(x[()]) if np.isfinite(x) else f"{'-' * bool(np.signbit(x))}np.{abs(x)}"


def _makes(text: str, wanted: Array) -> bool:
    try:
        found = eval(text, dict(NAMES))
    except Exception:
        return False
    return same_bits(found, wanted)


def _with_layout(text: str, x: Array) -> str:
    if x.flags.c_contiguous and x.flags.writeable:
        return text
    strides = f", {x.strides}" if not x.flags.c_contiguous else ""
    return f"laid_out({text}{strides}{'' if x.flags.writeable else ', writeable=False'})"
