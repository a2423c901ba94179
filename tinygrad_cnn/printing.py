"""The text of a Tensor, which is PyTorch's: `tensor([1.0000, 2.5000], requires_grad=True)`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .dtypes import shown
from .engine.dtypes import FLOATING, bool_, get_default_dtype, int64

__all__ = ["set_printoptions"]


_PROFILES: dict[str, dict[str, Any]] = {
    "default": {
        "precision": 4,  # digits after the point
        "threshold": 1000,  # a Tensor of more elements is summarised ...
        "edgeitems": 3,  # ... by this number of elements at each end of an axis
        "linewidth": 80,  # characters
        "sci_mode": None,  # None: exponents if the numbers need them
    }
}
_PROFILES["short"] = {**_PROFILES["default"], "precision": 2, "edgeitems": 2}
_PROFILES["full"] = {**_PROFILES["default"], "threshold": math.inf}
_options = _PROFILES["default"]


def set_printoptions(
    precision: int | None = None, threshold: float | None = None, edgeitems: int | None = None,
    linewidth: int | None = None, profile: str | None = None, sci_mode: bool | None = None,
) -> None:  # fmt: skip
    """Set how Tensors print. Options that are not given stay, except `sci_mode`.

    `precision` is the number of digits after the point. A Tensor of more than `threshold` elements
    shows `edgeitems` at each end of an axis. Lines break at `linewidth` characters. `sci_mode` prints
    exponents or none; None leaves the choice to the numbers. `profile` ("default", "short" or "full")
    sets all options first. ValueError for another profile.

    >>> tc.set_printoptions(precision=2)
    >>> tc.tensor([1.2345])
    tensor([1.23])
    >>> tc.set_printoptions(profile="default")
    """
    global _options
    given = {
        "precision": precision, "threshold": threshold, "edgeitems": edgeitems,
        "linewidth": linewidth,
    }  # fmt: skip
    if profile is not None and profile not in _PROFILES:
        raise ValueError(
            f"set_printoptions: profile must be one of {[*_PROFILES]}, got {profile!r}"
        )
    _options = {
        **(_options if profile is None else _PROFILES[profile]),
        **{name: value for name, value in given.items() if value is not None},
        "sci_mode": sci_mode,
    }


def format_tensor(array: np.ndarray, requires_grad: bool, grad_fn: Any) -> str:
    """The text of a Tensor."""
    start, suffixes = "tensor(", []
    usual: tuple[Any, ...] = (get_default_dtype(), int64, bool_)
    if not array.size:
        text, usual = "[]", usual[:1]
        if array.ndim != 1:
            suffixes.append(f"size={array.shape}")
    else:
        summarised = array.size > _options["threshold"]
        text_of = _formatter(_shown(array) if summarised else array)
        text = _nested(array, len(start), summarised, *text_of)
    if array.dtype not in usual:
        suffixes.append(f"dtype={shown(array.dtype)}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn.name()}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    text = start + text
    used = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if used + len(suffix) + 2 > _options["linewidth"]:
            text += ",\n" + " " * len(start) + suffix
            used = len(start) + len(suffix)
        else:
            text += ", " + suffix
            used += len(suffix) + 2
    return text + ")"


def _ends(array: np.ndarray) -> tuple[Any, Any] | None:
    """The first and the last elements of the first axis, if a summary leaves some out."""
    edge = _options["edgeitems"]
    return (array[:edge], array[len(array) - edge :]) if len(array) > 2 * edge else None


def _shown(array: np.ndarray) -> np.ndarray:
    """The elements that a summary shows, as one array."""
    edge = _options["edgeitems"]
    for k, n in enumerate(array.shape):
        if n > 2 * edge:
            array = array.take([*range(edge), *range(n - edge, n)], axis=k)
    return array


def _nested(
    array: np.ndarray, indent: int, summarised: bool, text: Callable[[Any], str], width: int
) -> str:
    if not array.ndim:
        return text(array.item())
    ends = _ends(array) if summarised else None
    if array.ndim == 1:
        first, last = (part.tolist() for part in ends) if ends else (array.tolist(), [])
        items = [*map(text, first), *([" ..."] if ends else []), *map(text, last)]
        a_line = max(1, (_options["linewidth"] - indent) // (width + 2))
        lines = [", ".join(items[k : k + a_line]) for k in range(0, len(items), a_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    first, last = ends or (array, ())
    parts = [_nested(x, indent + 1, summarised, text, width) for x in first]
    parts += ["..."] * (ends is not None)
    parts += [_nested(x, indent + 1, summarised, text, width) for x in last]
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _formatter(array: np.ndarray) -> tuple[Callable[[Any], str], int]:
    """The function from an element to its text, and the width that all texts have."""
    if array.dtype.kind not in FLOATING:
        return _of_width(str, array.ravel().tolist())
    numbers = array[np.isfinite(array) & (array != 0)]
    size = np.abs(numbers).astype(np.float64)
    least, most = (size.min(), size.max()) if size.size else (1.0, 1.0)
    whole = bool((size == np.ceil(size)).all())
    exponents: Any = most / least > 1000 or most > 1e8 or (not whole and least < 1e-4)
    if size.size and _options["sci_mode"] is not None:
        exponents = _options["sci_mode"]
    digits = _options["precision"]

    def with_exponent(x: float) -> str:
        return f"{x:.{digits}e}"

    def with_point(x: float) -> str:
        return f"{x:.0f}." if math.isfinite(x) else str(x)

    def with_digits(x: float) -> str:
        return f"{x:.{digits}f}"

    text = with_exponent if exponents else with_point if whole else with_digits
    return _of_width(text, numbers.tolist())


def _of_width(text: Callable[[Any], str], values: list[Any]) -> tuple[Callable[[Any], str], int]:
    width = max((len(text(x)) for x in values), default=1)
    return lambda x: text(x).rjust(width), width
