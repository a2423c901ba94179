"""Sorting: against NumPy with ties and NaN, both derivatives, named results, and errors."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp

from .moves import X


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x.sort(0, descending=True).values,
        lambda x: tc.sort(x, stable=True)[0],
        lambda x: x.topk(2).values,
        lambda x: tc.topk(x, k=1, dim=0, largest=False).values,
        lambda x: x.median(1).values,
        lambda x: x.median(),
    ],
)
def test_both_derivatives(fn):
    check_vjp(fn, X)
    check_second_order(fn, X)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, -1]), st.booleans())
def test_sort_and_topk_with_ties_and_nan(seed, dim, descending):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, (4, 5)).astype(float)
    a[rng.random(a.shape) < 0.2] = np.nan
    x = tc.tensor(a)
    values, indices = x.sort(dim, descending=descending)
    line = np.where(np.isnan(a), 100, a)  # NaN is the largest
    wanted = np.argsort(-line if descending else line, axis=dim, kind="stable")
    np.testing.assert_array_equal(indices.numpy(), wanted)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(a, wanted, dim))
    top = x.topk(3, dim, largest=descending)
    np.testing.assert_array_equal(top.indices.numpy(), np.take(wanted, range(3), dim))
    found = tc.argsort(x, dim, descending, stable=True)
    np.testing.assert_array_equal(found.numpy(), wanted)


def test_results_have_names():
    result = tc.tensor([3, 1, 2]).sort()
    assert result.values.tolist() == [1, 2, 3]
    assert repr(result) == (
        "torch.return_types.sort(\nvalues=tensor([1, 2, 3]),\nindices=tensor([1, 2, 0]))"
    )
    assert repr(tc.tensor([3, 1]).topk(1)).startswith(
        "torch.return_types.topk(\nvalues=tensor([3])"
    )
    for again in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
        assert type(again) is type(result)
        assert again.indices.tolist() == [1, 2, 0]


def test_out_takes_both_results():
    values, indices = tc.zeros(3), tc.zeros(3, dtype=tc.int64)
    result = tc.sort(tc.tensor([3.0, 1.0, 2.0]), out=(values, indices))
    assert result.values is values
    assert values.tolist() == [1.0, 2.0, 3.0]
    assert indices.tolist() == [1, 2, 0]
    with pytest.raises(TypeError, match="out must be 2 Tensors, got 1"):
        tc.topk(tc.ones(3), 1, out=tc.zeros(1))


def test_a_tensor_without_axes_is_its_own_order():
    x = tc.tensor(3.0)
    assert (x.sort().values.item(), x.argsort().item(), x.topk(1).indices.item()) == (3.0, 0, 0)


def test_unique():
    x = tc.tensor([[0, 3], [3, 1]])
    values, inverse, counts = x.unique(return_inverse=True, return_counts=True)
    assert values.tolist() == [0, 1, 3]
    assert inverse.tolist() == [[0, 2], [2, 1]]
    assert counts.tolist() == [1, 1, 2]
    rows, inverse = tc.unique(tc.tensor([[3, 1], [3, 1]]), return_inverse=True, dim=0)
    assert rows.tolist() == [[3, 1]]
    assert inverse.tolist() == [0, 0]
    assert tc.unique(tc.tensor([float("nan")] * 2)).shape == (2,)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.topk(5), RuntimeError, "k out of range"),
        (lambda x: x.topk(1.5), TypeError, "'k' must be int, not float"),
        (lambda x: tc.sort(x, 0, False, True), TypeError, r"got \(Tensor, int, bool, bool\)"),
        (lambda x: tc.sort(2.0), TypeError, r"sort\(\) received an invalid combination"),
        (lambda x: x.unique(dim=2), IndexError, "unique: Dimension out of range"),
        (lambda x: x.sum().unique(dim=0), IndexError, "tensor has no dimensions"),
        (lambda x: x[:, :0].unique(dim=0), RuntimeError, "There are 0 sized dimensions"),
        (lambda x: tc.unique(2.0), TypeError, r"'input' \(position 1\) must be Tensor, not float"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
