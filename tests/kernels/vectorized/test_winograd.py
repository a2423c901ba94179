"""Winograd's algorithm in NumPy against im2col."""

import threading
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import threads as blas
from tinygrad_cnn.kernels.vectorized import convolution, tuning, winograd

vectorized = kernels.load("vectorized")


SAME = (1, 1), ((1, 1), (1, 1)), (1, 1), 1


@contextmanager
def taken(always, windows=convolution.Im2col, **constants):
    """Use Winograd's algorithm always, also for few channels and tiles, or never.

    If `windows` is None, falling back to im2col is an error.
    """
    with pytest.MonkeyPatch.context() as patch:
        least = {3: 2, 5: 2} if always else {3: np.inf, 5: np.inf}
        patch.setattr(tuning, "WINOGRAD_CHANNELS", least)
        patch.setattr(tuning, "FILTER_TRANSFORM_TILES", -(10**6))
        patch.setattr(convolution, "Im2col", windows)
        for name, value in constants.items():
            patch.setattr(tuning, name, value)
        winograd.is_faster.cache_clear()
        yield
    winograd.is_faster.cache_clear()


def arrays(seed, *shapes, dtype="d", order=(0, 1, 2, 3)):
    """Random arrays with that axis order in memory."""
    rng, back = np.random.default_rng(seed), np.argsort(order)
    return [
        rng.standard_normal([shape[axis] for axis in order]).astype(dtype).transpose(back)
        for shape in shapes
    ]


def all_three(x, w, bias, g, how):
    return (
        vectorized.conv2d(x, w, bias, *how),
        vectorized.conv2d_input(g, w, x.shape, *how),
        vectorized.conv2d_weight(g, x, w.shape, *how),
    )


@given(
    st.sampled_from([3, 5]), st.sampled_from([1, 2, 17]), st.tuples(*[st.integers(1, 13)] * 2),
    st.tuples(*[st.integers(0, 5)] * 4), st.tuples(*[st.sampled_from([2, 3, 9])] * 2),
    st.permutations(range(4)), st.sampled_from(["f", "d"]), st.booleans(), st.booleans(),
    st.integers(0, 2**32),
)  # fmt: skip
def test_tiles_of_any_plane(r, N, plane, sides, channels, order, dtype, biased, tiny, seed):
    """Tiles that extend beyond the edges, padding on all sides, blocks of all tiles or of two."""
    H, W = (max(n, r - sides[2 * k] - sides[2 * k + 1]) for k, n in enumerate(plane))
    (C, F), padding = channels, (sides[:2], sides[2:])
    P, Q = H + sum(padding[0]) - r + 1, W + sum(padding[1]) - r + 1
    shapes = (N, C, H, W), (F, C, r, r), (N, F, P, Q), (1, 1, 1, F)
    x, w, g, bias = arrays(seed, *shapes, dtype=dtype, order=order)
    bias = bias.reshape(F) if biased else None
    how = (1, 1), padding, (1, 1), 1
    with taken(False):
        exact = all_three(*(a if a is None else a.astype("d") for a in (x, w, bias, g)), how)
    with taken(
        True, None, **({"BLOCK_BYTES": 1, "BLOCK_TILES": 2, "FILTERS_AT_ONCE": 2} if tiny else {})
    ):
        results = all_three(x, w, bias, g, how)
    for actual, expected in zip(results, exact, strict=True):
        assert actual.dtype == dtype
        scale = np.abs(expected).max(initial=1)
        np.testing.assert_allclose(actual, expected, 0, (1e-12 if dtype == "d" else 2e-5) * scale)


@given(
    st.sampled_from([3, 5]), st.sampled_from([np.nan, np.inf, -np.inf, 3e38]), st.integers(0, 2**32)
)
def test_what_is_not_finite_spreads_no_further_than_its_windows(r, value, seed):
    """Results that are not finite are those of im2col, to the bit."""
    x, w, g = arrays(seed, (2, 3, 9, 9), (4, 3, r, r), (2, 4, 9, 9), dtype="f")
    how = (1, 1), ((r // 2, r // 2),) * 2, (1, 1), 1
    for a in (x, g):
        a[tuple(seed % n for n in a.shape)] = value
    with np.errstate(all="ignore"):
        with taken(False):
            expected = all_three(x, w, None, g, how)
        with taken(True):
            actual = all_three(x, w, None, g, how)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_overflows_in_the_tiles_alone_does_not_overflow_nor_warn():
    x, w = np.full((1, 3, 9, 9), 1e38, "f"), np.full((4, 3, 3, 3), 0.1, "f")
    x[..., ::2] = -1e38
    with taken(True):
        y = vectorized.conv2d(x, w, None, *SAME)
    assert np.isfinite(y).all()


def test_several_threads_at_once_give_the_same_bits():
    x, w, g = arrays(0, (16, 64, 16, 16), (64, 64, 3, 3), (16, 64, 16, 16), dtype="f")
    expected, found = all_three(x, w, None, g, SAME), []

    def run():
        for _ in range(3):
            found.append(all_three(x, w, None, g, SAME))

    callers = [threading.Thread(target=run) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 9
    for results in found:
        for actual, one in zip(results, expected, strict=True):
            np.testing.assert_array_equal(actual, one)


def test_blas_is_held_at_one_thread(monkeypatch):
    """With more threads, BLAS spins for 20 ms afterwards, on cores that our threads need."""
    counts, matmul = set(), np.matmul
    get = blas.openblas()[0] if blas.openblas() else pytest.skip("not OpenBLAS")

    def counted(*arguments, **options):
        counts.add(get())
        return matmul(*arguments, **options)

    x, w, g = arrays(0, (16, 64, 16, 16), (64, 64, 3, 3), (16, 64, 16, 16), dtype="f")
    monkeypatch.setattr(np, "matmul", counted)
    all_three(x, w, None, g, SAME)
    assert counts == {1}


@pytest.mark.parametrize(
    ("w_shape", "N", "plane", "faster"),
    [
        ((64, 64, 3, 3), 16, (32, 32), True),
        ((32, 32, 3, 3), 16, (32, 32), True),
        ((512, 512, 3, 3), 64, (4, 4), True),
        ((64, 64, 5, 5), 16, (16, 16), True),
        ((64, 16, 3, 3), 16, (32, 32), False),  # few channels
        ((512, 512, 3, 3), 16, (4, 4), False),  # more filters than tiles
        ((64, 64, 3, 3), 32, (5, 5), False),  # most of each tile is beyond the edges
        ((64, 64, 3, 5), 16, (32, 32), False),
        ((64, 64, 3, 3), 0, (32, 32), False),
    ],
)
def test_which_convolutions_are_faster_so(w_shape, N, plane, faster):
    once, f = ((1, 1), (1, 1), 1), np.dtype("f")
    assert winograd.is_faster(w_shape, N, plane, *once, f) == faster
    assert not winograd.is_faster(w_shape, N, plane, *once, np.dtype("e"))
    for other in (((2, 1), (1, 1), 1), ((1, 1), (1, 2), 1), ((1, 1), (1, 1), 2)):
        assert not winograd.is_faster(w_shape, N, plane, *other, f)
