"""Convolutions in Numba against NumPy, and the choice of an algorithm."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels.compiled import convolution, tuning

from .cases import FLOATS, SAME, arrays, channels_last, convolutions, near, near_where_finite

compiled, vectorized = kernels.load("compiled"), kernels.load("vectorized")


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


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [1, np.inf])
def test_groups_of_many_channels_and_few_tiles_go_one_by_one(dtype, value, monkeypatch):
    monkeypatch.setattr(tuning, "GROUP_MULTIPLY_ADDS", 0)
    monkeypatch.setattr(tuning, "GROUP_TILES", np.inf)
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
        for name, *given in (
            ("conv2d", x, w, None), ("conv2d_input", g, w, x_shape),
            ("conv2d_weight", g, x, w_shape)
        ):  # fmt: skip
            actual, expected = (getattr(k, name)(*given, *how) for k in (compiled, vectorized))
            assert np.array_equal(np.isfinite(actual), np.isfinite(expected))


@pytest.mark.parametrize("stride", [1, 2])
def test_what_memory_held_before_does_not_matter(stride, monkeypatch):
    """More filters than tiles, or than elements of x: both use separate algorithms."""
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
        return convolution.method(x, w_shape, None, stride, (-1, -1), (1, 1), groups)[0]

    assert taken((1, 64, 8, 8), (64, 64, 3, 3)) is convolution.winograd
    assert taken((1, 64, 8, 8), (64, 64, 3, 3), (2, 2)) is convolution.direct
    assert taken((1, 3, 8, 8), (64, 3, 3, 3)) is convolution.direct
    assert taken((16, 64, 32, 32), (64, 16, 3, 3), groups=4) is convolution.winograd
    assert taken((16, 64, 16, 16), (128, 1, 3, 3), groups=64) is convolution.winograd
    assert (
        taken((16, 512, 4, 4), (512, 256, 3, 3), groups=2) is convolution.group_by_group
    )  # few tiles
    assert taken((16, 512, 4, 4), (512, 16, 3, 3), groups=32) is convolution.direct
    assert taken((64, 64, 2, 2), (64, 16, 3, 3), groups=4) is convolution.direct  # small maps
    x, y = (channels_last(np.empty((4, c, 8, 8), np.float32)) for c in (32, 64))

    def of_a_pixel(x, y, origin=(0, 0)):
        return convolution.method(x, (y.shape[1], x.shape[1], 1, 1), y, (1, 1), origin, (1, 1), 1)

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
        assert convolution.fills_vectors(g, channels, stride, 16) == wanted
    f = np.dtype("f")
    modules = [
        convolution._module(np.empty((n, c, 8, 8), f), w_shape, groups, f, (1,))
        for n, c, w_shape, groups in (
            (1, 8, (8, 1, 3, 3), 8), (1, 8, (16, 1, 3, 3), 8), (1, 1, (1, 1, 3, 3), 1),
            (16, 1, (6, 1, 5, 5), 1), (16, 6, (16, 6, 5, 5), 1),
        )
    ]  # fmt: skip
    assert modules == [convolution.depthwise, None, None, convolution.batched, None]


def test_several_threads_at_once_give_the_same_bits(monkeypatch):
    monkeypatch.setattr(tuning, "SHARED_MULTIPLY_ADDS", 0)
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
