"""Initial values: ranges and moments, dependence on the seed, and errors."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.nn import init

seeds = st.integers(0, 2**32)
dtypes = st.sampled_from([tc.float32, tc.float64])

RANDOM = {
    "uniform_": lambda x, g: init.uniform_(x, -2, 3, generator=g),
    "normal_": lambda x, g: init.normal_(x, 1, 2, generator=g),
    "trunc_normal_": lambda x, g: init.trunc_normal_(x, generator=g),
    "xavier_uniform_": lambda x, g: init.xavier_uniform_(x, 2.0, generator=g),
    "xavier_normal_": lambda x, g: init.xavier_normal_(x, generator=g),
    "kaiming_uniform_": lambda x, g: init.kaiming_uniform_(x, generator=g),
    "kaiming_normal_": lambda x, g: init.kaiming_normal_(x, mode="fan_out", generator=g),
    "orthogonal_": lambda x, g: init.orthogonal_(x, generator=g),
    "sparse_": lambda x, g: init.sparse_(x, 0.3, generator=g),
}


@pytest.mark.parametrize("name", RANDOM)
@given(seeds, st.integers(1, 6), st.integers(1, 6), dtypes)
def test_the_seed_decides_the_values(name, seed, rows, columns, dtype):
    draw = RANDOM[name]
    x = tc.zeros(rows, columns, dtype=dtype)
    assert draw(x, tc.Generator().manual_seed(seed)) is x
    assert x.dtype == dtype
    assert x.isfinite().all()
    again = draw(tc.zeros(rows, columns, dtype=dtype), tc.Generator().manual_seed(seed))
    assert x.equal(again)
    tc.manual_seed(seed)
    assert x.equal(draw(tc.zeros(rows, columns, dtype=dtype), None))


@pytest.mark.parametrize("name", RANDOM)
def test_parameters_and_views_are_filled_without_a_graph(name):
    p = tc.nn.Parameter(tc.zeros(4, 6))
    RANDOM[name](p, None)
    assert p.is_leaf
    assert p.requires_grad
    whole = tc.zeros(6, 4)
    RANDOM[name](whole.t()[:, 1:], None)
    assert (whole[0] == 0).all()
    assert not (whole[1:] == 0).all()


@pytest.mark.parametrize(
    ("fill", "mean", "std", "low", "high"),
    [
        (lambda x: init.uniform_(x, -1, 3), 1.0, 4 / math.sqrt(12), -1, 3),
        (lambda x: init.normal_(x, 2, 0.5), 2.0, 0.5, -9, 9),
        (lambda x: init.trunc_normal_(x), 0.0, 0.879626, -2, 2),
        (lambda x: init.trunc_normal_(x, 1.0, 2.0, 1.5, 2.0), 1.7474, 0.1442, 1.5, 2.0),
        (lambda x: init.trunc_normal_(x, 0.0, 1.0, 3.0, 9.0), 3.283098, 0.265556, 3, 9),
        (lambda x: init.trunc_normal_(x, 0.0, 1.0, -9.0, -3.0), -3.283098, 0.265556, -9, -3),
        (lambda x: init.trunc_normal_(x, 0.0, 1.0, -0.05, 0.05), 0.0, 0.1 / 12**0.5, -0.05, 0.05),
        (lambda x: init.xavier_uniform_(x, 2.0), 0.0, 2 * math.sqrt(2 / 600), -0.2, 0.2),
        (lambda x: init.xavier_normal_(x), 0.0, math.sqrt(2 / 600), -9, 9),
        (lambda x: init.kaiming_uniform_(x, 0.5), 0.0, math.sqrt(2 / 1.25 / 400), -1, 1),
        (lambda x: init.kaiming_normal_(x, mode="fan_out", nonlinearity="tanh"), 0.0,
         5 / 3 / math.sqrt(200), -9, 9),
    ],
)  # fmt: skip
def test_moments_and_ranges(fill, mean, std, low, high):
    tc.manual_seed(7)
    x = fill(tc.empty(200, 400)).numpy().astype(np.float64)
    assert low <= x.min()
    assert x.max() <= high
    assert abs(x.mean() - mean) < 5 * std / math.sqrt(x.size)
    assert x.std() == pytest.approx(std, rel=0.01)


def test_fans_count_the_kernel():
    x = init.kaiming_uniform_(tc.empty(30, 20, 3, 2))
    assert x.abs().max().item() == pytest.approx(math.sqrt(6 / 120), rel=1e-2)
    assert init._calculate_fan_in_and_fan_out(x) == (120, 180)


@given(seeds, st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.floats(0.5, 3))
def test_orthogonal(seed, rows, c, k, gain):
    x = tc.empty(rows, c, k, dtype=tc.float64)
    m = init.orthogonal_(x, gain, tc.Generator().manual_seed(seed)).numpy().reshape(rows, -1)
    product = m @ m.T if rows <= c * k else m.T @ m
    np.testing.assert_allclose(product, gain**2 * np.eye(len(product)), atol=1e-12)


def test_constants():
    x = tc.empty(2, 3)
    assert init.constant_(x, 2.5).tolist() == [[2.5] * 3] * 2
    assert init.ones_(x).tolist() == [[1] * 3] * 2
    assert init.zeros_(x).tolist() == [[0] * 3] * 2
    assert init.eye_(x).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert init.zeros_(tc.ones(2, dtype=tc.int64)).tolist() == [0, 0]


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 2))
def test_dirac_passes_channels_through(groups, out, into, pad):
    w = init.dirac_(tc.empty(groups * out, into, 2 * pad + 1, 2 * pad + 1), groups)
    x = tc.randn(1, groups * into, 4, 5)
    y = tc.nn.functional.conv2d(x, w, padding=pad, groups=groups)
    n = min(out, into)
    for g in range(groups):
        assert y[:, g * out : g * out + n].equal(x[:, g * into : g * into + n])
        assert (y[:, g * out + n : (g + 1) * out] == 0).all()


def test_sparse_zeros_that_many_of_each_column():
    x = init.sparse_(tc.empty(10, 30), 0.25)
    assert set((x == 0).sum(dim=0).tolist()) == {3}


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [("linear", None, 1.0), ("conv2d", None, 1.0), ("sigmoid", None, 1.0), ("tanh", None, 5 / 3),
     ("relu", None, math.sqrt(2)), ("leaky_relu", None, math.sqrt(2 / 1.0001)),
     ("leaky_relu", 3, math.sqrt(0.2)), ("selu", None, 0.75)],
)  # fmt: skip
def test_gains(name, param, gain):
    assert init.calculate_gain(name, param) == pytest.approx(gain)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda x: init.calculate_gain("x"), ValueError, "Unsupported nonlinearity x"),
        (lambda x: init.calculate_gain("leaky_relu", "a"), ValueError, "a not a valid number"),
        (lambda x: init.uniform_(x, 1, 0), RuntimeError, "a=1 > b=0"),
        (lambda x: init.normal_(x, 0, -1), RuntimeError, "std -1"),
        (lambda x: init.trunc_normal_(x, 0, 1, 2, 1), RuntimeError, "a=2, b=1"),
        (lambda x: init.normal_(tc.ones(2, dtype=tc.int64)), NotImplementedError, "int64"),
        (
            lambda x: init.normal_(np.ones(2)),
            TypeError,
            r"normal_\(\): argument 'tensor' \(position 1\) must be Tensor, not numpy.ndarray",
        ),
        (init.kaiming_uniform_, ValueError, "fewer than 2 dimensions"),
        (init.xavier_normal_, ValueError, "fewer than 2 dimensions"),
        (lambda x: init.kaiming_normal_(tc.ones(2, 2), mode="x"), ValueError, "Mode x not"),
        (init.eye_, ValueError, "Only tensors with 2 dimensions"),
        (init.orthogonal_, ValueError, "Only tensors with 2 or more dimensions"),
        (init.dirac_, ValueError, "3, 4, or 5 dimensions"),
        (lambda x: init.dirac_(tc.ones(3, 2, 1), groups=2), ValueError, "divisible by groups"),
        (lambda x: init.sparse_(x, 0.1), ValueError, "Only tensors with 2 dimensions"),
    ],
)
def test_errors_change_nothing(act, error, message):
    x = tc.ones(3)
    with pytest.raises(error, match=message):
        act(x)
    assert x.tolist() == [1, 1, 1]


def test_an_empty_tensor_is_left_alone_with_a_warning():
    with pytest.warns(UserWarning, match="zero-element"):
        init.kaiming_uniform_(tc.empty(0, 3))
    assert init.orthogonal_(tc.empty(0, 3)).shape == (0, 3)


def test_a_graph_that_saved_the_weight_notices():
    p = tc.nn.Parameter(tc.ones(2))
    y = p * p
    init.zeros_(p)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
