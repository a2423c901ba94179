"""Values as Python expressions, for the snippet of a failed check."""

from __future__ import annotations

import math

import numpy as np

from ..engine import Op


def show(value: object) -> str:
    """An expression that makes `value` again, where there is one; otherwise its repr.

    The expression uses `np`, `registry` for ops, and the class names in `NAMES`.
    """
    if isinstance(value, np.ndarray):
        shape = f".reshape({value.shape})" if 0 in value.shape else ""
        return f"np.array({value.tolist()}, {str(value.dtype)!r}){shape}"
    if isinstance(value, np.dtype):
        return repr(str(value))
    if isinstance(value, (tuple, list)):
        inside = ", ".join(show(v) for v in value)
        if isinstance(value, list):
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {show(v)}' for key, v in value.items())}}}"
    if isinstance(value, Op):
        return f"registry[{value.name!r}]"
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    return repr(value)


NAMES = {  # classes of attributes, each with the module that a snippet imports it from
    "FixedRandom": "tinygrad_cnn.testing.values",
    "SparseMatrix": "tinygrad_cnn.ops",
}
