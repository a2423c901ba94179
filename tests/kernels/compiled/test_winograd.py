"""Winograd's algorithm in Numba: its matrices, memory and errors, and results against NumPy's."""

import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import winograd_matrices
from tinygrad_cnn.kernels.compiled import convolution, tuning, winograd

from .cases import FLOATS, SAME, arrays, near, near_where_finite

compiled, vectorized = kernels.load("compiled"), kernels.load("vectorized")


@given(
    st.sampled_from([3, 5]), st.sampled_from([1, 2, 3, 4, 6, 10]),
    st.tuples(*[st.integers(1, 50)] * 2),
    st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)), st.sampled_from(FLOATS),
    st.integers(0, 2**32), st.sampled_from([None, np.nan, np.inf]), st.booleans(),
)  # fmt: skip
@settings(deadline=None)
def test_groups_of_any_channels_and_filters(r, groups, each, plane, dtype, seed, bad, biased):
    """Groups joined until they fill a vector, or one by one in panels that are not full."""
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
        patch.setattr(convolution, "enough_tiles", lambda *_: True)
        if bad is None:  # nothing is recomputed
            patch.setattr(winograd.direct, "direct", None)
            patch.setattr(winograd.direct, "direct_weight", None)
        for name, *arguments in calls:
            actual = getattr(compiled, name)(*arguments, *how)
            near_where_finite(actual, getattr(vectorized, name)(*arguments, *how))


@given(
    st.sampled_from([3, 5]), st.sampled_from([(17, 33), (40, 50), (16, 96)]),
    st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from([4, 12, 96]), st.sampled_from(FLOATS), st.integers(0, 2**32),
    st.sampled_from([None, np.nan, np.inf]),
)  # fmt: skip
@settings(deadline=None)
def test_filters_panel_by_panel_and_so_many_tiles_at_once(
    r, channels, plane, at_once, dtype, seed, bad
):
    """The algorithm for more filters than tiles, always, in blocks of few tiles or channels."""
    (C, F), (N, H, W) = channels, plane
    how = (1, 1), ((r // 2, r // 2),) * 2, (1, 1), 1
    x, w, bias, g = arrays(seed, (N, C, H, W), (F, C, r, r), (F,), (N, F, H, W), dtype=dtype)
    if bad is not None:
        x[0, seed % C, 0, 0] = g[0, seed % F, 0, 0] = bad
    calls = [
        ("conv2d", x, w, bias), ("conv2d_input", g, w, x.shape), ("conv2d_weight", g, x, w.shape)
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(tuning, "PANEL_FILTERS_PER_TILE", 0)
        patch.setattr(tuning, "PANEL_TILES_AT_ONCE", at_once)
        for name, *arguments in calls:
            actual = getattr(compiled, name)(*arguments, *how)
            expected = getattr(vectorized, name)(*arguments, *how)
            finite = np.isfinite(expected)
            assert np.array_equal(np.isfinite(actual), finite)
            near(np.where(finite, actual, 0), np.where(finite, expected, 0))


def peak_in_a_new_thread(call):
    """Bytes. A new thread has no scratch memory yet, so the call's counts."""
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
    """Nor are the sums of their gradient, for few images. Both have 4 times the filters' size."""
    x, w = arrays(0, (4, 256, 4, 4), (256, 256, 3, 3))
    half = 2 * w.nbytes
    assert peak_in_a_new_thread(lambda: compiled.conv2d(x, w, None, *SAME)) < half
    weight = lambda: compiled.conv2d_weight(x, x, w.shape, *SAME)  # noqa: E731
    assert peak_in_a_new_thread(weight) < w.nbytes + half


@pytest.mark.parametrize("r", [3, 5])
@pytest.mark.parametrize("dtype", FLOATS)
def test_winograd_errs_little(r, dtype):
    """Against sums in long double: kernels/NOTES.md has the measured errors."""
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
    """y = Aᵀ [(G g) ⊙ (Bᵀ d)] in one dimension."""
    d, g = np.arange(6.0) ** 2 + 1, np.arange(float(r)) - 2.5
    E, scale = np.array(winograd_matrices.evaluation(r)), np.array(winograd_matrices.SCALE)
    y = np.array(winograd_matrices.evaluation(m)).T @ (
        scale * (E @ g) * (np.array(winograd_matrices.BT) @ d)
    )
    np.testing.assert_allclose(y, np.correlate(d, g, "valid"))
