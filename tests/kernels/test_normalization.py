"""Sums and normalization of both sets, against their definitions."""

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from tinygrad_cnn.kernels import threads, tuning as shared
from tinygrad_cnn.kernels.vectorized import passes, tuning

from .layouts import lying

try:
    from tinygrad_cnn.kernels.compiled import tuning as compiled
except ImportError:
    compiled = None


@pytest.fixture(params=[False, True], ids=["whole", "in parts"], autouse=True, scope="module")
def parts(request):
    """Small shapes take the paths of large ones, the second time in many parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "LARGE_ELEMENTS", 0)
        if compiled:
            patch.setattr(compiled, "NORMALIZED_ELEMENTS", 0)
        if request.param:
            patch.setattr(threads, "get_num_threads", lambda: 3)
            patch.setattr(tuning, "PART_ELEMENTS", 17)
            patch.setattr(tuning, "ROW_ELEMENTS", 40)
        if request.param and compiled:
            patch.setattr(compiled, "SHARED_MULTIPLY_ADDS", 0)
            patch.setattr(compiled, "BLOCK_ROWS", 3)
            patch.setattr(compiled, "BLOCK_RUN_ELEMENTS", 5)
        passes._table.cache_clear()
        yield
    passes._table.cache_clear()


KINDS = {  # for shapes such as (N, G, c, H, W): dims, and the axes along which the weight varies
    "batch": ((0, 2, 3), (1,)), "instance": ((2, 3), (1,)), "group": ((2, 3, 4), (1, 2)),
    "layer": ((2, 3), (2, 3)), "rows": ((1,), (1,)), "all": ((0, 1), ()), "one": ((), (0,)),
}  # fmt: skip


NDIM = {"group": 5, "rows": 2, "all": 2, "one": 2}


@st.composite
def cases(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    sizes = st.sampled_from([1, 2, 3, 5, 17, 40, 70])
    shape = [draw(st.sampled_from([1, 2, 3]))] + [draw(sizes) for _ in range(NDIM.get(kind, 4) - 1)]
    while np.prod(shape) > 1 << 14:
        shape[shape.index(max(shape))] = 3
    orders = [draw(st.permutations(range(len(shape)))) for _ in "xg"]
    ends = (0, *range(2, len(shape)), 1), (*range(1, len(shape)), 0), tuple(range(len(shape)))
    orders = [draw(st.sampled_from([*ends, order])) for order in orders]
    if draw(st.booleans()):
        orders[1] = orders[0]
    gaps = draw(st.sampled_from([0, 0, 3])), draw(st.sampled_from([0, 0, 1]))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.float16]))
    return kind, tuple(shape), orders, gaps, dtype, draw(st.integers(0, 2**32))


def drawn(case):
    kind, shape, orders, gaps, dtype, seed = case
    rng = np.random.default_rng(seed)
    dims, varying = KINDS[kind]
    x, g = (rng.normal(3, 2, shape).astype(dtype) for _ in "xg")
    kept = [1 if d in dims else n for d, n in enumerate(shape)]
    affine = [n if d in varying else 1 for d, n in enumerate(shape)]
    x, g = (lying(v, o, e) for v, o, e in zip((x, g), orders, gaps, strict=True))
    mu, s, t = (rng.normal(size=kept).astype(dtype) for _ in "mst")
    scale = rng.uniform(0.5, 2, kept).astype(dtype)
    weight, bias = (rng.normal(size=affine).astype(dtype) for _ in "wb")
    weight, bias = (None if rng.random() < 0.2 else v for v in (weight, bias))
    return dims, x, g, mu, scale, weight, bias, s, t


def near(actual, expected, dtype):
    assert actual.dtype == dtype
    assert actual.shape == expected.shape
    scale = max(1, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=200 * np.finfo(dtype).eps * scale)


def wide(*arrays):
    return [None if v is None else np.asarray(v, np.float64) for v in arrays]


BATCH_LAST = ("batch", (2, 70, 5, 3), [(0, 2, 3, 1)] * 2, (3, 1), np.float32, 0)


INSTANCES = ("instance", (3, 17, 5, 3), [(0, 2, 3, 1)] * 2, (0, 0), np.float32, 1)


ROWS = ("layer", (2, 3, 17, 5), [(0, 1, 2, 3)] * 2, (0, 0), np.float32, 2)


@given(cases())
@example(BATCH_LAST)
@example(INSTANCES)
@example(ROWS)
@settings(deadline=None)
def test_normalisation_is_its_definition(k, case):
    dims, x, g, mu, scale, weight, bias, s, t = drawn(case)
    dtype = x.dtype
    X, G, M, R, W, B, S, T = wide(x, g, mu, scale, weight, bias, s, t)
    mean, variance = k.moments(x, dims)
    if dtype != np.float16:
        near(mean, X.mean(axis=dims, keepdims=True), dtype)
        near(variance, X.var(axis=dims, keepdims=True), dtype)
        of_g, of_gd = k.moments_with(g, x, mu, dims)
        m = X.size / of_g.size
        near(of_g / m, G.mean(axis=dims, keepdims=True), dtype)
        near(of_gd / m, (G * (X - M)).mean(axis=dims, keepdims=True), dtype)
        of_h, of_hd = k.moments_with(g, x, mu, dims, weight)
        H = G if W is None else G * W
        near(of_h / m, H.mean(axis=dims, keepdims=True), dtype)
        near(of_hd / m, (H * (X - M)).mean(axis=dims, keepdims=True), dtype)
        rest = tuple(d for d in range(x.ndim) if d not in dims)
        of_g, of_gx = k.weight_sums(g, x, mu, scale, rest)
        m = X.size / of_g.size
        near(of_g / m, G.mean(axis=rest, keepdims=True), dtype)
        near(of_gx / m, (G * (X - M) * R).mean(axis=rest, keepdims=True), dtype)
    W, B = 1 if W is None else W, 0 if B is None else B
    near(k.normalize(x, mu, scale, weight, bias), (X - M) * R * W + B, dtype)
    wanted = R * (W * G - S - T * (X - M))
    near(k.normalize_input(g, x, mu, scale, weight, s, t), wanted, dtype)


@pytest.mark.parametrize("dims", [(0, 2, 3), (1, 2, 3), (2, 3), (0, 1, 2, 3)])
@pytest.mark.parametrize("orders", [((0, 2, 3, 1), (0, 3, 2, 1)), ((0, 2, 3, 1), (0, 1, 2, 3))])
def test_what_is_summed_may_lie_in_two_orders(k, dims, orders):
    """A layer norm after a convolution, whose gradient comes from a linear layer.

    x and g have their classes in the same order, but the summed axes in different orders. The
    kernel once treated these layouts as equal.
    """
    rng = np.random.default_rng(0)
    x, g = (lying(rng.normal(size=(3, 4, 5, 6)), order) for order in orders)
    mu, s, t = rng.normal(size=(3, *np.mean(x, dims, keepdims=True).shape))
    of_g, of_gd = k.moments_with(g, x, mu, dims)
    near(of_g, g.sum(dims, keepdims=True), x.dtype)
    near(of_gd, (g * (x - mu)).sum(dims, keepdims=True), x.dtype)
    near(k.normalize_input(g, x, mu, s, None, s, t), s * (g - s - t * (x - mu)), x.dtype)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0)])
def test_the_variance_of_numbers_far_from_zero(k, order):
    """Σ x² / m − μ² would lose all digits."""
    rng = np.random.default_rng(0)
    x = lying((4096 + rng.normal(size=(5, 8, 9, 7))).astype(np.float32), order)
    mean, variance = k.moments(x, (0, 2, 3))
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean((0, 2, 3), keepdims=True), rtol=2e-6)
    np.testing.assert_allclose(variance, exact.var((0, 2, 3), keepdims=True), rtol=1e-5)


@given(cases(), st.sampled_from([12345.67, 0.1, -7.77, 3.3e7, 1e18, 1e-9, 0.0]))
@settings(deadline=None)
def test_the_mean_of_equal_numbers_is_exact(k, case, value):
    kind, shape, orders, gaps, dtype, seed = case
    if dtype == np.float16:
        return
    dims, rng = KINDS[kind][0], np.random.default_rng(seed)
    classes = [1 if d in dims else n for d, n in enumerate(shape)]
    x = np.broadcast_to(rng.uniform(1, 2, classes) * value, shape).astype(dtype)
    x = lying(x, orders[0], gaps[0])
    mean, variance = k.moments(x, dims)
    np.testing.assert_array_equal(np.broadcast_to(mean, x.shape), x)
    assert np.all(variance >= 0)
    assert np.all(np.sqrt(variance) <= 0.01 * np.spacing(np.abs(mean)))
    y = k.normalize(x, mean, 1 / np.sqrt(variance + x.dtype.type(1e-5)), None, None)
    assert not y.any()


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0)])
def test_one_number_beside_equal_ones(k, order):
    x = np.full((5, 8, 9, 7), 12345.67, np.float32)
    x[2, :, 3, 4] = np.nextafter(x[2, :, 3, 4], np.float32(np.inf))
    x = lying(x, order)
    mean, variance = k.moments(x, (0, 2, 3))
    exact = x.astype(np.float64)
    np.testing.assert_allclose(variance, exact.var((0, 2, 3), keepdims=True), rtol=0.01)
    assert np.all(np.abs(mean - exact.mean((0, 2, 3), keepdims=True)) <= np.spacing(mean) / 2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_class(k, value):
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 6)).astype(np.float32)
    x[1, 2, 3, 4] = value
    for order in ((0, 1, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0)):
        with np.errstate(invalid="ignore"):
            mean, variance = k.moments(lying(x, order), (0, 2, 3))
        assert np.isfinite(mean.ravel()).tolist() == [True, True, False, True]
        np.testing.assert_equal(mean.ravel()[2], value)
        assert np.isnan(variance.ravel()).tolist() == [False, False, True, False]


@given(cases())
@settings(deadline=None)
def test_the_same_bits_twice(k, case):
    dims, x, g, mu, scale, weight, *_ = drawn(case)
    for call in (
        lambda: k.moments(x, dims),
        lambda: k.moments_with(g, x, mu, dims),
        lambda: [k.normalize(x, mu, scale, weight, None)],
    ):
        assert all(np.array_equal(a, b) for a, b in zip(call(), call(), strict=True))
