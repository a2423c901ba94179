"""The kernels against plain loops over every index, and against their adjoints."""

import inspect
import os
import subprocess
import sys
import threading
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import (
    _blockwise,
    _elementwise,
    _normalization,
    _softmax,
    _threads,
    _windows,
    _winograd,
    vectorized,
)

try:
    from tinygrad_cnn.kernels import compiled
    from tinygrad_cnn.kernels.compiled import _calls, convolution, direct, few, winograd
except ImportError:
    compiled = None

SIBLINGS = (
    _blockwise,
    _elementwise,
    _normalization,
    _softmax,
)  # vectorized shows theirs as its own

# -- the loops -----------------------------------------------------------------------------------


def links(x_shape, kernel, size, stride, padding, dilation):
    """(i, j, p, q, h, w) for every tap of every window that lies in x."""
    (H, W), (I, J), (P, Q) = x_shape[2:], kernel, size
    for i, j, p, q in product(range(I), range(J), range(P), range(Q)):
        h = p * stride[0] + i * dilation[0] - padding[0][0]
        w = q * stride[1] + j * dilation[1] - padding[1][0]
        if 0 <= h < H and 0 <= w < W:
            yield i, j, p, q, h, w


def loops_conv2d(x, w, size, stride, padding, dilation, groups, g=None):
    """conv2d by its definition, and with g both of its adjoints."""
    F, c, I, J = w.shape
    y = np.zeros((len(x), F, *size), x.dtype)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i, j, p, q, h, v in links(x.shape, (I, J), size, stride, padding, dilation):
        for f in range(F):
            k = slice(f // (F // groups) * c, f // (F // groups) * c + c)
            y[:, f, p, q] += x[:, k, h, v] @ w[f, :, i, j]
            if g is not None:
                dx[:, k, h, v] += g[:, f, p, q, None] * w[f, :, i, j]
                dw[f, :, i, j] += g[:, f, p, q] @ x[:, k, h, v]
    return y, dx, dw


def loops_max_pool2d(x, kernel, size, stride, padding, dilation):
    N, C, _, W = x.shape
    y = np.full((N, C, *size), -np.inf, x.dtype)
    positions = np.full(y.shape, -1)
    for _, _, p, q, h, w in links(x.shape, kernel, size, stride, padding, dilation):
        for n, c in product(range(N), range(C)):
            new, old, first = x[n, c, h, w], y[n, c, p, q], positions[n, c, p, q] == -1
            if first or new > old or (np.isnan(new) and not np.isnan(old)):
                y[n, c, p, q], positions[n, c, p, q] = new, h * W + w
    return y, positions


# -- what is drawn -------------------------------------------------------------------------------


def arrays(seed, shape, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def strided(x, how):
    """The same numbers in other strides."""
    if how == "transposed":
        return np.ascontiguousarray(x.T).T
    if how == "reversed":
        return np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    if how == "gaps":
        wide = np.full((*x.shape[:-1], 2 * x.shape[-1]), np.nan, x.dtype)
        wide[..., ::2] = x
        x = wide[..., ::2]
    elif how == "channels_last":
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    elif how == "batch_last":
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)
    x.flags.writeable = False
    return x


STRIDES = ["plain", "transposed", "reversed", "gaps", "channels_last", "batch_last"]


@st.composite
def axis(draw, max_kernel=4, most_padding=None):
    """(length, kernel, stride, (before, after), dilation, output) with at least one window."""
    kernel, stride = draw(st.integers(1, max_kernel)), draw(st.integers(1, 4))
    dilation = draw(st.integers(1, 3))
    most = 3 if most_padding is None else most_padding(kernel)
    before, after = draw(st.integers(0, most)), draw(st.integers(0, most))
    span = dilation * (kernel - 1) + 1
    length = draw(st.integers(max(1, span - before - after), span + 7))
    output = (length + before + after - span) // stride + 1
    return length, kernel, stride, (before, after), dilation, output


@st.composite
def convolutions(draw):
    (H, I, sh, ph, dh, P), (W, J, sw, pw, dw, Q) = draw(axis()), draw(axis())
    G = draw(st.sampled_from([1, 1, 2, 3]))
    c, f = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (3, 2), (2, 3), (9, 8)]))
    N = draw(st.sampled_from([0, 1, 2, 3, 17]))
    seed = draw(st.integers(0, 2**32))
    x, w = arrays(seed, (N, G * c, H, W)), arrays(seed + 1, (G * f, c, I, J))
    g = arrays(seed + 2, (N, G * f, P, Q))
    x, w, g = (strided(a, draw(st.sampled_from(STRIDES))) for a in (x, w, g))
    bias = draw(st.sampled_from([None, arrays(seed + 3, G * f)]))
    return x, w, g, bias, ((sh, sw), (ph, pw), (dh, dw), G)


