"""Shapes: against NumPy, which of them are views, both derivatives, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, B = separated(np.random.default_rng(0), (3, 4), (2, 3, 4))

VIEWS = [
    (lambda x: x.movedim(0, 2), lambda a: np.moveaxis(a, 0, 2)),
    (lambda x: x.moveaxis((0, 1), (1, 2)), lambda a: np.moveaxis(a, (0, 1), (1, 2))),
    (lambda x: x.swapaxes(0, 1), lambda a: a.swapaxes(0, 1)),
    (lambda x: x.unflatten(2, (2, -1)), lambda a: a.reshape(2, 3, 2, 2)),
    (lambda x: x.ravel(), np.ravel),
    (lambda x: x.narrow(1, -2, 2), lambda a: a[:, 1:]),
    (lambda x: x.select(2, -1), lambda a: a[..., -1]),
    (lambda x: x.unbind(1)[2], lambda a: a[:, 2]),
    (lambda x: x.chunk(2, 2)[1], lambda a: a[..., 2:]),
    (lambda x: x.split([1, 2], 1)[1], lambda a: a[:, 1:]),
    (lambda x: x.split(2, -1)[0], lambda a: a[..., :2]),
    (lambda x: x.diagonal(1, 1, 2), lambda a: a.diagonal(1, 1, 2)),
    (lambda x: x.diagonal(-1, 2, 0), lambda a: a.diagonal(-1, 2, 0)),
    (lambda x: x.mT, lambda a: a.swapaxes(1, 2)),
]
COPIES = [
    (lambda x: x.flip(0, 2), lambda a: np.flip(a, (0, 2))),
    (lambda x: x.flip(dims=[1]), lambda a: a[:, ::-1]),
    (lambda x: x.roll((1, -2), (1, 2)), lambda a: np.roll(a, (1, -2), (1, 2))),
    (lambda x: x.roll(5), lambda a: np.roll(a, 5)),
    (lambda x: x.rot90(1, (1, 2)), lambda a: np.rot90(a, 1, (1, 2))),
    (lambda x: x.rot90(-2, (0, 1)), lambda a: np.rot90(a, -2, (0, 1))),
    (lambda x: x.fliplr(), np.fliplr),
    (lambda x: x.tril(1), lambda a: np.tril(a, 1)),
    (lambda x: x.triu(), np.triu),
    (lambda x: x.repeat(2, 1, 3), lambda a: np.tile(a, (2, 1, 3))),
    (lambda x: x.repeat(1, 1, 1), np.copy),
    (lambda x: x.tile(2), lambda a: np.tile(a, 2)),
    (lambda x: x.repeat_interleave(2, 1), lambda a: np.repeat(a, 2, 1)),
    (lambda x: tc.repeat_interleave(x, tc.tensor([2, 0, 1]), dim=1),
     lambda a: np.repeat(a, [2, 0, 1], 1)),
    (lambda x: x[:, 0].diag(), lambda a: np.diag(a[:, 0])),
    (lambda x: x[0, 0].diag(-1), lambda a: np.diag(a[0, 0], -1)),
    (lambda x: x[0].diag_embed(), lambda a: np.stack([np.diag(row) for row in a[0]])),
    (lambda x: tc.hstack([x, x]), lambda a: np.hstack([a, a])),
    (lambda x: tc.vstack([x, x]), lambda a: np.vstack([a, a])),
    (lambda x: tc.dstack([x[0], x[1]]), lambda a: np.dstack([a[0], a[1]])),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "formula"), VIEWS + COPIES)
def test_forward_and_both_derivatives(fn, formula):
    np.testing.assert_array_equal(fn(tc.tensor(B)).numpy(), formula(B))
    check_vjp(fn, B)
    check_second_order(fn, B)


@pytest.mark.parametrize(("fn", "shared"), [(fn, True) for fn, _ in VIEWS] + [(fn, False) for fn, _ in COPIES])  # fmt: skip
def test_views_show_the_memory_and_copies_do_not(fn, shared):
    x = tc.tensor(B)
    fn(x).mul_(2.0)
    assert np.array_equal(x.numpy(), B) is not shared


def test_a_write_through_a_diagonal_differentiates():
    def fn(x, u):
        y = x * 1.0
        y.diagonal().mul_(u)
        return y

    check_vjp(fn, X, X[:, 0].copy())
    check_second_order(fn, X, X[:, 0].copy())


def test_chunks_and_splits_of_odd_sizes():
    x = tc.arange(7)
    assert [len(c) for c in x.chunk(3)] == [3, 3, 1]
    assert [len(c) for c in x.chunk(9)] == [1] * 7
    assert [len(c) for c in x.split(4)] == [4, 3]
    assert [len(c) for c in tc.zeros(0).chunk(2)] == [0, 0]
    assert [len(c) for c in tc.zeros(0).split(2)] == [0]


def test_meshgrid_indexing():
    a, b = tc.meshgrid(tc.arange(2), tc.arange(3), indexing="xy")
    for found, wanted in zip((a, b), np.meshgrid(np.arange(2), np.arange(3)), strict=True):
        np.testing.assert_array_equal(found.numpy(), wanted)


def test_an_empty_vector_is_left_out_of_cat():
    assert tc.cat([tc.zeros(0), tc.ones(2, 3)]).shape == (2, 3)
    assert tc.cat([tc.ones(2), tc.ones(2, dtype=tc.int64)]).dtype == tc.float32


def test_triangle_indices():
    rows, columns = tc.tril_indices(3, 4, -1)
    assert rows.tolist() == [1, 2, 2]
    assert columns.tolist() == [0, 0, 1]
    assert tc.triu_indices(2, 2).tolist() == [[0, 0, 1], [0, 1, 1]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.narrow(1, 3, 2), RuntimeError, r"start \(3\) \+ length \(2\) exceeds"),
        (lambda x: x.split([1, 1]), RuntimeError, "split_sizes to sum exactly to 3"),
        (lambda x: x.chunk(0), RuntimeError, "greater than 0"),
        (lambda x: x.select(1, 4), IndexError, "index 4 out of range"),
        (lambda x: x.unflatten(1, (3, -1)), RuntimeError, "don't multiply up to the size"),
        (lambda x: x.flip(0, 0), RuntimeError, "appears multiple times"),
        (lambda x: x.diagonal(0, 1, 1), RuntimeError, "cannot be identical"),
        (lambda x: x.repeat(2), RuntimeError, "Number of dimensions of repeat dims"),
        (lambda x: x[0].tril(), RuntimeError, "at least 2 dimensions"),
        (lambda x: tc.meshgrid(x, indexing="ij"), RuntimeError, "Expected 0D or 1D tensor"),
        (lambda x: x.expand(-1, 3, 4), RuntimeError, "cannot be expanded"),
        (lambda x: tc.cat([x.sum(), x.sum()]), RuntimeError, "zero-dimensional"),
        (
            lambda x: tc.cat([x, 1]),
            TypeError,
            "expected Tensor as element 1 in argument 0, but got int",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
