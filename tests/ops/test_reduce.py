"""Reductions: against NumPy, at ties, of no elements, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import ops
from tinygrad_cnn.testing import check_kink, check_op


def logsumexp(x, dim, keepdim=False):
    return np.log(np.exp(x).sum(axis=dim, keepdims=keepdim))


def along(function):
    return lambda x, dim, keepdim=False: function(x, axis=dim, keepdims=keepdim)


def by_numpy(function):
    return lambda x, dim=None, keepdim=False: function(x, axis=dim, keepdims=keepdim)


REFERENCES = {
    "sum": by_numpy(np.sum),
    "mean": by_numpy(np.mean),
    "amax": by_numpy(np.max),
    "amin": by_numpy(np.min),
    "max_along": along(np.max),
    "min_along": along(np.min),
    "logsumexp": logsumexp,
    "norm": lambda x, dim=None, keepdim=False: np.sqrt((x * x).sum(axis=dim, keepdims=keepdim)),
    "p_norm": lambda x, p, dim=None, keepdim=False: (
        np.sum(np.abs(x) ** p, axis=dim, keepdims=keepdim) ** (1 / p)
        if p
        else np.sum(x != 0, axis=dim, keepdims=keepdim) * 1.0
    ),
    "std": lambda x, dim=None, correction=1, keepdim=False: np.std(
        x, axis=dim, ddof=correction, keepdims=keepdim
    ),
    "var": lambda x, dim=None, correction=1, keepdim=False: np.var(
        x, axis=dim, ddof=correction, keepdims=keepdim
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_forward_is_numpys(name):
    check_op(name, reference=REFERENCES[name])


# --- Ties ---------------------------------------------------------------------------------------

TIED = [[3.0, 1.0, 3.0], [0.0, 2.0, 2.0]]


@pytest.mark.parametrize(
    ("fn", "expected"),
    [
        (lambda x: x.amax(1), [[0.5, 0, 0.5], [0, 0.5, 0.5]]),
        (lambda x: x.amax(), [[0.5, 0, 0.5], [0, 0, 0]]),
        (lambda x: x.max(), [[0.5, 0, 0.5], [0, 0, 0]]),
        (lambda x: x.amax((0, 1), keepdim=True), [[0.5, 0, 0.5], [0, 0, 0]]),
        (lambda x: x.max(1)[0], [[1, 0, 0], [0, 1, 0]]),
        (lambda x: x.max(dim=1, keepdim=True).values, [[1, 0, 0], [0, 1, 0]]),
        (lambda x: (-x).amin(1) * -1.0, [[0.5, 0, 0.5], [0, 0.5, 0.5]]),
        (lambda x: (-x).min(1)[0] * -1.0, [[1, 0, 0], [0, 1, 0]]),
        (lambda x: (-x).min() * -1.0, [[0.5, 0, 0.5], [0, 0, 0]]),
    ],
)
def test_ties(fn, expected):
    check_kink(fn, TIED, expected)


def test_max_along_gives_the_index_of_the_first():
    values, indices = tc.tensor(TIED).max(1)
    assert values.tolist() == [3.0, 2.0]
    assert indices.tolist() == [0, 1]
    assert indices.dtype == tc.int64
    assert tc.tensor(TIED).min(0).indices.tolist() == [1, 0, 1]
    assert tc.tensor(TIED).argmax(1).tolist() == [0, 1]
    assert tc.tensor(TIED).argmax().item() == 0


def test_the_norm_of_zeros_has_slope_zero():
    check_kink(ops.norm, [0.0], [0.0])
    check_kink(lambda x: ops.norm(x, dim=1), [[0.0, 0.0], [3.0, 4.0]], [[0.0, 0.0], [0.6, 0.8]])


@pytest.mark.parametrize("name", ["var", "std"])
def test_a_constant_has_no_slope_in_its_spread(name):
    x = tc.tensor(np.full(4, 2.5), requires_grad=True)
    getattr(x, name)().backward()
    assert x.grad.tolist() == [0.0] * 4


# --- NaN and infinities -------------------------------------------------------------------------


def gradient(fn, x):
    x = tc.tensor(np.array(x), requires_grad=True)
    fn(x).sum().backward()
    return x.grad.numpy()


def test_nan_is_a_maximum_and_a_minimum():
    x = tc.tensor([1.0, np.nan, 2.0])
    for reduce in (x.max, x.min, x.amax, x.amin, x.sum, x.mean, x.var):
        assert np.isnan(reduce().item())
    assert np.isnan(x.max(0).values.item())
    assert x.max(0).indices.item() == x.min(0).indices.item() == 1
    assert gradient(lambda x: x.max(0)[0], [1.0, np.nan, np.nan]).tolist() == [0.0, 1.0, 0.0]


def test_logsumexp_neither_overflows_nor_underflows():
    assert tc.tensor([1000.0, 1000.0]).logsumexp(0).item() == pytest.approx(1000 + np.log(2))
    assert tc.tensor([-1000.0, -1000.0]).logsumexp(0).item() == pytest.approx(-1000 + np.log(2))
    np.testing.assert_allclose(
        gradient(lambda x: x.logsumexp(0), [1000.0, 1000.0]), 0.5, rtol=1e-10
    )


def test_logsumexp_of_infinities():
    assert tc.tensor([np.inf, 1.0]).logsumexp(0).item() == np.inf
    assert tc.tensor([-np.inf, -np.inf]).logsumexp(0).item() == -np.inf
    assert tc.tensor([-np.inf, 1.0]).logsumexp(0).item() == 1.0
    assert gradient(lambda x: x.logsumexp(0), [-np.inf, 1.0]).tolist() == [0.0, 1.0]


# --- Nothing to reduce --------------------------------------------------------------------------


def test_reductions_of_nothing():
    nothing = tc.zeros(0, 3)
    assert nothing.sum(0).tolist() == [0.0] * 3
    assert nothing.sum().item() == 0.0
    assert np.isnan(nothing.mean(0).numpy()).all()
    assert np.isnan(nothing.var(0).numpy()).all()
    assert nothing.logsumexp(0).tolist() == [-np.inf] * 3
    assert nothing.sum(1).shape == nothing.amax(1).shape == nothing.max(1).values.shape == (0,)


@pytest.mark.parametrize("name", ["sum", "mean", "var", "logsumexp"])
def test_the_gradient_of_nothing_is_nothing(name):
    x = tc.zeros(0, 3).requires_grad_()
    getattr(x, name)(0).sum().backward()
    assert x.grad.shape == (0, 3)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 1, -1, (), (0, 2, 3), (0, 1), (0, -1)])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_sums_of_many_numbers_however_they_lie(dtype, order, dim, keepdim):
    numbers = np.random.default_rng(0).integers(-9, 9, (9, 17, 20, 30)).astype(dtype)
    x = np.ascontiguousarray(numbers.transpose(order)).transpose(np.argsort(order))
    if dtype is not np.int32:
        x[0, 0, 0, 0], x[0, 1, 0, 0] = np.nan, np.inf
    y = ops.reduce.sum(x, dim=dim, keepdim=keepdim)
    wanted = x.sum(axis=dim, keepdims=keepdim)
    assert y.dtype == wanted.dtype
    np.testing.assert_array_equal(y, wanted)  # of whole numbers, so exact in any order


def test_a_tensor_without_axes():
    x = tc.tensor(3.0, requires_grad=True)
    for reduced in (
        x.sum(),
        x.sum(0),
        x.mean(0),
        x.amax(0),
        x.max(0).values,
        x.logsumexp(0),
        x.max(),
    ):
        assert reduced.shape == ()
        assert reduced.item() == 3.0
        (g,) = tc.autograd.grad(reduced, x)
        assert g.item() == 1.0
    assert x.max(0).indices.item() == 0
    for name in ("sum", "max", "min", "amax", "argmax"):
        with pytest.raises(IndexError, match="Dimension out of range"):
            getattr(x, name)(1)
