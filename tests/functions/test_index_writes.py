"""index_put and scatter_reduce against plain loops; derivatives at zeros and ties; in place."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

REDUCTIONS = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}
X, V = separated(np.random.default_rng(3), (3, 4), (3, 6))
I = np.random.default_rng(4).integers(0, 4, (3, 6))


def plain(x, i, v, reduce, include_self):
    """Row by row, place by place."""
    y = x.copy()
    for n, row in enumerate(x):
        for place, own in enumerate(row):
            there = v[n][i[n] == place]
            if there.size:
                y[n, place] = REDUCTIONS[reduce]([own, *there] if include_self else there)
    return y


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_scatter_reduce(reduce, include_self):
    def fn(x, v):
        return tc.scatter_reduce(x, 1, tc.tensor(I), v, reduce, include_self=include_self)

    got = fn(tc.tensor(X), tc.tensor(V))
    np.testing.assert_allclose(got.numpy(), plain(X, I, V, reduce, include_self), rtol=1e-12)
    check_vjp(fn, X, V)
    check_second_order(lambda x, v: fn(x, v) ** 2, X, V)


@given(st.integers(0, 2**32 - 1), st.sampled_from([*REDUCTIONS]), st.booleans())
def test_scatter_reduce_of_integers(seed, reduce, include_self):
    rng = np.random.default_rng(seed)
    x, v, i = rng.integers(-3, 4, (2, 3)), rng.integers(-3, 4, (2, 5)), rng.integers(0, 3, (2, 5))
    got = tc.tensor(x).scatter_reduce(
        1, tc.tensor(i), tc.tensor(v), reduce, include_self=include_self
    )
    wanted = np.floor(plain(x.astype(float), i, v, reduce, include_self)).astype(int)
    np.testing.assert_array_equal(got.numpy(), wanted)
    assert got.dtype == tc.int64


def test_a_product_with_zeros_has_its_gradient():
    x = tc.tensor([2.0, 5.0], requires_grad=True)
    v = tc.tensor([0.0, 3.0], requires_grad=True)
    x.scatter_reduce(0, tc.tensor([0, 0]), v, "prod").sum().backward()
    assert x.grad.tolist() == [0.0, 1.0]
    assert v.grad.tolist() == [6.0, 0.0]


def test_equal_extremes_share_the_gradient():
    x = tc.tensor([4.0], requires_grad=True)
    v = tc.tensor([4.0, 1.0, 4.0], requires_grad=True)
    x.scatter_reduce(0, tc.tensor([0, 0, 0]), v, "amax").sum().backward()
    assert x.grad.item() == pytest.approx(1 / 3)
    assert v.grad.tolist() == pytest.approx([1 / 3, 0.0, 1 / 3])


@pytest.mark.parametrize("reduce", ["prod", "amax"])
def test_one_place_with_many_elements_costs_no_table_for_all(reduce):
    n = 30_000
    i = np.concatenate([np.arange(n), np.zeros(n, int)])
    v = np.concatenate([np.full(n, 2.0), np.ones(n)])
    x = tc.ones(n, dtype=tc.float64, requires_grad=True)
    tracemalloc.start()
    y = x.scatter_reduce(0, tc.tensor(i), tc.tensor(v), reduce)
    y.sum().backward()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert y.tolist() == [2.0] * n
    assert peak < 100 * 8 * n  # n² would be 300 times as much


def test_a_later_write_to_the_index_changes_no_gradient():
    i = tc.tensor([0, 1])
    v = tc.ones(2, requires_grad=True)
    y = tc.zeros(3).scatter_reduce(0, i, v * 2, "sum")
    z = tc.zeros(3).index_put((i,), v * 3, accumulate=True)
    i.fill_(2)
    (y[0] + z[1]).backward()
    assert v.grad.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize(
    ("index", "shape"),
    [
        (([2, 0],), (2, 4)),
        (([2, 0],), (4,)),
        (([[1], [0]], [0, 3]), (2, 2)),
        ((X > 0,), (1,)),
        (([True, False, True], [1, 2]), ()),
        ((1,), (4,)),
        ((1, 2), (1, 1)),
    ],
)
def test_index_put(index, shape, accumulate):
    (v,) = separated(np.random.default_rng(5), shape)
    parts = tuple(map(np.asarray, index))
    y = X.copy()
    if accumulate:
        np.add.at(y, parts, v.reshape(()) if v.size == 1 else v)
    else:
        y[parts] = v.reshape(()) if v.size == 1 else v
    indices = [tc.tensor(p) for p in parts]
    got = tc.tensor(X).index_put(indices, tc.tensor(v), accumulate)
    np.testing.assert_allclose(got.numpy(), y, rtol=1e-12)
    check_vjp(lambda x, v: x.index_put(indices, v, accumulate), X, v)


def test_repeated_places():
    i, v = tc.tensor([0, 0]), tc.tensor([1.0, 2.0], requires_grad=True)
    y = tc.zeros(2).index_put((i,), v)
    assert y.tolist() == [2.0, 0.0]
    y.sum().backward()
    assert v.grad.tolist() == [0.0, 1.0]
    assert tc.zeros(2).index_put((i,), v.detach(), True).tolist() == [3.0, 0.0]


def test_in_place():
    x = tc.zeros(3)
    assert x.index_put_((tc.tensor([1]),), tc.tensor([5.0])) is x
    assert x.scatter_reduce_(0, tc.tensor([1, 2]), tc.tensor([7.0, 1.0]), "amax") is x
    assert x.tolist() == [0.0, 7.0, 1.0]
    p = tc.ones(3, requires_grad=True)
    (p * 2).index_put_((tc.tensor([0]),), tc.tensor([9.0])).sum().backward()
    assert p.grad.tolist() == [0.0, 2.0, 2.0]


def test_a_mask_takes_a_value_of_any_dtype():
    x = tc.tensor([1, 2, 3])
    assert x.index_put((x > 1,), tc.tensor(7.9)).tolist() == [1, 7, 7]
    with pytest.raises(RuntimeError, match="dtypes match"):
        x.index_put((tc.tensor([0]),), tc.tensor([7.9]))


def test_small_and_empty_indices():
    x = tc.tensor(3.0)
    assert x.scatter_reduce(0, tc.tensor(0), tc.tensor(4.0), "sum").item() == 7.0
    empty = tc.zeros(0, dtype=tc.int64)
    assert tc.ones(2).scatter_reduce(0, empty, tc.zeros(0), "amax").tolist() == [1.0, 1.0]
    assert tc.ones(2).index_put((empty,), tc.zeros(0)).tolist() == [1.0, 1.0]
