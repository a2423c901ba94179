"""`python -m benchmarks.errors`: the rounding errors of convolutions, a table of kernels/NOTES.md.

An error is the largest difference from the same sums in double precision (for float64, NumPy's long
double), divided by the largest number of the result. x, w and the cotangent are standard normal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn import kernels

CASES = {
    "3×3, 64 channels, Winograd": ((8, 64, 16, 16), (64, 64, 3, 3), 1, 1),
    "3×3, 256 channels, Winograd": ((16, 256, 8, 8), (256, 256, 3, 3), 1, 1),
    "5×5, 48 channels, Winograd": ((2, 48, 16, 16), (48, 48, 5, 5), 1, 1),
    "3×3 stride 2, 64 channels, direct": ((2, 64, 16, 16), (64, 64, 3, 3), 2, 1),
    "1×1, 256 channels, direct": ((2, 256, 16, 16), (64, 256, 1, 1), 1, 1),
    "3×3 depthwise": ((2, 64, 16, 16), (64, 1, 3, 3), 1, 64),
}


def errors(own: Any, case: tuple[Any, ...], dtype: type, exact: type) -> list[float]:
    """The errors of y, x̄ and w̄."""
    x_shape, w_shape, stride, groups = case
    pad = w_shape[2] // 2
    how = (stride, stride), ((pad, pad), (pad, pad)), (1, 1), groups
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(shape).astype(dtype) for shape in (x_shape, w_shape))
    exactly = kernels.load("vectorized")
    y = exactly.conv2d(x, w, None, *how)
    g = rng.standard_normal(y.shape).astype(dtype)
    found = []
    for name, arguments in (
        ("conv2d", (x, w, None, *how)),
        ("conv2d_input", (g, w, x_shape, *how)),
        ("conv2d_weight", (g, x, w_shape, *how)),
    ):
        precise = [a.astype(exact) if isinstance(a, np.ndarray) else a for a in arguments]
        expected = getattr(exactly, name)(*precise)
        actual = getattr(own, name)(*arguments)
        found.append(float(np.abs(actual - expected).max() / np.abs(expected).max()))
    return found


def main() -> None:
    """Print the table."""
    print("| convolution | dtype | vectorized: y, x̄, w̄ | compiled: y, x̄, w̄ |\n|---|---|---|---|")
    for name, case in CASES.items():
        for dtype, exact in ((np.float32, np.float64), (np.float64, np.longdouble)):
            columns = [
                ", ".join(f"{error:.0e}" for error in errors(own, case, dtype, exact))
                for own in map(kernels.load, kernels.SETS)
            ]
            print(f"| {name} | {dtype.__name__} | {columns[0]} | {columns[1]} |")


if __name__ == "__main__":
    main()