@st.composite
def pools(draw):
    (H, I, sh, ph, dh, P), (W, J, sw, pw, dw, Q) = (
        draw(axis(3, lambda kernel: kernel // 2)) for _ in "HW"
    )
    shape = draw(st.sampled_from([(0, 2), (1, 1), (2, 3), (17, 2)]))
    x = arrays(draw(st.integers(0, 2**32)), (*shape, H, W))
    if draw(st.booleans()):
        x = np.round(x)  # ties
    if draw(st.booleans()):
        x[x > 1] = np.nan
    return (
        strided(x, draw(st.sampled_from(STRIDES))),
        ((I, J), (sh, sw), (ph, pw), (dh, dw)),
        (P, Q),
    )


@pytest.fixture(params=[False, True], ids=["whole", "in blocks"], autouse=True, scope="module")
def blocks(request):
    """The small shapes of the tests also go through many blocks, on all threads."""
    if request.param:
        small = {"BLOCK_BYTES": 1, "BLOCK_PIXELS": 5, "PARALLEL": 0}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in small.items():
                patch.setattr(_windows, name, value)
            patch.setattr(vectorized, "PARALLEL", 0)
            patch.setattr(_windows, "TURNED_BYTES", 1)
            tiles = {"BLOCK_BYTES": 1, "TILES": 2, "CHANNELS": {3: 2, 5: 2}, "FILTERS": -(10**6)}
            for name, value in tiles.items():
                patch.setattr(_winograd, name, value)
            _winograd.suits.cache_clear()
            patch.setattr(vectorized, "PLANE_CELLS", 5)
            if compiled:
                patch.setattr(_calls, "SOME", 0)
                patch.setattr(_calls, "workers", lambda: 3)
                patch.setattr(direct, "STRIP_BYTES", 1)
                patch.setattr(winograd, "TILE_BYTES", 1)
                patch.setattr(winograd, "AT_ONCE", 3)
                patch.setattr(convolution, "LEAST", {3: 1, 5: 1})
                patch.setattr(convolution, "LEAST_PAIRS", 1)
                patch.setattr(few, "PATCH_BYTES", 1)
            yield
        _winograd.suits.cache_clear()
    else:
        yield


def close(actual, expected, rtol=1e-9):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * 10)


# -- products ------------------------------------------------------------------------------------


@given(
    st.tuples(*[st.sampled_from([0, 1, 2, 7, 8, 20, 64, 65])] * 3),
    st.sampled_from(["", "a", "b", "ab"]),
    st.sampled_from([np.float64, np.float32, np.float16, np.int64]),
    st.integers(0, 2**32),
)
def test_products_are_sums_however_their_factors_lie(k, sizes, turned, dtype, seed):
    m, inner, n = sizes
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(-9, 9, shape).astype(dtype) for shape in ((m, inner), (inner, n)))
    a = np.asfortranarray(a) if "a" in turned else a
    b = np.asfortranarray(b) if "b" in turned else b
    y = k.matmul(a, b)
    np.testing.assert_array_equal(y, (a[:, :, None] * b).sum(1))
    assert y.dtype == dtype
    assert y.flags.c_contiguous


# -- convolution ---------------------------------------------------------------------------------


