"""What is particular to the kernels in Numba; that they are the loops, test_kernels.py shows."""

import importlib
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import vectorized

pytest.importorskip("numba")

from tinygrad_cnn.kernels import compiled
from tinygrad_cnn.kernels.compiled import _calls, _jit, _winograd, convolution, few, winograd

products = importlib.import_module("tinygrad_cnn.kernels.compiled.matmul")  # not the function

FLOATS = [np.float32, np.float64]
SAME = (1, 1), ((1, 1), (1, 1)), (1, 1), 1  # stride, padding, dilation, groups


def arrays(seed, *shapes, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def near(actual, expected, bits=2.0**10):
    """Equal but for rounding: so many units in the last place of the largest."""
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    bound = bits * np.finfo(expected.dtype).eps * np.abs(expected).max(initial=0)
    assert np.abs(actual - expected).max(initial=0) <= bound


def near_where_finite(actual, expected):
    """`near`, and the same elements are infinite or NaN."""
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(actual), finite)
    near(np.where(finite, actual, 0), np.where(finite, expected, 0))


def channels_last(x):
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@st.composite
def convolutions(draw):
    """Shapes with more channels than a vector has lanes, and fewer, and all ways to go."""
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (3, 3), (5, 5), (2, 3), (4, 1), (7, 7)]))
    groups, c, f = draw(
        st.sampled_from(
            [(1, 3, 20), (1, 17, 33), (1, 40, 16), (1, 1, 6), (1, 16, 5), (2, 9, 17), (33, 1, 1)]
        )
    )
    stride, dilation = (draw(st.tuples(*[st.integers(1, 2)] * 2)) for _ in "sd")
    if draw(st.booleans()):
        stride = dilation = (1, 1)
    padding = tuple(draw(st.tuples(*[st.integers(0, 3)] * 2)) for _ in "hw")
    plane = [
        max(draw(st.integers(1, 14)), d * (k - 1) + 1 - sum(pad))
        for d, k, pad in zip(dilation, kernel, padding, strict=True)
    ]
    shape = (draw(st.integers(1, 9)), groups * c, *plane)
    return shape, (groups * f, c, *kernel), (stride, padding, dilation, groups)


@given(convolutions(), st.sampled_from(FLOATS), st.integers(0, 2**32), st.booleans())
def test_convolutions_are_those_of_numpy(case, dtype, seed, last):
    x_shape, w_shape, how = case
    x, w, bias = arrays(seed, x_shape, w_shape, w_shape[:1], dtype=dtype)
    if last:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    y = vectorized.conv2d(x, w, bias, *how)
    (g,) = arrays(seed + 1, y.shape, dtype=dtype)
    near(compiled.conv2d(x, w, bias, *how), y)
    near(compiled.conv2d_input(g, w, x_shape, *how), vectorized.conv2d_input(g, w, x_shape, *how))
    dw = compiled.conv2d_weight(g, x, w_shape, *how)
    near(dw, vectorized.conv2d_weight(g, x, w_shape, *how))
    assert dw.flags.c_contiguous


@st.composite
def batches(draw):
    """Few channels and filters on many images, as many as vectors have lanes, and fewer, and more."""
    kernel = draw(st.tuples(*[st.integers(1, 7)] * 2))
    c, f = draw(st.sampled_from([(1, 6), (6, 16), (1, 1), (3, 5), (2, 13)]))
    stride, dilation = (draw(st.tuples(*[st.integers(1, 3)] * 2)) for _ in "sd")
    padding = tuple(draw(st.tuples(*[st.integers(0, 3)] * 2)) for _ in "hw")
    plane = [
        max(draw(st.integers(1, 9)), d * (k - 1) + 1 - sum(pad))
        for d, k, pad in zip(dilation, kernel, padding, strict=True)
    ]
    n = draw(st.sampled_from([16, 17, 31, 32, 64, 70, 128]))
    return (n, c, *plane), (f, c, *kernel), (stride, padding, dilation, 1)


