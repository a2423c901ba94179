"""How a Tensor prints: as PyTorch's do, `tensor([1.0000, 2.5000], requires_grad=True)`."""

from __future__ import annotations

from typing import Any

import numpy as np

_DEFAULTS = ("float32", "int64", "bool")  # dtypes that go without saying


def format_tensor(array: np.ndarray, requires_grad: bool, grad_fn: Any) -> str:
    """The text of a Tensor."""
    if array.size == 0 and array.shape != (0,):
        text, suffixes = "[]", [f"size={tuple(array.shape)}"]
    else:
        body = np.array2string(
            array,
            separator=", ",
            prefix="tensor(",
            formatter={"all": _formatter(array)},
            threshold=1000,
            edgeitems=3,
            max_line_width=80,
        )
        text, suffixes = body, []
    if str(array.dtype) not in (_DEFAULTS if array.size else _DEFAULTS[:1]):
        suffixes.append(f"dtype=torch.{array.dtype}")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn.name()}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return f"tensor({', '.join([text, *suffixes])})"


def _formatter(array: np.ndarray) -> Any:
    if array.dtype.kind == "b":
        width = 5 if array.ndim and not array.all() else 4
        return lambda x: f"{x!s:>{width if array.ndim else 0}}"
    finite = array[np.isfinite(array)].astype(np.float64) if array.dtype.kind == "f" else array
    if array.dtype.kind != "f":
        texts = lambda x: str(int(x))  # noqa: E731
    else:
        size = np.abs(finite[finite != 0]) if finite.size else finite
        whole = bool(np.all(finite == np.trunc(finite)))
        large = size.size and (
            size.max() > 1e8 or size.max() / size.min() > 1000 or (not whole and size.min() < 1e-4)
        )
        if large:
            texts = lambda x: f"{x:.4e}"  # noqa: E731
        elif whole:
            texts = lambda x: f"{x:.0f}." if np.isfinite(x) else str(x)  # noqa: E731
        else:
            texts = lambda x: f"{x:.4f}"  # noqa: E731
    shown = array if array.dtype.kind != "f" else finite[finite != 0]
    shown = shown.ravel()[:1000]
    width = max((len(texts(x)) for x in shown), default=0) if array.ndim else 0
    return lambda x: f"{texts(x):>{width}}"
