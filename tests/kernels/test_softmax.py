"""Softmax and the loss of labels of both sets, against their definitions."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import threads as counts

from .layouts import lying

try:
    from tinygrad_cnn.kernels.compiled import tuning as compiled
except ImportError:
    compiled = None

vectorized = kernels.load("vectorized")


FLOATS = [np.float32, np.float64]


@pytest.fixture(params=[1, 3], scope="module", autouse=True)
def threads(request):
    """Rows on one thread, and split into many ranges."""
    with pytest.MonkeyPatch.context() as patch:
        if compiled:
            patch.setattr(compiled, "SHARED_MULTIPLY_ADDS", 0 if request.param > 1 else 1 << 62)
            patch.setattr(counts, "get_num_threads", lambda: request.param)
        yield


@st.composite
def cases(draw):
    """x and g with the axis anywhere, in any memory order, and rows up to several vectors long."""
    shape = [draw(st.integers(1, 4)) for _ in range(draw(st.integers(0, 2)))]
    dim = draw(st.integers(0, len(shape)))
    shape.insert(dim, draw(st.sampled_from([1, 2, 3, 7, 10, 16, 33, 64, 100, 150])))
    last = [d for d in range(len(shape)) if d != dim] + [dim]
    orders = st.sampled_from([last, list(range(len(shape)))])
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from([*FLOATS, np.float16]))
    x, g = (lying(rng.normal(0, 3, shape).astype(dtype), draw(orders)) for _ in "xg")
    return x, g, dim - draw(st.sampled_from([0, len(shape)]))


def near(actual, expected, dtype):
    assert actual.dtype == dtype
    assert actual.shape == np.shape(expected)
    bound = 32 * np.finfo(dtype).eps * max(1, np.abs(expected).max(initial=0))
    assert np.abs(actual - expected).max(initial=0) <= bound


def definition(x, dim):
    x = x.astype(np.longdouble)
    return np.exp(x) / np.exp(x).sum(axis=dim, keepdims=True)


@given(cases())
def test_softmax_and_its_logarithm_are_their_definitions(k, case):
    x, g, dim = case
    p = definition(x, dim)
    y = k.softmax(x, dim)
    near(y, p, x.dtype)
    near(k.log_softmax(x, dim), np.log(p), x.dtype)
    y.flags.writeable = False
    near(k.softmax_input(g, y, dim), y * (g - (g * p).sum(dim, keepdims=True)), x.dtype)
    log = np.log(p).astype(x.dtype)
    near(k.log_softmax_input(g, log, dim), g - p * g.sum(dim, keepdims=True), x.dtype)


@given(
    cases(), st.integers(0, 2**32), st.booleans(), st.booleans(),
    st.sampled_from([np.int64, np.int16])
)  # fmt: skip
def test_the_loss_of_labels_is_its_definition(k, case, seed, weighted, each, integer):
    x, _, dim = case
    dtype = x.dtype
    x = np.moveaxis(x if x.ndim > 1 else x[None], dim, -1 if x.ndim < 2 else 1)
    rng, classes = np.random.default_rng(seed), x.shape[1]
    target = rng.integers(0, classes, (x.shape[0], *x.shape[2:])).astype(integer)
    target[rng.random(target.shape) < 0.2] = -100
    weight = rng.integers(0, 3, classes).astype(dtype) if weighted else None
    q = (np.arange(classes) == target[..., None]) * (1 if weight is None else weight)
    q = np.moveaxis(q, -1, 1)
    w, logp = q.sum(1), np.log(definition(x, 1))
    loss, own = k.cross_entropy(x, target, weight, -100)
    near(loss, -(q * logp).sum(1), dtype)
    near(own, w, dtype)
    g = rng.normal(size=target.shape if each else ()).astype(dtype)
    bar = (g * w)[:, None] * np.exp(logp) - np.broadcast_to(g, w.shape)[:, None] * q
    near(k.cross_entropy_input(g, x, target, weight, -100), bar, dtype)


INF, NAN = np.inf, np.nan


ROWS = [
    [0, -INF, 1], [-INF, -INF, -INF], [INF, 0, 1], [NAN, 0, 1], [0, 1, NAN], [NAN, NAN, NAN],
    [NAN, INF, -INF], [1e38, -1e38, 0], [-1e38, -1e38, -1e38], [-90, 0, -100], [0, -80, -1000],
]  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("count", [1, 30])
def test_what_is_not_finite_is_as_in_numpy(k, dtype, count):
    x = np.repeat(np.array(ROWS, dtype), count, axis=1)  # inside a vector, and beyond it
    g = np.where(np.isfinite(x), np.sign(x), x)
    for name in ("softmax", "log_softmax"):
        actual, expected = (getattr(of, name)(x, 1) for of in (k, vectorized))
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-42)
        with np.errstate(all="ignore"):
            actual, expected = (
                getattr(of, name + "_input")(g, expected, 1) for of in (k, vectorized)
            )
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)
    for label in range(3):
        target = np.full(len(x), label * count)
        for ignored in (-100, label * count):
            given = x, target, None, ignored
            actual, expected = (of.cross_entropy(*given) for of in (k, vectorized))
            np.testing.assert_allclose(actual, expected, rtol=1e-6)
            for g in (dtype(2), dtype(INF), dtype(NAN)):
                with np.errstate(all="ignore"):
                    bars = [of.cross_entropy_input(g, *given) for of in (k, vectorized)]
                np.testing.assert_allclose(*bars, rtol=1e-6, atol=1e-42)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0), (2, 0, 3), (2, 3, 0)])
def test_nothing_at_all(k, shape):
    x = np.zeros(shape, np.float32)
    for dim in range(len(shape)):
        assert k.softmax(x, dim).shape == k.log_softmax(x, dim).shape == shape
        assert k.softmax_input(x, x, dim).shape == k.log_softmax_input(x, x, dim).shape == shape
    if shape[1]:
        target = np.zeros((shape[0], *shape[2:]), np.int64)
        assert k.cross_entropy(x, target, None, -100).shape == (2, *target.shape)
        assert k.cross_entropy_input(np.float32(1), x, target, None, -100).shape == shape


def test_a_label_that_is_no_class_is_an_error_not_a_place_in_memory(k):
    x, g = np.zeros((2, 3), np.float32), np.float32(1)
    for label in (3, 10**12, -4):
        target = np.array([0, label])
        with pytest.raises(IndexError):
            k.cross_entropy(x, target, None, -100)
        with pytest.raises(IndexError):
            k.cross_entropy_input(g, x, target, None, -100)
    assert (k.cross_entropy(x, np.array([0, 1]), None, 2**64)[1] == 1).all()


def test_other_memory(k):
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(6, 8)).astype(np.float32)
    unaligned = np.frombuffer(b"0" + wide.tobytes(), np.float32, offset=1).reshape(6, 8)
    swapped = wide.astype(wide.dtype.newbyteorder())
    for x in (wide[:, ::2], wide[::2], wide[::-1], wide[:, ::-1], unaligned, swapped, wide[:, :3]):
        g = np.broadcast_to(np.float32(1.5), x.shape)
        y = k.softmax(x, 1)
        near(y, definition(x, 1), np.float32)
        near(k.softmax_input(g, y, 1), 0 * y, np.float32)
        near(k.log_softmax_input(g, np.log(y), 1), 1.5 - 1.5 * x.shape[1] * y, np.float32)
        target = np.arange(12)[:: 12 // len(x)][: len(x)] % x.shape[1]
        loss, _ = k.cross_entropy(x, target, np.ones(20)[::2][: x.shape[1]], -100)
        near(loss, -np.log(definition(x, 1))[np.arange(len(x)), target], np.float32)
