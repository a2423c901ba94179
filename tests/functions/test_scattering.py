"""Scattering by index and mask: against NumPy, both derivatives, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

X, Y, W = separated(np.random.default_rng(0), (3, 4), (3, 4), (2, 4))
MASK = np.random.default_rng(0).random((3, 4)) < 0.5
ROWS, COLUMNS = tc.tensor([2, 0]), tc.tensor([[3, 0], [1, 1], [0, 2]])


@pytest.mark.parametrize(
    "fn",
    [
        lambda x, y, w: x.scatter(1, COLUMNS, y),
        lambda x, y, w: x.scatter(1, COLUMNS, 2.5) * y,
        lambda x, y, w: x.scatter_add(1, COLUMNS, y),
        lambda x, y, w: x.scatter_add(0, tc.zeros(3, 4, dtype=tc.int64), y),
        lambda x, y, w: x.index_add(0, ROWS, w, alpha=-2.0),
        lambda x, y, w: x.index_copy(0, ROWS, w),
        lambda x, y, w: x.index_fill(1, tc.tensor([1, 3]), 0.5),
        lambda x, y, w: x.index_fill(0, tc.tensor(-1), y[0, 0]),
        lambda x, y, w: x.masked_fill(tc.tensor(MASK), y[0, 0]),
        lambda x, y, w: x.masked_scatter(tc.tensor(MASK), y),
        lambda x, y, w: x[:1].masked_scatter(tc.tensor(MASK), y),
        lambda x, y, w: x.sum().scatter_add(0, tc.tensor([0, 0]), w[0, :2]),
        lambda x, y, w: x.sum().index_add(0, tc.tensor(0), w[0, 0]),
    ],
)
def test_both_derivatives(fn):
    check_vjp(fn, X, Y, W)
    check_second_order(fn, X, Y, W)


def put(x, dim, index, src, add=False):
    """`scatter` and `scatter_add` by a plain loop."""
    y = x.copy()
    for place in np.ndindex(index.shape):
        target = (*place[:dim], index[place], *place[dim + 1 :])
        y[target] = y[target] + src[place] if add else src[place]
    return y


def test_forward_is_the_definition():
    x, y, columns = tc.tensor(X), tc.tensor(Y), COLUMNS.numpy()
    cases = [
        (x.scatter(1, COLUMNS, y), put(X, 1, columns, Y)),
        (x.scatter(1, COLUMNS, src=y), put(X, 1, columns, Y)),
        (x.scatter(1, COLUMNS, value=2), put(X, 1, columns, np.full_like(Y, 2))),
        (
            x.scatter(dim=1, index=COLUMNS, value=tc.tensor(2)),
            put(X, 1, columns, np.full_like(Y, 2)),
        ),
        (x.scatter_add(1, COLUMNS, y), put(X, 1, columns, Y, add=True)),
        (x.scatter(1, tc.zeros(0, dtype=tc.int64), y), X),
        (x.scatter_add(1, tc.zeros(0, dtype=tc.int64), y), X),
        (x.index_fill(0, tc.tensor([-3]), 7), np.vstack([np.full((1, 4), 7.0), X[1:]])),
        (x.masked_scatter(tc.tensor(MASK), y), put_where(X, MASK, Y)),
        (x[:1].masked_scatter(tc.tensor(MASK), y), put_where(np.tile(X[:1], (3, 1)), MASK, Y)),
    ]
    for found, wanted in cases:
        np.testing.assert_array_equal(found.numpy(), wanted)


def put_where(x, mask, source):
    y = x.copy()
    y[mask] = source.ravel()[: mask.sum()]
    return y


def test_a_tensor_without_axes_is_written_as_a_vector():
    x, zero, zeros = tc.tensor(1.0), tc.tensor(0), tc.tensor([0, 0])
    values = tc.tensor([5.0, 6.0])
    cases = [
        (x.scatter(0, zero, 9), 9.0), (x.scatter(0, zeros, 9), 9.0), (x.scatter(0, zeros, values), 6.0),
        (x.scatter(0, zero, values[:1]), 5.0), (x.scatter_add(0, zero, tc.tensor(2.0)), 3.0),
        (x.scatter_add(0, zeros, values), 12.0), (x.index_add(0, zero, tc.tensor(2.0)), 3.0),
        (x.index_copy(0, zero, tc.tensor(3.0)), 3.0), (x.index_copy(0, zeros[:1], values[:1]), 5.0),
        (x.index_fill(0, zero, 3), 3.0), (x.masked_scatter(tc.tensor(True), values), 5.0),
    ]  # fmt: skip
    for found, wanted in cases:
        assert found.shape == ()
        assert found.item() == wanted


@pytest.mark.parametrize("fill", [
    lambda x, v: x.masked_fill(tc.tensor(True), v),
    lambda x, v: x.index_fill(0, tc.tensor([0]), v),
])  # fmt: skip
def test_fills_are_of_the_tensors_dtype(fill):
    assert fill(tc.zeros(1, dtype=tc.int64), -2.7).tolist() == [-2]
    assert fill(tc.zeros(1, dtype=tc.int64), 2**62 + 1).tolist() == [2**62 + 1]
    assert fill(tc.zeros(1, dtype=tc.uint8), -1).tolist() == [255]
    assert fill(tc.zeros(1, dtype=tc.bool), 3.5).tolist() == [True]
    assert fill(tc.zeros(1, dtype=tc.float16), -float("inf")).tolist() == [-float("inf")]
    for dtype, value in ((tc.uint8, 256), (tc.int32, 2**40), (tc.float16, 1e6), (tc.float32, 1e39),
                         (tc.int64, float("inf")), (tc.int64, float("nan")), (tc.int64, 2**70)):  # fmt: skip
        with pytest.raises(RuntimeError, match="cannot be converted to type .* without overflow"):
            fill(tc.zeros(1, dtype=dtype), value)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.masked_fill(tc.ones(3, 4), 0), RuntimeError, "boolean masks"),
        (lambda x: x.masked_fill(tc.tensor(MASK), tc.ones(4)), RuntimeError, "0-dimensional value"),
        (lambda x: x.long().masked_fill(tc.tensor(MASK), float("inf")), RuntimeError, "overflow"),
        (lambda x: x.masked_fill(tc.tensor(MASK[:2]), 0), RuntimeError, "size of one tensor must match"),
        (lambda x: x.masked_fill(tc.tensor(MASK), "a"), TypeError, "received an invalid combination"),
        (lambda x: x.scatter(1, COLUMNS, x.float()), RuntimeError, "self.dtype to be equal to src"),
        (lambda x: x.scatter(1, COLUMNS + 4, x), RuntimeError, "out of bounds for dimension 1"),
        (lambda x: x.scatter(1, COLUMNS, x[0]), RuntimeError, "same number of dimensions as src"),
        (lambda x: x.scatter(1, COLUMNS, x[:, :1]), RuntimeError,
         r"and to be no larger size than src \[3, 1\]"),
        (lambda x: x.scatter(1, COLUMNS), TypeError, "a Tensor src or a number value"),
        (lambda x: x.scatter(1, COLUMNS, x, value=1), TypeError, "a Tensor src or a number value"),
        (lambda x: x.scatter(1, [[0]], 1), TypeError, "received an invalid combination"),
        (lambda x: x.scatter_add(1, COLUMNS, 1.0), TypeError, r"'src' \(position 3\) must be Tensor"),
        (lambda x: x.index_add(0, ROWS, x), RuntimeError, "same slice shapes"),
        (lambda x: x.index_add(0, ROWS, x[:2].float()), RuntimeError, "the same scalar type"),
        (lambda x: x.index_add(0, ROWS, 1.0), TypeError, "'source' .* must be Tensor, not float"),
        (lambda x: x.index_add(0, ROWS + 1, x[:2]), RuntimeError, "index 3 is out of bounds"),
        (lambda x: x.index_copy(0, ROWS, x[:1]), IndexError, "same slice shapes"),
        (lambda x: x.index_copy(0, ROWS, x[0]), IndexError, "same slice shapes"),
        (lambda x: x.index_copy(0, ROWS, x[:2, :1]), RuntimeError, "same slice shapes"),
        (lambda x: x.index_copy(0, ROWS, x[:2].float()), RuntimeError, "the same scalar type"),
        (lambda x: x.index_fill(0, ROWS, tc.ones(4)), RuntimeError, "0-dimensional value"),
        (lambda x: x.index_fill(0, ROWS + 1, 0.0), IndexError, "index 3 is out of bounds"),
        (lambda x: x.masked_scatter(tc.tensor(MASK), x[0, :1]), RuntimeError, "Number of elements"),
        (lambda x: x.masked_scatter(tc.tensor(MASK), x.float()), RuntimeError, "same dtypes"),
        (lambda x: x.masked_scatter(tc.tensor(MASK), 2.0), TypeError, "'source' .* must be Tensor"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))


@pytest.mark.parametrize("dtype", [tc.uint8, tc.int64])
def test_integers_take_the_integer_part_of_alpha(dtype):
    x = tc.tensor([5, 6, 7], dtype=dtype)
    y = x.index_add(0, tc.tensor([0, 0]), x[1:], alpha=1.9)
    assert y.dtype == dtype
    assert y.tolist() == [18, 6, 7]


@pytest.mark.parametrize("alpha", [float("nan"), float("inf")])
def test_alpha_multiplies_only_what_is_added(alpha):
    y = tc.zeros(3).index_add(0, tc.tensor([1]), tc.ones(1), alpha=alpha)
    assert y[[0, 2]].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "name", ["gather", "scatter", "scatter_add", "index_add", "index_copy", "index_fill"]
)
@pytest.mark.parametrize("shape, of_index", [((), ()), ((), (1,)), ((1,), ()), ((1,), (1,))])
def test_tensors_without_axes_are_as_vectors_of_one_element(name, shape, of_index):
    x = tc.full(shape, 2.0, requires_grad=True)
    index, source = tc.zeros(of_index, dtype=tc.int64), tc.full(of_index, 3.0, requires_grad=True)
    values = {"gather": (), "index_fill": (4.0,)}.get(name, (source,))
    y = getattr(x, name)(0, index, *values)
    assert y.shape == (of_index if name == "gather" else shape)
    wanted = {"gather": 2.0, "index_fill": 4.0, "scatter": 3.0, "index_copy": 3.0}.get(name, 5.0)
    assert y.item() == wanted
    y.sum().backward()
    grads = {
        "gather": (1.0,),
        "index_fill": (0.0,),
        "scatter": (0.0, 1.0),
        "index_copy": (0.0, 1.0),
    }
    found = [t.grad.item() for t in (x, source) if t.grad is not None]
    assert found == list(grads.get(name, (1.0, 1.0)))


@pytest.mark.parametrize("dtype", [tc.bool, tc.int64, tc.float16, tc.float32])
@pytest.mark.parametrize("reduce, ufunc", [("add", np.add), ("multiply", np.multiply)])
@pytest.mark.parametrize("as_number", [False, True])
def test_elements_that_are_added_or_multiplied(dtype, reduce, ufunc, as_number):
    x = tc.tensor([[1, 2, 3], [4, 5, 6]]).to(dtype)
    index = tc.tensor([[0, 0], [2, 1]])
    source = 2 if as_number else tc.tensor([[3, 2], [2, 4]]).to(dtype)
    wanted = x.numpy().copy()
    values = np.full((2, 2), 2).astype(dtype) if as_number else source.numpy()
    ufunc.at(wanted, (np.arange(2)[:, None], index.numpy()), values)
    y = x.scatter(1, index, source, reduce=reduce)
    np.testing.assert_array_equal(y.numpy(), wanted)
    assert y.dtype == dtype
    assert tc.equal(x.clone().scatter_(1, index, source, reduce=reduce), y)


def test_the_reductions_of_scatter():
    x, index = tc.ones(2, requires_grad=True), tc.tensor([0])
    x.scatter(0, index, tc.ones(1), reduce="add").sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    with pytest.raises(NotImplementedError, match="derivative"):
        x.scatter(0, index, tc.ones(1), reduce="multiply")
    with pytest.raises(RuntimeError, match="add or multiply"):
        x.scatter(0, index, tc.ones(1), reduce="mean")


@pytest.mark.parametrize("name", ["scatter", "scatter_add"])
@pytest.mark.parametrize("shape", [(), (1,), (2,)])
def test_a_source_that_is_smaller_than_the_index_is_refused(name, shape):
    with pytest.raises(RuntimeError, match="no larger size than src"):
        getattr(tc.zeros(4), name)(0, tc.tensor([0, 1, 2]), tc.ones(shape))