def innermost(x):
    """The same images, innermost in memory."""
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [1, np.inf])
def test_groups_of_many_channels_and_few_tiles_go_one_by_one(dtype, value, monkeypatch):
    monkeypatch.setattr(convolution, "EACH_WORK", 0)
    monkeypatch.setattr(winograd, "TILES", np.inf)
    x, w, bias = arrays(0, (2, 48, 9, 10), (51, 16, 3, 3), (51,), dtype=dtype)
    x[1, 20, 3, 4] = value
    with np.errstate(all="ignore"):
        y = vectorized.conv2d(x, w, bias, *SAME[:3], 3)
        near_where_finite(compiled.conv2d(x, w, bias, *SAME[:3], 3), y)
        (g,) = arrays(1, y.shape, dtype=dtype)
        g[0, 1, 2, 3] = value
        for name, of, shape in (("conv2d_input", w, x.shape), ("conv2d_weight", x, w.shape)):
            expected = getattr(vectorized, name)(g, of, shape, *SAME[:3], 3)
            near_where_finite(getattr(compiled, name)(g, of, shape, *SAME[:3], 3), expected)


@given(
    st.sampled_from([3, 5]), st.sampled_from([1, 2, 3, 4, 6, 10]), st.tuples(*[st.integers(1, 50)] * 2),
    st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)), st.sampled_from(FLOATS),
    st.integers(0, 2**32), st.sampled_from([None, np.nan, np.inf]), st.booleans(),
)  # fmt: skip
@settings(deadline=None)
def test_groups_of_any_channels_and_filters(r, groups, each, plane, dtype, seed, bad, biased):
    """As many as a vector has room for together, or one by one in panels that are not full."""
    (c, f), (N, H, W), padding = each, plane, (r // 2, r // 2)
    C, F, how = groups * c, groups * f, ((1, 1), (padding,) * 2, (1, 1), groups)
    x, w, bias, g = arrays(seed, (N, C, H, W), (F, c, r, r), (F,), (N, F, H, W), dtype=dtype)
    if bad is not None:
        x[0, seed % C, 0, 0] = g[0, seed % F, 0, 0] = bad
    bias = bias if biased else None
    calls = [
        ("conv2d", x, w, bias), ("conv2d_input", g, w, x.shape), ("conv2d_weight", g, x, w.shape)
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(convolution, "has_tiles", lambda *_: True)
        if bad is None:  # nothing is done again
            patch.setattr(winograd.direct, "direct", None)
            patch.setattr(winograd.direct, "direct_weight", None)
        for name, *arguments in calls:
            actual = getattr(compiled, name)(*arguments, *how)
            near_where_finite(actual, getattr(vectorized, name)(*arguments, *how))


@st.composite
def depthwise_layers(draw):
    """Of few channels, of some vectors and of part of one; windows that stay in x, and that do not."""
    kernel = draw(st.sampled_from([(3, 3), (3, 3), (3, 3), (5, 5), (1, 1), (2, 3), (4, 1), (7, 7)]))
    strides = st.integers(1, 3)
    stride, dilation = (draw(st.tuples(strides, strides)) for _ in "sd")
    if draw(st.booleans()):
        stride, dilation = (draw(st.integers(1, 2)),) * 2, (1, 1)
    padding = tuple(draw(st.tuples(*[st.integers(0, 3)] * 2)) for _ in "hw")
    plane = [
        max(draw(st.integers(1, 20)), d * (k - 1) + 1 - sum(pad))
        for d, k, pad in zip(dilation, kernel, padding, strict=True)
    ]
    C = draw(st.sampled_from([2, 16, 33, 48]))
    return (draw(st.integers(1, 3)), C, *plane), (C, 1, *kernel), (stride, padding, dilation, C)


@given(
    depthwise_layers(), st.sampled_from(FLOATS), st.integers(0, 2**32), st.booleans(), st.booleans(),
    st.sampled_from([None, None, "x", "w", "g"]), st.sampled_from([np.inf, np.nan]),
)  # fmt: skip
def test_depthwise_reads_x_where_it_lies(case, dtype, seed, last, last_g, where, value):
    """Channels innermost or not; an infinity or NaN anywhere spreads as with zeros around x."""
    x_shape, w_shape, how = case
    x, w, bias = arrays(seed, x_shape, w_shape, (w_shape[0],), dtype=dtype)
    with np.errstate(all="ignore"):
        (g,) = arrays(seed + 1, vectorized.conv2d(x, w, None, *how).shape, dtype=dtype)
        if where:
            array = {"x": x, "w": w, "g": g}[where]
            array.flat[seed % array.size] = value
        cases = [("conv2d", (x, w, bias)), ("conv2d_input", (g, w, x_shape)),
                 ("conv2d_weight", (g, x, w_shape))]  # fmt: skip
        for name, (a, b, third) in cases:
            expected = getattr(vectorized, name)(a, b, third, *how)
            flags = (last_g if a is g else last, last)
            a, b = (
                channels_last(v) if flag and v is not w else v
                for v, flag in zip((a, b), flags, strict=True)
            )
            near_where_finite(getattr(compiled, name)(a, b, third, *how), expected)


@given(batches(), st.sampled_from(FLOATS), st.integers(0, 2**32), st.booleans(), st.booleans())
def test_vectors_of_images_give_what_numpy_gives(case, dtype, seed, last, last_g):
    x_shape, w_shape, how = case
    x, w, bias = arrays(seed, x_shape, w_shape, w_shape[:1], dtype=dtype)
    x = innermost(x) if last else x
    y = vectorized.conv2d(x, w, bias, *how)
    (g,) = arrays(seed + 1, y.shape, dtype=dtype)
    g = innermost(g) if last_g else g
    near(few.conv2d(x, w, bias, *how), y)
    near(few.conv2d_input(g, w, x_shape, *how), vectorized.conv2d_input(g, w, x_shape, *how))
    dw = few.conv2d_weight(g, x, w_shape, *how)
    near(dw, vectorized.conv2d_weight(g, x, w_shape, *how))
    assert dw.flags.c_contiguous


@pytest.mark.parametrize("where", ["x", "w", "g"])
def test_vectors_of_images_have_the_infinities_of_numpy(where):
    x, w = arrays(0, (17, 1, 6, 6), (3, 1, 3, 3))
    how = (1, 1), ((1, 1), (2, 0)), (1, 1), 1
    g = vectorized.conv2d(x, w, None, *how)
    {"x": x, "w": w, "g": g}[where][0, 0, 0, 0] = np.inf
    for name, arguments in (
        ("", (x, w, None)),
        ("_input", (g, w, x.shape)),
        ("_weight", (g, x, w.shape)),
    ):
        with np.errstate(all="ignore"):
            actual, expected = (
                getattr(k, "conv2d" + name)(*arguments, *how) for k in (few, vectorized)
            )
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("plane", [(6, 6), (7, 8), (5, 1)])
@pytest.mark.parametrize("stride", [(2, 2), (2, 3), (4, 2)])
@pytest.mark.parametrize("padding", [((0, 0), (0, 0)), ((1, 1), (0, 1))])
def test_windows_apart_leave_no_cell_unwritten(plane, stride, padding):
    (x,) = arrays(0, (2, 20, *plane))
    x = x.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    spans = zip(plane, stride, padding, strict=True)
    size = tuple((n + sum(pad) - 1) // s + 1 for n, s, pad in spans)  # the last reaches out of x
    how = (2, 2), stride, padding, (1, 1)
    y, taps = compiled.max_pool2d(x, *how, size)
    for _ in range(3):  # in memory that was in use
        dx = compiled.max_pool2d_scatter(y, taps, x.shape, *how)
        np.testing.assert_array_equal(dx, vectorized.max_pool2d_scatter(y, taps, x.shape, *how))
        dx[...] = np.nan


@given(st.integers(0, 2**32), st.sampled_from(FLOATS), st.tuples(*[st.integers(1, 3)] * 4))
def test_pooling_takes_images_for_channels(seed, dtype, windows):
    (x,) = arrays(seed, (18, 3 if seed % 2 else 20, 7, 8), dtype=dtype)
    x = innermost(np.round(x))  # ties
    kernel, stride = windows[:2], windows[2:]
    size = tuple((n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel, stride, strict=True))
    how = kernel, stride, ((0, 0), (0, 0))
    y, taps = compiled.max_pool2d(x, *how, (1, 1), size)
    for actual, expected in zip(
        (y, taps), vectorized.max_pool2d(x, *how, (1, 1), size), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)
        assert actual.strides[0] == actual.itemsize
    near(
        compiled.max_pool2d_scatter(y, taps, x.shape, *how, (1, 1)),
        vectorized.max_pool2d_scatter(y, taps, x.shape, *how, (1, 1)),
    )
    near(compiled.avg_pool2d(x, *how, size, 3), vectorized.avg_pool2d(x, *how, size, 3))
    near(
        compiled.avg_pool2d_input(y, x.shape, *how, 3),
        vectorized.avg_pool2d_input(y, x.shape, *how, 3),
    )


def test_pooling_where_images_and_channels_step_alike():
    """As where an array shows the same numbers again and again: to swap the two changes nothing."""
    (numbers,) = arrays(0, (200,))
    x = np.lib.stride_tricks.as_strided(numbers, (17, 20, 4, 4), (4, 4, 160, 40))
    how = (2, 2), (2, 2), ((0, 0), (0, 0))
    y, _ = compiled.max_pool2d(x, *how, (1, 1), (2, 2))
    np.testing.assert_array_equal(y, vectorized.max_pool2d(x, *how, (1, 1), (2, 2))[0])
    g = x[..., :2, :2]
    near(compiled.avg_pool2d(x, *how, (2, 2), 4), vectorized.avg_pool2d(x, *how, (2, 2), 4))
    near(
        compiled.avg_pool2d_input(g, x.shape, *how, 4),
        vectorized.avg_pool2d_input(g, x.shape, *how, 4),
    )


@given(convolutions(), st.sampled_from([np.nan, np.inf, -np.inf, 3e38]), st.integers(0, 2**32))
@settings(deadline=None)
def test_what_is_not_finite_spreads_no_further_than_its_windows(case, value, seed):
    x_shape, w_shape, how = case
    x, w = arrays(seed, x_shape, w_shape)
    y = vectorized.conv2d(x, w, None, *how)
    (g,) = arrays(seed + 1, y.shape)
    for array in (x, g):
        array[tuple(seed % n for n in array.shape)] = value
    with np.errstate(all="ignore"):
        for actual, expected in (
            (compiled.conv2d(x, w, None, *how), vectorized.conv2d(x, w, None, *how)),
            (
                compiled.conv2d_input(g, w, x_shape, *how),
                vectorized.conv2d_input(g, w, x_shape, *how),
            ),
            (
                compiled.conv2d_weight(g, x, w_shape, *how),
                vectorized.conv2d_weight(g, x, w_shape, *how),
            ),
        ):
            assert np.array_equal(np.isfinite(actual), np.isfinite(expected))


@given(
    st.sampled_from([3, 5]), st.sampled_from([(17, 33), (40, 50), (16, 96)]),
    st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)), st.sampled_from([4, 12, 96]),
    st.sampled_from(FLOATS), st.integers(0, 2**32), st.sampled_from([None, np.nan, np.inf]),
)  # fmt: skip
@settings(deadline=None)
def test_filters_panel_by_panel_and_so_many_tiles_at_once(
    r, channels, plane, at_once, dtype, seed, bad
):
    """As where there are more filters than tiles: here always, in blocks of few tiles or channels."""
    (C, F), (N, H, W) = channels, plane
    how = (1, 1), ((r // 2, r // 2),) * 2, (1, 1), 1
    x, w, bias, g = arrays(seed, (N, C, H, W), (F, C, r, r), (F,), (N, F, H, W), dtype=dtype)
    if bad is not None:
        x[0, seed % C, 0, 0] = g[0, seed % F, 0, 0] = bad
    calls = [
        ("conv2d", x, w, bias), ("conv2d_input", g, w, x.shape), ("conv2d_weight", g, x, w.shape)
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(winograd, "PANELS", 0)
        patch.setattr(winograd, "AT_ONCE", at_once)
        for name, *arguments in calls:
            actual = getattr(compiled, name)(*arguments, *how)
            expected = getattr(vectorized, name)(*arguments, *how)
            finite = np.isfinite(expected)
            assert np.array_equal(np.isfinite(actual), finite)
            near(np.where(finite, actual, 0), np.where(finite, expected, 0))


def peak_in_a_new_thread(call):
    """Bytes: its scratch memory is empty, and so counted."""
    peaks = []

    def run():
        tracemalloc.start()
        call()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    call()  # compiled before
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return peaks[0]


def test_transformed_filters_are_not_all_in_memory_at_once():
    """Nor are the sums for their gradient, where images are few: both take 4 times the filters."""
    x, w = arrays(0, (4, 256, 4, 4), (256, 256, 3, 3))
    half = 2 * w.nbytes
    assert peak_in_a_new_thread(lambda: compiled.conv2d(x, w, None, *SAME)) < half
    weight = lambda: compiled.conv2d_weight(x, x, w.shape, *SAME)  # noqa: E731
    assert peak_in_a_new_thread(weight) < w.nbytes + half


@pytest.mark.parametrize("stride", [1, 2])
def test_what_memory_held_before_does_not_matter(stride, monkeypatch):
    """More filters than tiles, and than numbers of x: these have ways of their own."""
    how = (stride, stride), ((1, 1), (1, 1)), (1, 1), 1
    x, w = arrays(0, (16, 4, 4, 64), (256, 64, 3, 3))
    x = x.transpose(0, 3, 1, 2)
    y = vectorized.conv2d(x, w, None, *how)
    g = np.ascontiguousarray(y.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    inputs = vectorized.conv2d_input(g, w, x.shape, *how)
    weights = vectorized.conv2d_weight(g, x, w.shape, *how)
    empty = np.empty

    def used(*arguments, **options):
        memory = empty(*arguments, **options)
        memory.view(np.uint8).fill(255) if memory.flags.c_contiguous and memory.ndim else None
        return memory

    monkeypatch.setattr(np, "empty", used)
    for _ in range(2):
        near(compiled.conv2d(x, w, None, *how), y)
        near(compiled.conv2d_input(g, w, x.shape, *how), inputs)
        near(compiled.conv2d_weight(g, x, w.shape, *how), weights)


@pytest.mark.parametrize("r", [3, 5])
@pytest.mark.parametrize("dtype", FLOATS)
def test_winograd_errs_little(r, dtype):
    """Against sums in long double: the bound is what docs/speed.md says."""
    x, w = arrays(0, (1, 64, 12, 12), (64, 64, r, r), dtype=dtype)
    how = (1, 1), ((0, 0), (0, 0)), (1, 1), 1
    exact = vectorized.conv2d(x.astype(np.float64), w.astype(np.float64), None, *how)
    if dtype == np.float64:
        near(compiled.conv2d(x, w, None, *how), exact, bits=100)
    else:
        error = np.abs(compiled.conv2d(x, w, None, *how) - exact).max() / np.abs(exact).max()
        assert error < 5e-6


@pytest.mark.parametrize(("m", "r"), [(4, 3), (2, 5), (3, 4), (5, 2)])
def test_the_matrices_give_the_convolution(m, r):
    """y = Aᵀ [(G g) ⊙ (Bᵀ d)] for a line."""
    d, g = np.arange(6.0) ** 2 + 1, np.arange(float(r)) - 2.5
    E, scale = np.array(_winograd.evaluation(r)), np.array(_winograd.SCALE)
    y = np.array(_winograd.evaluation(m)).T @ (scale * (E @ g) * (np.array(_winograd.BT) @ d))
    np.testing.assert_allclose(y, np.correlate(d, g, "valid"))


@pytest.mark.parametrize("dtype", FLOATS)
def test_filters_of_a_pixel_may_lie_anywhere(dtype):
    x, g, w, bias = arrays(0, (3, 20, 5, 6), (3, 40, 5, 6), (80, 40, 1, 1), (40,), dtype=dtype)
    x, g, how = channels_last(x), channels_last(g), ((1, 1), ((0, 0), (0, 0)), (1, 1), 1)
    for filters in (w[::2, ::2], w[::-2, 39::-2], np.broadcast_to(w[:1, :1], (40, 20, 1, 1))):
        for name, *arguments in (
            ("conv2d", x, filters, bias),
            ("conv2d_input", g, filters, x.shape),
        ):
            actual, expected = (getattr(k, name)(*arguments, *how) for k in (compiled, vectorized))
            near(actual, expected)


def test_each_way_is_taken():
    def taken(x_shape, w_shape, stride=(1, 1), groups=1):
        x = np.empty(x_shape)
        return convolution.way(x, w_shape, None, stride, (-1, -1), (1, 1), groups)[0]

    assert taken((1, 64, 8, 8), (64, 64, 3, 3)) is convolution.winograd
    assert taken((1, 64, 8, 8), (64, 64, 3, 3), (2, 2)) is convolution.direct
    assert taken((1, 3, 8, 8), (64, 3, 3, 3)) is convolution.direct
    assert taken((16, 64, 32, 32), (64, 16, 3, 3), groups=4) is convolution.winograd
    assert taken((16, 64, 16, 16), (128, 1, 3, 3), groups=64) is convolution.winograd
    assert taken((16, 512, 4, 4), (512, 256, 3, 3), groups=2) is convolution.each  # few tiles
    assert taken((16, 512, 4, 4), (512, 16, 3, 3), groups=32) is convolution.direct
    assert taken((64, 64, 2, 2), (64, 16, 3, 3), groups=4) is convolution.direct  # small maps
    x, y = (channels_last(np.empty((4, c, 8, 8), np.float32)) for c in (32, 64))

    def of_a_pixel(x, y, origin=(0, 0)):
        return convolution.way(x, (y.shape[1], x.shape[1], 1, 1), y, (1, 1), origin, (1, 1), 1)

    assert of_a_pixel(x, y) == (convolution.pointwise, convolution.pointwise_weight)
    assert of_a_pixel(x[:, :16], y)[0] is convolution.pointwise
    apart = [
        (x, y, (0, -1)),
        (x.copy("C"), y),
        (x[:, :, :6], y[:, :, :6]),
        (x[..., :6], y[..., :6]),
    ]
    for arguments in apart:
        assert of_a_pixel(*arguments) == (convolution.direct, convolution.direct_weight)
    many = channels_last(np.empty((4, 2000, 4, 4), np.float32))
    assert of_a_pixel(many, many[:, :64]) == (convolution.direct, convolution.pointwise_weight)
    small, large = np.empty((1, 9, 8, 8)), np.empty((8, 9, 8, 8))
    for channels, stride, g, wanted in (
        (3, (1, 1), large, False), (4, (1, 1), large, True), (8, (1, 1), large, True),
        (4, (1, 1), small, False), (8, (2, 2), large, False),
    ):  # fmt: skip
        assert convolution.fills(g, channels, stride, 16) == wanted
    assert convolution.is_depthwise((8, 1, 3, 3), 8)
    assert not convolution.is_depthwise((16, 1, 3, 3), 8)
    assert not convolution.is_depthwise((1, 1, 3, 3), 1)


def test_several_threads_at_once_give_the_same_bits(monkeypatch):
    monkeypatch.setattr(_calls, "SOME", 0)
    inputs = [arrays(c, (6, c, 20, 20), (32, c, 3, 3)) for c in (3, 16, 17, 32)]
    expected = [compiled.conv2d(x, w, None, *SAME) for x, w in inputs]
    weights = [
        compiled.conv2d_weight(y, x, w.shape, *SAME)
        for y, (x, w) in zip(expected, inputs, strict=True)
    ]
    wrong = []

    def convolve(k):
        x, w = inputs[k]
        for _ in range(10):
            y = compiled.conv2d(x, w, None, *SAME)
            dw = compiled.conv2d_weight(y, x, w.shape, *SAME)
            if not (np.array_equal(y, expected[k]) and np.array_equal(dw, weights[k])):
                wrong.append(k)

    threads = [threading.Thread(target=convolve, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# -- compiling and its cache ---------------------------------------------------------------------

CONVOLVE = """
import numpy as np
from tinygrad_cnn import kernels
kernels.use("compiled")
x = np.ones((4, 1, 9, 9), np.float32)
y = kernels.max_pool2d(x.transpose(0, 3, 2, 1), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), (9, 1))
assert (y[0] == 1).all()
"""


def python(script, **environment):
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result


def test_what_was_compiled_is_kept(tmp_path):
    python(CONVOLVE, NUMBA_CACHE_DIR=str(tmp_path))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb*")}
    assert files
    python(CONVOLVE, NUMBA_CACHE_DIR=str(tmp_path))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb*")} == files
    for path in files:
        path.write_bytes(b"cut short")
    python(CONVOLVE, NUMBA_CACHE_DIR=str(tmp_path))


POOL = """
import numpy as np
from tinygrad_cnn import kernels
kernels.use("compiled")
for dtype in {types}:
    x = np.full((4, 9, 9, 1), 3, dtype).transpose(0, 3, 1, 2)
    how = (3, 3), (3, 3), ((0, 0), (0, 0)), (3, 3), np.full((3, 3), 9.0, dtype)
    assert (kernels.avg_pool2d(x, *how) == 3).all(), dtype
"""
# what another process writes is not there yet, and what this one writes is overwritten by that
AT_ONCE = """
from numba.core.caching import IndexDataCacheFile
IndexDataCacheFile._load_index = lambda file: {}
IndexDataCacheFile._save_index = lambda file, overloads: None
"""


def test_processes_that_compile_at_once_do_not_mix_their_types(tmp_path):
    """With one index of a kernel's types both were number 1: float32 code ran for float64."""
    for script in (
        POOL.format(types="['float64']"),
        AT_ONCE + POOL.format(types="['float32']"),
        POOL.format(types="['float64', 'float32']"),
    ):
        python(script, NUMBA_CACHE_DIR=str(tmp_path))


KERNELS = """
import numpy as np
from tinygrad_cnn.kernels.compiled._jit import address, jit, part
from tinygrad_cnn.kernels.compiled._vectors import cast, put

def mixing(seed):
    @part
    def mixed(zero, k):
        {steps}
        return k
    return mixed

by_one, by_two = mixing(1), mixing(2)

@jit
def one(zero, to, first, last):
    for k in range(first, last):
        put(cast(zero, by_one(zero, k)), to + 8 * k)

@jit
def two(zero, to, first, last):
    for k in range(first, last):
        put(cast(zero, by_two(zero, k)), to + 8 * k)

def check(kernel, mixed):
    numbers = np.zeros(9)
    kernel(numbers.dtype, address(numbers), 0, 9)
    assert numbers.tolist() == [mixed.py_func(0.0, k) for k in range(9)], kernel.source.__name__
"""


@pytest.mark.parametrize("turned", [False, True])
def test_processes_that_compile_one_kernel_each_do_not_mix_their_parts(tmp_path, turned):
    """Of two parts of one name, kept by two processes, a third took the one for the other."""
    step = "k = (7 * k + seed) % 1009 if k % 3 else 5 * k + seed"
    source = KERNELS.format(steps="\n        ".join([step] * 100))  # too long to go into the caller
    (tmp_path / "made.py").write_text(source)
    checks = ["check(one, by_one)", "check(two, by_two)"]
    for calls in (checks[:1], checks[1:], checks[::-1] if turned else checks):
        lines = [
            "import sys",
            f"sys.path.insert(0, {str(tmp_path)!r})",
            "from made import *",
            *calls,
        ]
        python("\n".join(lines), NUMBA_CACHE_DIR=str(tmp_path / "cache"))


def test_code_of_a_source_that_changed_is_not_found(tmp_path):
    """A process may compile after a file was written that it had imported before, and another run then.

    Numba alone kept such code as that of the new file: wrong numbers, for good.
    """
    package = Path(kernels.__file__).parents[1]
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, tmp_path / package.name, ignore=skip)
    changed = tmp_path / package.name / "kernels" / "compiled" / "_patch.py"
    change = f"open({str(changed)!r}, 'a').write('# changed')\n"
    here, cache = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n", tmp_path / "cache"

    def kept(script):
        python(here + script, NUMBA_CACHE_DIR=str(cache), PYTHONPATH=str(tmp_path))
        return {path.name for path in cache.rglob("*.nb*")}

    late = CONVOLVE.replace(
        "x = np", "from tinygrad_cnn.kernels import compiled\n" + change + "x = np"
    )
    before, after = kept(late), kept(CONVOLVE)
    assert before
    assert len(after) == len(before)  # what was kept for the old source is gone
    assert not after & before


def test_no_place_for_a_cache_is_no_error():
    script = (
        "from numba.core import caching\n"
        "caching.CompileResultCacheImpl._locator_classes = []\n" + CONVOLVE
    )
    python(script)


def test_a_word_is_said_once_when_compiling_takes_long(monkeypatch, capsys):
    monkeypatch.setattr(_jit, "_told", False)
    _jit._tell()
    _jit._tell()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "compiling" in said


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_can_go_on():
    python(
        """
import os, numpy as np
from tinygrad_cnn.kernels import compiled
from tinygrad_cnn.kernels.compiled import _calls
_calls.SOME = 0
x, w = np.ones((6, 16, 12, 12), np.float32), np.ones((16, 16, 3, 3), np.float32)
how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
y = compiled.conv2d(x, w, None, *how)
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(compiled.conv2d(x, w, None, *how), y) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""",
        PYTHONWARNINGS="ignore",
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_can_compile_though_another_thread_was_at_it():
    """The thread does not live on in the child, and what it held was held for ever there."""
    python(
        """
import os, threading
from tinygrad_cnn.kernels.compiled import _jit
at_it, done = threading.Event(), threading.Event()
def compile():
    with _jit._lock:
        at_it.set()
        done.wait(0.5)
threading.Thread(target=compile).start()
at_it.wait()
child = os.fork()
if child == 0:
    os._exit(0 if _jit._lock.acquire(timeout=10) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert _jit._lock.acquire(timeout=10)
""",
        PYTHONWARNINGS="ignore",
    )


def test_a_numba_that_cannot_be_imported_is_passed_by():
    script = """
import sys, warnings
sys.modules["llvmlite"] = None
from tinygrad_cnn import kernels
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    kernels.conv2d
assert kernels.current() == "vectorized"
assert "taking the 'vectorized' ones" in str(caught[0].message)
"""
    python(script, TINYGRAD_CNN_KERNELS="")


def test_every_kernel_is_there():
    assert all(hasattr(compiled, name) for name in kernels.FUNCTIONS)


@st.composite
def matrices(draw):
    """Two matrices that can be multiplied: rows or columns contiguous, some a part of larger ones."""
    M, K, N = (draw(st.integers(1, 70)) for _ in "mkn")
    dtype, rng = draw(st.sampled_from(FLOATS)), np.random.default_rng(draw(st.integers(0, 9)))

    def matrix(shape):
        turned, gap = draw(st.booleans()), draw(st.integers(0, 3))
        rows, columns = shape[::-1] if turned else shape
        x = rng.standard_normal((rows, columns + gap)).astype(dtype)[:, :columns]
        return x.T if turned else x

    return matrix((M, K)), matrix((K, N))


@given(matrices())
def test_a_product_by_panels(given):
    a, b = given
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_calls, "SOME", 0)
        patch.setattr(_calls, "workers", lambda: 3)
        y = products.by_panels(a, b)
        assert y.flags.c_contiguous
        near(y, a @ b)
        patch.setattr(_calls, "workers", lambda: 1)
        np.testing.assert_array_equal(products.by_panels(a, b), y)  # the same bits


def test_an_infinity_meets_only_its_own_row_and_column():
    a, b = arrays(0, (40, 50), (50, 33))
    a[3, 7], b[9, 32] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        near_where_finite(products.by_panels(a, b), a @ b)


@pytest.mark.parametrize(
    ("a", "b", "ours"),
    [((64, 784), (784, 256), True), ((7, 784), (784, 256), False), ((64, 784), (784,), False),
     ((64, 3000), (3000, 64), False), ((8, 8), (8, 8), False), ((2, 64, 300), (2, 300, 64), False)],
)  # fmt: skip
def test_which_products_are_by_panels(a, b, ours, monkeypatch):
    calls = []
    monkeypatch.setattr(products, "by_panels", lambda a, b: calls.append(a) or a @ b)
    compiled.matmul(np.ones(a, np.float32), np.ones(b, np.float32))
    compiled.matmul(np.ones(a, np.int32), np.ones(b, np.int32))
    assert len(calls) == ours
    strided = np.ones((*a[:-1], 2 * a[-1]), np.float32)[..., ::2]
    compiled.matmul(strided, np.ones(b, np.float32))
    assert len(calls) == ours
