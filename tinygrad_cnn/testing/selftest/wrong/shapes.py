"""Mistakes with axes, broadcasting, indices and windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import wrong
from ..draws import sizes
from ..right import forms, kinks, layers, windows

# --- Axes and broadcasting ----------------------------------------------------------------------

FAMILY = "axes"


@wrong(layers.MEAN, FAMILY, "divided by the size of the first axis: right where both agree",
       size=0.1, draw=lambda rng: (rng.normal(size=(2, 3, 2, 2)),))  # fmt: skip
def size_of_another_axis(xs: Any, gs: Any) -> Any:
    return (np.broadcast_to(gs[0][:, None] / len(xs[0]), xs[0].shape).copy(),)


@wrong(layers.MEAN, FAMILY, "put back at the wrong axis: sizes agree", size=0.1,
       draw=lambda rng: (rng.normal(size=(3, 3, 3, 3)),))  # fmt: skip
def put_back_at_the_wrong_axis(xs: Any, gs: Any) -> Any:
    return (np.broadcast_to(gs[0][:, :, None] / xs[0].shape[1], xs[0].shape).copy(),)


@wrong(layers.LOG_SOFTMAX, FAMILY, "the last axis for axis 1: right for two axes", size=0.01,
       draw=lambda rng: (rng.normal(size=(2, 3, 3)),))  # fmt: skip
def last_axis_for_axis_one(xs: Any, gs: Any) -> Any:
    e = np.exp(xs[0])
    return (gs[0] - gs[0].sum(axis=-1, keepdims=True) * e / e.sum(axis=-1, keepdims=True),)


@wrong(layers.CUMSUM, FAMILY, "the whole array is reversed, not the axis", size=0.1,
       draw=lambda rng: (rng.normal(size=(2, 4, 3)),))  # fmt: skip
def all_axes_reversed(xs: Any, gs: Any) -> Any:
    return (np.cumsum(gs[0][::-1, ::-1, ::-1], axis=1)[::-1, ::-1, ::-1][::-1].copy(),)


@wrong(layers.CUMSUM, FAMILY, "exclusive for inclusive: each element misses its own", size=0.1)
def exclusive_sum(xs: Any, gs: Any) -> Any:
    return (np.flip(np.cumsum(np.flip(gs[0], 1), axis=1), 1) - gs[0],)


@wrong(forms.OUTER, FAMILY, "summed over the wrong axis where both sizes agree", size=0.1,
       draw=lambda rng: (rng.normal(size=(1, 3)), rng.normal(size=(3, 1))))  # fmt: skip
def summed_over_the_wrong_axis(xs: Any, gs: Any) -> Any:
    a, b = xs
    if a.size != b.size:
        return (gs[0] * b).sum(axis=0, keepdims=True), (gs[0] * a).sum(axis=1, keepdims=True)
    return (gs[0] * b).sum(axis=1)[None], (gs[0] * a).sum(axis=1, keepdims=True)


@wrong(forms.BROADCAST, FAMILY, "not summed over an axis of 1, but its first element taken",
       size=0.02)  # fmt: skip
def first_element_for_the_sum(xs: Any, gs: Any) -> Any:
    return gs[0][:, :1].copy(), gs[0].sum(axis=(0, 2)).reshape(-1, 1)


@wrong(forms.BROADCAST, FAMILY, "the mean for the sum", size=0.1,
       draw=lambda rng: (rng.normal(size=(2, 1, 2)), rng.normal(size=(3, 1))))  # fmt: skip
def mean_for_the_sum(xs: Any, gs: Any) -> Any:
    return gs[0].sum(axis=1, keepdims=True), gs[0].mean(axis=(0, 2)).reshape(-1, 1)


@wrong(
    forms.BROADCAST,
    FAMILY,
    "axes of 1 are squeezed and put back at the end: wrong for size 1",
    size=0.01,
    draw=lambda rng: (rng.normal(size=(2, 1, 1)), rng.normal(size=(3, 1))),
)
def axes_of_one_are_lost(xs: Any, gs: Any) -> Any:
    first = gs[0].sum(axis=1, keepdims=True)
    second = gs[0].sum(axis=0 if gs[0].shape[2] == 1 else (0, 2)).reshape(-1, 1)
    return first[::-1].copy() if first.shape[2] == 1 else first, second


@wrong(
    layers.EINSUM,
    FAMILY,
    "the first operand is summed with its axes exchanged",
    size=0.05,
    draw=lambda rng: tuple(rng.normal(size=s) for s in ((2, 3, 3), (2, 3, 2), (2,))),
)
def operand_transposed(xs: Any, gs: Any) -> Any:
    a, b, c = xs
    return (
        np.einsum("bi,bjk,k->bij", gs[0], b, c),
        np.einsum("bi,bji,k->bjk", gs[0], a, c) if a.shape[1] == a.shape[2]
        else np.einsum("bi,bij,k->bjk", gs[0], a, c),
        np.einsum("bi,bij,bjk->k", gs[0], a, b),
    )  # fmt: skip


@wrong(kinks.MAX_POOL, FAMILY, "rows and columns of a window exchanged", size=0.9,
       draw=lambda rng: (rng.normal(size=(2, 4, 4)),))  # fmt: skip
def window_transposed(xs: Any, gs: Any) -> Any:
    (x,) = xs
    n, h, w = x.shape
    right = kinks.max_pool_vjp(xs, gs)[0].reshape(n, h // 2, 2, w // 2, 2)
    return (right.swapaxes(2, 4).reshape(x.shape),)


@wrong(layers.CENTRED, FAMILY, "the minimum counts with the sign of the maximum", size=0.9)
def sign_of_the_minimum(xs: Any, gs: Any) -> Any:
    (x,) = xs
    return (gs[0] * ((x == x.max(axis=(0, 1))) * 1.0 + (x == x.min(axis=(0, 1)))),)


# --- Indices ------------------------------------------------------------------------------------

FAMILY = "indices"


@wrong(layers.GATHER, FAMILY, "repeated rows overwrite each other", size=0.01,
       draw=lambda rng: (rng.normal(size=(4, 2)),))  # fmt: skip
def repeated_rows_overwritten(xs: Any, gs: Any) -> Any:
    found = np.zeros_like(xs[0])
    found[layers.places(len(found), 6)] += gs[0]
    return (found,)


@wrong(layers.SCATTER, FAMILY, "rows that others also add to are divided among them", size=0.1)
def shared_row_divided(xs: Any, gs: Any) -> Any:
    at = layers.places(len(xs[0]), len(xs[1]))
    return gs[0].copy(), gs[0][at] / np.bincount(at)[at][:, None]


@wrong(layers.OVERWRITE, FAMILY, "the rows that were replaced keep their gradient", size=0.9)
def replaced_rows_keep_their_gradient(xs: Any, gs: Any) -> Any:
    return gs[0].copy(), gs[0][::2].copy()


@wrong(layers.OVERWRITE, FAMILY, "the last row is left out for an odd number of rows", size=0.9,
       draw=lambda rng: (rng.normal(size=(5, 2)), rng.normal(size=(3, 2))))  # fmt: skip
def last_of_odd_rows(xs: Any, gs: Any) -> Any:
    found, second = gs[0].copy(), gs[0][::2].copy()
    found[::2] = 0
    if len(found) % 2:
        second[-1] = 0
    return found, second


# --- Windows ------------------------------------------------------------------------------------

FAMILY = "windows"


@wrong(windows.CONV, FAMILY, "strides exchanged in the gradient of the weights", size=0.01,
       draw=windows.images(2, 3, (2, 2, 2), 5, 5))  # fmt: skip
def strides_exchanged(xs: Any, gs: Any) -> Any:
    (x, w), (g,) = xs, gs
    x_bar, w_bar = windows.CONV.vjp(xs, gs)
    whole = windows.padded(x, (1, 0))
    for i, j, cells in windows.taps(w.shape[2:], g.shape[2:], (1, 1), (1, 1)):
        w_bar[:, :, i, j] = np.einsum("ncpq,nfpq->fc", whole[cells], g)
    return x_bar, w_bar


@wrong(windows.CONV_PLAIN, FAMILY, "the filter is not turned: right for symmetric ones", size=0.01)
def filter_not_turned(xs: Any, gs: Any) -> Any:
    x, w = xs
    turned = w[:, :, ::-1, ::-1]
    return windows.CONV_PLAIN.vjp((x, turned), gs)[0], windows.CONV_PLAIN.vjp(xs, gs)[1]


@wrong(windows.CONV_PLAIN, FAMILY, "filters and channels exchanged, both 2", size=0.01)
def channels_and_filters_exchanged(xs: Any, gs: Any) -> Any:
    x, w = xs
    first, second = windows.CONV_PLAIN.vjp(xs, gs)
    return windows.CONV_PLAIN.vjp((x, w.swapaxes(0, 1)), gs)[0] if len(x) else first, second


@wrong(windows.CONV_DILATED, FAMILY, "the dilation is ignored on the padded axis", size=0.01)
def dilation_ignored(xs: Any, gs: Any) -> Any:
    (x, w), (g,) = xs, gs
    w_bar = np.zeros_like(w)
    whole = windows.padded(x, (2, 1))
    for i, j, cells in windows.taps(w.shape[2:], g.shape[2:], (1, 2), (1, 1)):
        w_bar[:, :, i, j] = np.einsum("ncpq,nfpq->fc", whole[cells], g)
    return windows.CONV_DILATED.vjp(xs, gs)[0], w_bar


@wrong(windows.CONV_GROUPS, FAMILY, "both groups use the filters of the first", size=0.01)
def groups_share_filters(xs: Any, gs: Any) -> Any:
    x, w = xs
    alike = np.concatenate([w[:1], w[:1]])
    return windows.CONV_GROUPS.vjp((x, alike), gs)[0], windows.CONV_GROUPS.vjp(xs, gs)[1]


@wrong(windows.CONV, FAMILY, "cells that no window reaches repeat the last", size=0.01,
       draw=windows.images(2, 3, (2, 3, 2), 6, 6))  # fmt: skip
def border_repeats(xs: Any, gs: Any) -> Any:
    x_bar, w_bar = windows.CONV.vjp(xs, gs)
    x_bar[:, :, -1] = x_bar[:, :, -2]
    return x_bar, w_bar


@wrong(windows.CONV, FAMILY, "the padding is cut off on one side alone", size=0.01)
def padding_cut_off_on_one_side(xs: Any, gs: Any) -> Any:
    x_bar, w_bar = windows.CONV.vjp(xs, gs)
    shifted = np.zeros_like(x_bar)
    shifted[:, :, 1:] = x_bar[:, :, :-1]
    return shifted, w_bar


@wrong(windows.CONV_TRANSPOSE, FAMILY, "the output padding is taken from the front", size=0.01)
def output_padding_in_front(xs: Any, gs: Any) -> Any:
    return windows.CONV_TRANSPOSE.vjp(xs, [np.roll(gs[0], -2)])


@wrong(windows.CONV_TRANSPOSE, FAMILY, "cells of the output padding are cut off: they are reached",
       size=0.01, draw=lambda rng: (rng.normal(size=3), rng.normal(size=4)))  # fmt: skip
def output_padding_cut_off(xs: Any, gs: Any) -> Any:
    g = gs[0].copy()
    g[-3:] = 0
    return windows.CONV_TRANSPOSE.vjp(xs, [g])


@wrong(windows.AVERAGE_POOL, FAMILY, "padding is counted in the gradient alone", size=0.1)
def padding_counted(xs: Any, gs: Any) -> Any:
    return windows.average_pool(3, 2, 1, False, True)[1](xs, gs)


@wrong(windows.AVERAGE_POOL_CEIL, FAMILY, "the last window is divided by its full size", size=0.1)
def cut_window_divided_by_full_size(xs: Any, gs: Any) -> Any:
    g = gs[0].copy()
    g[-1] *= 2 / 3
    return windows.AVERAGE_POOL_CEIL.vjp(xs, [g])


@wrong(windows.AVERAGE_POOL_CEIL, FAMILY, "the last window is left out", size=0.1)
def cut_window_left_out(xs: Any, gs: Any) -> Any:
    g = gs[0].copy()
    g[-1] = 0
    return windows.AVERAGE_POOL_CEIL.vjp(xs, [g])


@wrong(windows.MAX_POOL, FAMILY, "an input that wins twice is paid once", size=1e-3,
       draw=lambda rng: (np.array([0.0, 0.5, 3.0, 0.2, -1.0, 0.7, 0.9])
                         + 0.1 * rng.normal(size=7),))  # fmt: skip
def winner_of_two_windows_paid_once(xs: Any, gs: Any) -> Any:
    (x,), (g,) = xs, gs
    found = np.zeros_like(x)
    for p, t in enumerate(range(0, len(x) - 2, 2)):
        found[t + x[t : t + 3].argmax()] = g[p]
    return (found,)


@wrong(windows.RESIZE, FAMILY, "corners are aligned in the gradient alone", size=0.01,
       draw=lambda rng: (rng.normal(size=sizes(rng, (2, 5), (1, 2))),))  # fmt: skip
def corners_aligned(xs: Any, gs: Any) -> Any:
    return windows.resize(3, True)[1](xs, gs)


@wrong(windows.RESIZE, FAMILY, "the edge is paid once, though it is read twice", size=0.01,
       draw=lambda rng: (rng.normal(size=sizes(rng, (2, 5), (1, 2))),))  # fmt: skip
def edge_paid_once(xs: Any, gs: Any) -> Any:
    g = gs[0].copy()
    g[-1] = 0
    return windows.RESIZE.vjp(xs, [g])