@given(convolutions())
def test_convolution_and_its_adjoints_are_the_loops(k, case):
    x, w, g, bias, how = case
    y, dx, dw = loops_conv2d(x, w, g.shape[2:], *how, g)
    close(k.conv2d(x, w, None, *how), y)
    if bias is not None:
        close(k.conv2d(x, w, bias, *how), y + bias[:, None, None])
    close(k.conv2d_input(g, w, x.shape, *how), dx)
    weight = k.conv2d_weight(g, x, w.shape, *how)
    close(weight, dw)
    assert weight.flags.c_contiguous


@given(convolutions())
def test_adjoints(k, case):
    x, w, g, _, how = case
    y = k.conv2d(x, w, None, *how)
    close(np.vdot(y, g), np.vdot(x, k.conv2d_input(g, w, x.shape, *how)))
    close(np.vdot(y, g), np.vdot(w, k.conv2d_weight(g, x, w.shape, *how)))


@given(convolutions(), st.sampled_from([np.float16, np.float32]))
@settings(max_examples=30)
def test_lower_precision_stays_itself(k, case, dtype):
    x, w, g, _, how = case
    y, dx, dw = loops_conv2d(x, w, g.shape[2:], *how, g)
    x, w, g = x.astype(dtype), w.astype(dtype), g.astype(dtype)
    rtol = 100 * np.finfo(dtype).eps
    for actual, expected in (
        (k.conv2d(x, w, None, *how), y),
        (k.conv2d_input(g, w, x.shape, *how), dx),
        (k.conv2d_weight(g, x, w.shape, *how), dw),
    ):
        assert actual.dtype == dtype
        close(actual, expected, rtol)


SHAPES = [  # x, w, stride, padding, groups: sizes that take every path on real blocks
    ((20, 3, 30, 31), (6, 3, 5, 5), 1, 2, 1),
    ((20, 3, 24, 25), (16, 3, 5, 5), 1, 0, 1),
    ((5, 32, 40, 40), (40, 32, 3, 3), 1, 1, 1),
    ((5, 32, 40, 40), (40, 32, 3, 3), 2, 1, 1),
    ((40, 64, 8, 7), (128, 64, 3, 3), 1, 1, 1),
    ((5, 48, 31, 33), (48, 48, 5, 5), 1, 2, 1),
    ((3, 64, 60, 60), (64, 64, 1, 1), 1, 0, 1),
    ((3, 64, 60, 60), (64, 1, 3, 3), 1, 1, 64),
    ((20, 64, 30, 30), (64, 1, 3, 3), 2, 1, 64),
    ((3, 64, 60, 60), (64, 4, 3, 3), 1, 1, 16),
]


