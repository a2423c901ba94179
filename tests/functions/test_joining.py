"""Joined Tensors: against NumPy, both derivatives, dtypes, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc

from .moves import X, check_move


@pytest.mark.parametrize(
    ("fn", "formula"),
    [
        (lambda x: tc.cat([x, x[:, :1]], 1), lambda a: np.concatenate([a, a[:, :1]], 1)),
        (lambda x: tc.concat((x, x), axis=-1), lambda a: np.concatenate([a, a], -1)),
        (lambda x: tc.stack([x, x], dim=-1), lambda a: np.stack([a, a], -1)),
        (lambda x: tc.hstack([x, x]), lambda a: np.hstack([a, a])),
        (lambda x: tc.hstack([x[0, 0], x[0, 1]]), lambda a: np.hstack([a[0, 0], a[0, 1]])),
        (lambda x: tc.vstack([x, x]), lambda a: np.vstack([a, a])),
        (lambda x: tc.vstack([x[0, 0], x[0]]), lambda a: np.vstack([a[0, 0], a[0]])),
        (lambda x: tc.dstack([x[0], x[1]]), lambda a: np.dstack([a[0], a[1]])),
        (lambda x: tc.dstack([x[0, 0], x[0, 1]]), lambda a: np.dstack([a[0, 0], a[0, 1]])),
    ],
)
def test_against_numpy_and_a_copy(fn, formula):
    check_move(fn, formula, view=False)


@pytest.mark.parametrize("stacked", [tc.hstack, tc.vstack, tc.dstack])
def test_tensors_without_axes_are_joined(stacked):
    wanted = getattr(np, stacked.__name__)([1.0, 2.0])
    np.testing.assert_array_equal(stacked([tc.tensor(1.0), tc.tensor(2.0)]).numpy(), wanted)


@pytest.mark.parametrize("indexing", ["ij", "xy", None])
@pytest.mark.parametrize("lengths", [(2, 3), (2, 3, 4), (2,)])
def test_meshgrid(indexing, lengths):
    vectors = [np.arange(n) for n in lengths]
    found = tc.meshgrid(*map(tc.tensor, vectors), indexing=indexing)
    wanted = np.meshgrid(*vectors, indexing=indexing or "ij")
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a.numpy(), b)


def test_an_empty_vector_goes_with_any_shape_and_its_dtype_counts():
    assert tc.cat([tc.zeros(0), tc.ones(2, 3)]).shape == (2, 3)
    assert tc.cat([tc.zeros(0), tc.zeros(0)]).shape == (0,)
    assert tc.cat([tc.ones(2), tc.ones(2, dtype=tc.int64)]).dtype == tc.float32
    assert tc.cat([tc.zeros(0, dtype=tc.float64), tc.ones(2)]).dtype == tc.float64


def test_out():
    out = tc.zeros(2, 2)
    assert tc.stack([tc.ones(2), tc.zeros(2)], out=out) is out
    assert out.tolist() == [[1.0, 1.0], [0.0, 0.0]]
    with pytest.raises(RuntimeError, match=r"cat\(\): functions with out=... arguments"):
        tc.cat([tc.ones(2, requires_grad=True)], out=tc.zeros(2))


@pytest.mark.parametrize("name", ["cat", "concat", "concatenate", "stack", "hstack", "vstack", "dstack"])  # fmt: skip
def test_a_tensor_where_several_are_wanted_is_an_error(name):
    with pytest.raises(
        TypeError,
        match=rf"{name}\(\): argument 'tensors' \(position 1\) must be tuple of Tensors, not Tensor",
    ):
        getattr(tc, name)(tc.tensor(X))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tc.cat([x.sum(), x.sum()]), RuntimeError, "zero-dimensional"),
        (lambda x: tc.cat([x, 1]), TypeError,
         "expected Tensor as element 1 in argument 0, but got int"),
        (lambda x: tc.cat([x, x[0]]), RuntimeError, "must have same number of dimensions"),
        (lambda x: tc.concat([]), ValueError, r"torch.cat\(\): expected a non-empty list of Tensors"),
        (lambda x: tc.stack([]), RuntimeError, "stack expects a non-empty TensorList"),
        (lambda x: tc.hstack([]), RuntimeError, "hstack expects a non-empty TensorList"),
        (lambda x: tc.meshgrid(x, x, indexing="ij"), RuntimeError, "Expected 0D or 1D tensor"),
        (lambda x: tc.meshgrid(x[0], x[0].float()), RuntimeError, "to have the same dtype"),
        (lambda x: tc.meshgrid(x[0], indexing="a"), RuntimeError, "must be one of .* received: a"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
