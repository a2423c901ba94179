"""Images sampled at the places of a grid, and the grid of an affine map (spatial transformers).

Max Jaderberg et al. 2015, Spatial Transformer Networks. Places are in [-1, 1] along each axis: with
align_corners those are the centres of the first and the last cell, otherwise the edges of the image.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functions, ops
from ...atomic import quiet
from ...engine import wrap
from ...functions.arguments import ints, kind_of, tensors
from ...tensor import Tensor

__all__ = ["affine_grid", "grid_sample"]

MODES = {"bilinear": "linear", "nearest": "nearest", "bicubic": "cubic"}
PADDINGS = ("zeros", "border", "reflection")


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The values of images at the places of a grid.

    input (N, C, H, W) and grid (N, P, Q, 2) of places (u, v) → (N, C, P, Q); or input (N, C, D, H, W)
    and grid (N, O, P, Q, 3) of places (u, v, w) → (N, C, O, P, Q). u goes along W, v along H, and w
    along D. Both have one dtype.

    `mode` is "bilinear" (trilinear for volumes), "nearest" or, for images alone, "bicubic".
    `padding_mode` says what is outside of the images: "zeros", the nearest cell ("border"), or the
    mirror image ("reflection"). What a place of NaN or infinity gives is not defined.

    The gradient by the grid is 0 for "nearest" and where a place is moved to the border. Raises
    ValueError for another mode or padding_mode, RuntimeError for shapes and dtypes that do not fit.
    Warns without `align_corners`, which is False then.

    >>> x = tc.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    >>> grid = tc.tensor([[[[0.0, 0.0], [1.0, -1.0]]]])
    >>> grid_sample(x, grid, align_corners=True)
    tensor([[[[1.5000, 1.0000]]]])
    """
    tensors("grid_sample", input=input, grid=grid)
    if mode not in MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if align_corners is None:
        _warn_of_default()
        align_corners = False
    if not isinstance(align_corners, bool):
        raise TypeError(
            "grid_sampler(): argument 'align_corners' (position 5) must be bool, not "
            f"{kind_of(align_corners)}"
        )
    _check(input._array, grid._array, mode)
    aligned, sizes = align_corners, input._array.shape[2:]
    axes = len(sizes)
    at = [ops.getitem(grid, index=(..., axes - 1 - d)) for d in range(axes)]
    places = [_place(g, n, aligned) for g, n in zip(at, sizes, strict=True)]
    outside = "zeros"
    if mode == "bicubic":  # the cells are moved, one by one
        reflected = "centres" if aligned else "edges"
        outside = {"zeros": "zeros", "border": "border", "reflection": reflected}[padding_mode]
    elif padding_mode != "zeros":
        if padding_mode == "reflection":
            places = [_reflected(u, n, aligned) for u, n in zip(places, sizes, strict=True)]
        places = [_clipped(u, n) for u, n in zip(places, sizes, strict=True)]
    u = ops.stack(*places, dim=-1)
    return ops.sample(input, u, taps=MODES[mode], outside=outside, orders=(0,) * axes)


def _warn_of_default() -> None:
    warnings.warn(
        "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
        "Please specify align_corners=True if the old behavior is desired. See the documentation of "
        "grid_sample for details.",
        stacklevel=3,
    )


def _check(x: np.ndarray, grid: np.ndarray, mode: str) -> None:
    if x.dtype != grid.dtype:
        raise RuntimeError(
            "grid_sampler(): expected input and grid to have same dtype, but input has "
            f"{x.dtype} and grid has {grid.dtype}"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(f'"grid_sampler" not implemented for {x.dtype}')
    got = f"but got input with sizes {list(x.shape)} and grid with sizes {list(grid.shape)}"
    if x.ndim not in (4, 5) or x.ndim != grid.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, "
            + got
        )
    if x.shape[0] != grid.shape[0]:
        raise RuntimeError(
            f"grid_sampler(): expected grid and input to have same batch size, {got}"
        )
    if grid.shape[-1] != x.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, {got}"
        )
    if 0 in x.shape[2:]:
        raise RuntimeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, {got}"
        )
    if mode == "bicubic" and x.ndim == 5:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input: " + got)


# --- Places, in cells -------------------------------------------------------------------------------


def _place(g: Any, n: int, aligned: bool) -> Any:
    """Places in [-1, 1] as places among the n cells, of which the first has its centre at 0."""
    if aligned:
        return (g + 1) * ((n - 1) / 2)
    return (g + 1) * (n / 2) - 0.5


def _reflected(u: Any, n: int, aligned: bool) -> Any:
    """Places outside reflected at the centres of the first and the last cell, or at their edges."""
    low, span = (0.0, n - 1) if aligned else (-0.5, n)
    if not span:
        return u * 0
    way = ops.abs(u - low)
    rest = ops.fmod(way, span)
    with quiet():
        back = np.floor(way._array / span) % 2 == 1
    return ops.where(back, span - rest, rest) + low


def _clipped(u: Any, n: int) -> Any:
    """Places outside moved to the first or the last cell. There, and from there on, the gradient is 0."""
    a = u._array
    inside = (a > 0) & (a < n - 1)
    border = np.where(a >= n - 1, n - 1, 0).astype(a.dtype)  # 0 for NaN
    return ops.where(inside, u, wrap(border))


# --- Grids ------------------------------------------------------------------------------------------


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid of places for `grid_sample` at which an affine map takes the cells of its output.

    theta (N, 2, 3) and size (N, C, H, W) → (N, H, W, 2); or theta (N, 3, 4) and size (N, C, D, H, W)
    → (N, D, H, W, 3). The cell at the place (u, v) takes theta · (u, v, 1).

    Raises ValueError for shapes that do not fit, NotImplementedError for other sizes than of images and
    volumes. Warns without `align_corners`, which is False then.

    >>> affine_grid(tc.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    tensors("affine_grid", theta=theta)
    if align_corners is None:
        _warn_of_default()
    t = theta._array
    if t.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {t.dtype}")
    size = ints("affine_grid", "size", size)
    axes = {4: 2, 5: 3}.get(len(size))
    if axes is None:
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {list(size)}."
        )
    if t.shape[1:] != (axes, axes + 1):
        raise ValueError(
            f"Expected a batch of {axes}D affine matrices of shape Nx{axes}x{axes + 1} for size "
            f"{list(size)}. Got {list(t.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {list(size)}")
    if t.shape[0] != size[0]:
        raise RuntimeError(f"affine_grid: theta is a batch of {t.shape[0]}, size wants {size[0]}")
    at = [_middles(n, bool(align_corners), t.dtype) for n in size[2:]]
    cells = np.ones((*size[2:], axes + 1), t.dtype)  # (.., x, y, z, 1)
    for d, places in enumerate(np.meshgrid(*at, indexing="ij")):
        cells[..., axes - 1 - d] = places
    rows = wrap(np.tile(cells.reshape(1, -1, axes + 1), (size[0], 1, 1)))
    grid = functions.matmul(rows, functions.transpose(theta, 1, 2))
    return functions.reshape(grid, (size[0], *size[2:], axes))


def _middles(n: int, aligned: bool, dtype: Any) -> np.ndarray:
    """The places of n cells in [-1, 1]."""
    if n == 1:
        return np.zeros(1, dtype)
    line = np.linspace(-1, 1, n, dtype=dtype)
    return line if aligned else line * np.asarray((n - 1) / n, dtype)