@pytest.mark.parametrize(("x_shape", "w_shape", "stride", "padding", "groups"), SHAPES)
def test_large_convolutions_are_adjoint_and_equal_to_the_bit(
    k, x_shape, w_shape, stride, padding, groups
):
    how = (stride, stride), ((padding, padding),) * 2, (1, 1), groups
    x, w = arrays(1, x_shape, np.float32), arrays(2, w_shape, np.float32)
    y = k.conv2d(x, w, None, *how)
    n, f, p, q = (size // 2 for size in y.shape)
    h, v = p * stride - padding, q * stride - padding
    c = f // (w_shape[0] // groups) * w_shape[1]
    window = x[n, c : c + w_shape[1], h : h + w_shape[2], v : v + w_shape[3]]
    close(y[n, f, p, q], np.sum(window * w[f]), 1e-4)
    g = arrays(3, y.shape, np.float32)
    dx = k.conv2d_input(g, w, x_shape, *how)
    dw = k.conv2d_weight(g, x, w_shape, *how)
    inner = np.vdot(y.astype(np.float64), g)
    scale = np.linalg.norm(y) * np.linalg.norm(g)
    assert abs(inner - np.vdot(x.astype(np.float64), dx)) < 1e-6 * scale
    assert abs(inner - np.vdot(w.astype(np.float64), dw)) < 1e-6 * scale
    for _ in range(3):
        assert np.array_equal(y, k.conv2d(x, w, None, *how))
        assert np.array_equal(dx, k.conv2d_input(g, w, x_shape, *how))
        assert np.array_equal(dw, k.conv2d_weight(g, x, w_shape, *how))


def test_zero_strides(k):
    how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
    x = np.broadcast_to(2.0, (2, 3, 5, 4))
    w, g = np.broadcast_to(3.0, (2, 3, 3, 3)), np.broadcast_to(1.0, (2, 2, 5, 4))
    y, dx, dw = loops_conv2d(x, w, (5, 4), *how, g)
    close(k.conv2d(x, w, np.broadcast_to(0.0, 2), *how), y)
    close(k.conv2d_input(g, w, x.shape, *how), dx)
    close(k.conv2d_weight(g, x, w.shape, *how), dw)


def test_no_channels(k):
    how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
    x, w, g = np.ones((2, 0, 4, 4)), np.ones((3, 0, 3, 3)), np.ones((2, 3, 4, 4))
    assert np.array_equal(k.conv2d(x, w, np.arange(3.0), *how)[1, :, 2, 2], np.arange(3.0))
    assert k.conv2d_input(g, w, x.shape, *how).shape == x.shape
    assert k.conv2d_weight(g, x, w.shape, *how).shape == w.shape


# -- pooling -------------------------------------------------------------------------------------


@given(pools())
def test_max_pooling_is_the_loops(k, case):
    x, how, size = case
    kernel, *rest = how
    y, taps = k.max_pool2d(x, *how, size)
    positions = k.max_pool2d_positions(taps, x.shape, *how)
    y_, positions_ = loops_max_pool2d(x, kernel, size, *rest)
    np.testing.assert_array_equal(y, y_)
    np.testing.assert_array_equal(positions, positions_)
    g = arrays(0, y.shape)
    dx = np.zeros(x.shape)
    for n, c, p, q in np.argwhere(positions_ >= 0):
        dx[n, c, positions_[n, c, p, q] // x.shape[3], positions_[n, c, p, q] % x.shape[3]] += g[
            n, c, p, q
        ]
    close(k.max_pool2d_scatter(g, taps, x.shape, *how), dx)
    u = arrays(1, x.shape)
    close(np.vdot(k.max_pool2d_gather(u, taps, *how), g), np.vdot(u, dx))


@given(pools())
def test_average_pooling_is_the_loops(k, case):
    x, (kernel, stride, padding, _), size = case
    x = np.nan_to_num(x)
    y = np.zeros((*x.shape[:2], *size))
    for _, _, p, q, h, w in links(x.shape, kernel, size, stride, padding, (1, 1)):
        y[:, :, p, q] += x[:, :, h, w]
    divisor = 1.0 + np.arange(size[0] * size[1]).reshape(size)
    how = kernel, stride, padding
    close(k.avg_pool2d(x, *how, size, 3), y / 3)
    actual = k.avg_pool2d(x, *how, size, divisor)
    close(actual, y / divisor)
    g = arrays(0, y.shape)
    dx = k.avg_pool2d_input(g, x.shape, *how, divisor)
    assert dx.shape == x.shape
    close(np.vdot(actual, g), np.vdot(x, dx))


def test_a_gradient_that_repeats_numbers_over_the_plane(k):
    """Of a mean over it. Divided by an array, it lies in another order than before."""
    g, divisor = (
        np.broadcast_to(arrays(0, (2, 3, 1, 1)), (2, 3, 4, 5)),
        1.0 + np.arange(20).reshape(4, 5),
    )
    dx = k.avg_pool2d_input(g, (2, 3, 8, 10), (2, 2), (2, 2), ((0, 0), (0, 0)), divisor)
    close(dx, (g / divisor).repeat(2, 2).repeat(2, 3))


def test_ceil_mode_windows_reach_past_the_end(k):
    x, how = np.arange(25.0).reshape(1, 1, 5, 5), ((2, 2), (2, 2), ((0, 1), (0, 1)), (1, 1))
    y, taps = k.max_pool2d(x, *how, (3, 3))
    assert y[0, 0].tolist() == [[6, 8, 9], [16, 18, 19], [21, 23, 24]]
    assert np.array_equal(k.max_pool2d_positions(taps, x.shape, *how), y)


def test_a_window_of_padding_alone(k):
    x, how = np.ones((1, 1, 1, 2)), ((2, 2), (1, 1), ((1, 1), (1, 1)), (2, 2))
    y, taps = k.max_pool2d(x, *how, (1, 2))
    assert np.isneginf(y).all()
    assert (k.max_pool2d_positions(taps, x.shape, *how) == -1).all()
    assert not k.max_pool2d_scatter(np.ones(y.shape), taps, x.shape, *how).any()
    assert not k.max_pool2d_gather(x, taps, *how).any()


def test_an_infinite_gradient_stays_where_it_belongs(k):
    x, how = np.eye(2)[None, None], ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    _, taps = k.max_pool2d(x, *how, (1, 1))
    dx = k.max_pool2d_scatter(np.full((1, 1, 1, 1), np.inf), taps, x.shape, *how)
    assert dx[0, 0].tolist() == [[np.inf, 0], [0, 0]]


def test_more_taps_than_a_byte_counts(k):
    x, how = arrays(0, (2, 3, 20, 20)), ((17, 19), (1, 1), ((0, 0), (0, 0)), (1, 1))
    _, taps = k.max_pool2d(x, *how, (4, 2))
    positions = k.max_pool2d_positions(taps, x.shape, *how)
    assert np.array_equal(positions, loops_max_pool2d(x, how[0], (4, 2), *how[1:])[1])


def test_integers_have_a_maximum_too(k):
    x, how = -np.arange(16).reshape(1, 1, 4, 4), ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1))
    y, taps = k.max_pool2d(x, *how, (2, 2))
    assert y.dtype == x.dtype
    assert y[0, 0].tolist() == [[0, -2], [-8, -10]]
    assert not taps.any()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_pooling_keeps_the_dtype(k, dtype):
    x, pad = np.ones((2, 3, 4, 4), dtype), ((0, 0), (0, 0))
    how = (2, 2), (2, 2), pad, (1, 1)
    y, taps = k.max_pool2d(x, *how, (2, 2))
    assert y.dtype == dtype
    assert taps.dtype == np.uint8
    assert k.max_pool2d_scatter(y, taps, x.shape, *how).dtype == dtype
    assert k.max_pool2d_gather(x, taps, *how).dtype == dtype
    y = k.avg_pool2d(x, (2, 2), (2, 2), pad, (2, 2), 4)
    assert y.dtype == dtype
    assert k.avg_pool2d_input(y, x.shape, (2, 2), (2, 2), pad, 4).dtype == dtype


# -- threads -------------------------------------------------------------------------------------


def test_several_threads_at_once_and_blas_gets_its_threads_back():
    how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
    before, inputs = _threads.workers(), []
    for seed in range(4):
        x = arrays(seed, (6, 16 + seed, 40, 40), np.float32)
        inputs.append((x, arrays(seed, (32, 16 + seed, 3, 3), np.float32)))
    expected = [vectorized.conv2d(x, w, None, *how) for x, w in inputs]
    wrong = []

    def convolve(k):
        for _ in range(10):
            if not np.array_equal(vectorized.conv2d(*inputs[k], None, *how), expected[k]):
                wrong.append(k)

    threads = [threading.Thread(target=convolve, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert _threads.workers() == before
    assert _threads._hold.holders == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_run_calls_each_block_once_and_raises_what_was_raised(threads):
    seen = []
    _threads.run(seen.append, range(50), threads)
    assert sorted(seen) == list(range(50))

    def fail(block):
        if block == 30:
            raise KeyError(block)

    for _ in range(20):
        with pytest.raises(KeyError):
            _threads.run(fail, range(50), threads)
    assert _threads._hold.holders == 0


def test_overlapping_holds_restore_the_count_of_the_first():
    before = _threads.workers()
    first, second = _threads.one_blas_thread(), _threads.one_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert _threads.workers() == before  # still held, but known
    second.__exit__(None, None, None)
    assert _threads.workers() == before
    if (blas := _threads._openblas()) is not None:
        assert blas[0]() == before


def test_another_blas_works_on_one_thread(monkeypatch):
    monkeypatch.setattr(_threads, "_openblas", lambda: None)
    x, w = arrays(0, (4, 16, 20, 20)), arrays(1, (24, 16, 3, 3))
    how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
    y = vectorized.conv2d(x, w, None, *how)
    assert _threads.workers() == 1
    close(y[1, 2, 3, 4], np.sum(x[1, :, 2:5, 3:6] * w[2]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_can_go_on():
    script = """
import os, numpy as np
from tinygrad_cnn.kernels import _threads, _windows, vectorized
_windows.PARALLEL = 0
x, w = np.ones((6, 16, 20, 20)), np.ones((16, 16, 3, 3))
how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
y = vectorized.conv2d(x, w, None, *how)
count = _threads.workers()
with _threads.one_blas_thread():  # as another thread might at the moment of the fork
    child = os.fork()
    if child == 0:
        same = np.array_equal(vectorized.conv2d(x, w, None, *how), y)
        os._exit(0 if same and _threads.workers() == count else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=60)


# -- the choice of kernels -----------------------------------------------------------------------


def python(script, **environment):
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def kernels_as_they_were():
    before = kernels.current()
    yield
    kernels.use(before)


def test_use_and_current(kernels_as_they_were):
    kernels.use("vectorized")
    assert kernels.current() == "vectorized"
    assert kernels.conv2d is vectorized.conv2d
    with pytest.raises(ValueError, match=r"'vectorized'.*'fast'"):
        kernels.use("fast")
    assert kernels.current() == "vectorized"
    with pytest.raises(AttributeError, match="conv7d"):
        _ = kernels.conv7d


def test_every_kernel_is_listed():
    public = {
        name
        for name, value in vars(vectorized).items()
        if inspect.isfunction(value)
        and value.__module__ in (vectorized.__name__, *(m.__name__ for m in SIBLINGS))
        and not name.startswith("_")
    }
    assert public == set(kernels.FUNCTIONS)


def test_the_environment_chooses():
    script = "from tinygrad_cnn import kernels; print(kernels.current()); kernels.conv2d"
    assert python(script, TINYGRAD_CNN_KERNELS="vectorized").stdout == "vectorized\n"
    failed = python(script, TINYGRAD_CNN_KERNELS="quick")
    assert "ValueError" in failed.stderr
    assert "'quick'" in failed.stderr


def test_import_starts_nothing():
    script = """
import sys, threading
from tinygrad_cnn.kernels import vectorized
assert threading.active_count() == 1
assert not {"concurrent.futures", "numba", "threadpoolctl"} & set(sys.modules)
"""
    result = python(script)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("a", "b"),
    [((300, 260), (260, 240)), ((24, 900), (900, 900)), ((40, 900), (900, 40)), ((2000, 1), (1, 900)), ((3, 200, 200), (200, 160)),
     ((4, 120, 200), (4, 200, 180)), ((4, 120, 200), (1, 200, 180)), ((1, 900), (900, 20000)),
     ((20000,), (20000, 900)), ((2000, 900), (900,)), ((200, 300), (5, 300, 200)), ((0, 9), (9, 9))],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_a_product_on_threads_is_the_product(k, a, b, turned, monkeypatch):
    monkeypatch.setattr(vectorized, "workers", lambda: 3)
    monkeypatch.setattr(vectorized, "MANY_PRODUCTS", 1 << 20)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(a), rng.standard_normal(b)
    if turned and b.ndim > 1:  # for few rows and columns both products would rather be turned
        b = np.ascontiguousarray(np.swapaxes(b, -1, -2)).swapaxes(-1, -2)
    np.testing.assert_allclose(k.matmul(a, b), a @ b, rtol=1e-10, atol=1e-10)
