"""Tensor: creation, values, printing, indexing, dtypes, and error messages."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc

# --- dtypes ---


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        (lambda: tc.tensor([1.0]), "float32"),
        (lambda: tc.tensor([1]), "int64"),
        (lambda: tc.tensor([True]), "bool"),
        (lambda: tc.tensor(np.ones(1)), "float64"),
        (lambda: tc.tensor(1.5), "float32"),
        (lambda: tc.arange(3), "int64"),
        (lambda: tc.arange(0.0, 1.0, 0.5), "float32"),
        (lambda: tc.full((2,), 1), "int64"),
        (lambda: tc.full((2,), 1.0), "float32"),
        (lambda: tc.tensor([1]) / tc.tensor([2]), "float32"),
        (lambda: tc.tensor([1]) * 0.5, "float32"),
        (lambda: tc.tensor([1]) * 2, "int64"),
        (lambda: tc.ones(1) * np.float64(2), "float32"),
        (lambda: tc.ones(1) * tc.tensor(2.0, dtype=tc.float64), "float32"),
        (lambda: tc.ones(1) * tc.ones(1, dtype=tc.float64), "float64"),
        (lambda: tc.ones(1) * tc.tensor([2]), "float32"),
        (lambda: tc.tensor(2) * tc.ones(1, dtype=tc.float16), "float16"),
        (lambda: tc.exp(tc.tensor([1])), "float32"),
        (lambda: tc.ones(3).sum(), "float32"),
        (lambda: tc.tensor([True, True]).sum(), "int64"),
        (lambda: tc.where(tc.tensor([True]), 1.0, tc.zeros(1)), "float32"),
        (lambda: 2.0 / tc.ones(1), "float32"),
        (lambda: np.float64(2) * tc.ones(1), "float32"),
        (lambda: tc.ones(2) ** 2, "float32"),
    ],
)
def test_dtypes_follow_pytorch(make, dtype):
    assert make().dtype is getattr(tc, dtype)


def test_an_array_on_the_left_leaves_the_product_to_the_tensor():
    y = np.ones(2, np.float32) * tc.ones(2, requires_grad=True)
    assert isinstance(y, tc.Tensor)
    assert y.requires_grad


# --- printing ---


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tc.tensor([1.0, 2.5]), "tensor([1.0000, 2.5000])"),
        (lambda: tc.tensor([1.0, -2.0]), "tensor([ 1., -2.])"),
        (lambda: tc.tensor(3.0), "tensor(3.)"),
        (lambda: tc.tensor([1, 20]), "tensor([ 1, 20])"),
        (lambda: tc.tensor([True, False]), "tensor([ True, False])"),
        (lambda: tc.tensor([0.1], dtype=tc.float64), "tensor([0.1000], dtype=torch.float64)"),
        (lambda: tc.ones(1, requires_grad=True), "tensor([1.], requires_grad=True)"),
        (lambda: tc.ones(1, requires_grad=True) * 2.0, "tensor([2.], grad_fn=<MulBackward0>)"),
        (lambda: tc.tensor([1e-6, 1.0]), "tensor([1.0000e-06, 1.0000e+00])"),
        (lambda: tc.tensor([float("nan"), 1.0]), "tensor([nan, 1.])"),
        (lambda: tc.zeros(0, 3), "tensor([], size=(0, 3))"),
        (lambda: tc.tensor([[1, 2], [3, 4]]), "tensor([[1, 2],\n        [3, 4]])"),
    ],
)
def test_printing(make, text):
    assert repr(make()) == text


# --- indexing ---


@given(st.data())
def test_indexing_is_numpys(data):
    array = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    x = tc.tensor(array)

    def one(n):
        return st.one_of(
            st.integers(-n, n - 1),
            st.slices(n).filter(lambda s: s.step is None or s.step > 0),
            st.just(slice(None)),
            st.lists(st.integers(-n, n - 1), min_size=1, max_size=3),
        )

    index = data.draw(
        st.one_of(
            one(2), st.tuples(one(2)), st.tuples(st.just(...), one(4)), st.just(array % 2 == 0),
            st.tuples(st.none(), one(2)), st.tuples(one(2), st.just(slice(1, 2)), one(4)),
        )
    )  # fmt: skip
    np.testing.assert_array_equal(x[index].numpy(), array[index])


def test_a_tensor_as_index():
    x = tc.arange(5)
    assert x[tc.tensor([1, 3])].tolist() == [1, 3]
    assert x[x > 2].tolist() == [3, 4]
    assert x[tc.tensor(2)].item() == 2


def test_iteration_and_length():
    x = tc.tensor([[1, 2], [3, 4]])
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert len(x) == 2
    with pytest.raises(TypeError, match="len\\(\\) of a 0-d tensor"):
        len(tc.tensor(1))
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(tc.tensor(1))


# --- views ---


def test_views_share_memory_and_view_refuses_what_it_cannot_do():
    x = tc.zeros(2, 3)
    x.view(6)[0] = 5.0
    x.permute(1, 0)[2, 1] = 7.0
    x.unsqueeze(0)[0, 1, 0] = 9.0
    assert x.tolist() == [[5.0, 0.0, 0.0], [9.0, 0.0, 7.0]]
    with pytest.raises(RuntimeError, match="^view size is not compatible with input tensor's size"):
        x.t().view(6)
    assert x.t().reshape(6).tolist() == [5.0, 9.0, 0.0, 0.0, 0.0, 7.0]
    with pytest.raises(RuntimeError, match=r"shape '\[4\]' is invalid for input of size 6"):
        x.view(4)


def test_the_result_of_an_op_has_views_whatever_its_memory_order():
    images, w = tc.randn(2, 3, 6, 6), tc.randn(4, 3, 3, 3)
    y = tc.nn.functional.conv2d(images, w)
    flat = y.view(2, -1)
    flat[0, 0] = 100.0
    assert y[0, 0, 0, 0].item() == 100.0
    assert y.is_contiguous()


# --- conversion to NumPy and Python ---


def test_numpy_refuses_a_tensor_that_requires_grad():
    x = tc.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="^Can't call numpy\\(\\) on Tensor that requires grad"):
        x.numpy()
    with pytest.raises(RuntimeError, match="^Can't call numpy\\(\\) on Tensor that requires grad"):
        np.asarray(x)
    assert x.detach().numpy() is x._array


def test_truth_and_numbers():
    assert tc.tensor([3.0]).item() == 3.0
    assert float(tc.tensor(2)) == 2.0
    assert [10, 20][tc.tensor(1)] == 20
    assert bool(tc.tensor(1.0) == 1.0)
    with pytest.raises(RuntimeError, match="Boolean value of Tensor with more than one value"):
        bool(tc.ones(2))
    with pytest.raises(
        RuntimeError, match="a Tensor with 2 elements cannot be converted to Scalar"
    ):
        tc.ones(2).item()


def test_only_floating_point_requires_grad():
    with pytest.raises(RuntimeError, match="^Only Tensors of floating point dtype can require"):
        tc.tensor([1], requires_grad=True)
    y = tc.ones(1, requires_grad=True) * 2.0
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf"):
        y.requires_grad = False


def test_data_and_grad_are_checked():
    x = tc.ones(2, requires_grad=True)
    x.data = tc.zeros(3)
    assert x.shape == (3,)
    (x * 2.0).sum().backward()
    assert x.grad.tolist() == [2.0] * 3
    with pytest.raises(RuntimeError, match=r"attempting to assign a gradient of size '\[2\]'"):
        x.grad = tc.ones(2)
    with pytest.raises(TypeError, match="assigned grad expected to be a Tensor or None"):
        x.grad = 1.0


def test_copies():
    x = tc.ones(2, requires_grad=True)
    (x * 2.0).sum().backward()
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other.requires_grad
        assert other.tolist() == x.tolist()
        assert not np.shares_memory(other._array, x._array)
    assert copy.deepcopy(x).grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="^Only Tensors created explicitly by the user"):
        copy.deepcopy(x * 2.0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tc.ones(2).sum(1), IndexError, "Dimension out of range .*got 1"),
        (lambda: tc.ones(2).sum((0, 0)), RuntimeError, "appears multiple times"),
        (lambda: tc.arange(2).mean(), RuntimeError, r"mean\(\): could not infer output dtype"),
        (lambda: tc.zeros(0).max(), RuntimeError, r"max\(\): Expected reduction dim"),
        (lambda: tc.ones(2, 3) @ tc.ones(2, 3), RuntimeError, "shapes cannot be multiplied"),
        (lambda: tc.ones(2) @ tc.ones(2, dtype=tc.float64), RuntimeError, "the same dtype"),
        (lambda: tc.cat([]), ValueError, "non-empty list"),
        (lambda: tc.cat([tc.ones(2, 3), tc.ones(2, 2)]), RuntimeError, "must match except in dim"),
        (lambda: tc.stack([tc.ones(2), tc.ones(3)]), RuntimeError, "each tensor to be equal size"),
        (lambda: tc.ones(2).expand(3), RuntimeError, r"shape \(2,\) cannot be expanded to \(3,\)"),
        (lambda: tc.ones(2).permute(0, 1), (RuntimeError, IndexError), "permute|range"),
        (lambda: tc.tensor(["a"]), TypeError, "wanted numbers"),
        (lambda: tc.ones(2) + "a", TypeError, "unsupported operand"),
        (lambda: tc.ones(2) * None, TypeError, "unsupported operand: NoneType"),
        (lambda: tc.ones(2).to("cuda"), RuntimeError, "device 'cuda' is not available"),
        (lambda: tc.from_numpy([1]), TypeError, "expected a NumPy array"),
        (lambda: tc.ones(3)[5], IndexError, "out of bounds"),
        (lambda: tc.where(tc.ones(2), 1.0, tc.zeros(2)), RuntimeError, "boolean tensor"),
        (lambda: tc.ones(2).clamp(), RuntimeError, "At least one of 'min' or 'max'"),
    ],
)
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_failed_setitem_changes_nothing():
    x = tc.zeros(3)
    with pytest.raises(RuntimeError, match="The expanded size of the tensor"):
        x[1:] = tc.ones(3)
    assert x.tolist() == [0.0] * 3


@pytest.mark.parametrize("value", [None, "a"])
def test_only_numbers_are_assigned(value):
    x = tc.zeros(3)
    with pytest.raises(TypeError, match=r"can't assign a (NoneType|str) to a torch.FloatTensor"):
        x[0] = value
    assert x.tolist() == [0.0] * 3


def test_views_follow_a_tensor_whose_memory_is_put_in_order():
    y = tc.nn.functional.conv2d(tc.randn(2, 3, 6, 6), tc.randn(4, 3, 3, 3))
    channel = y[:, 1]
    flat = y.view(2, -1)
    flat.zero_()
    assert not y._array.any()
    assert not channel._array.any()
    channel.fill_(2.0)
    assert y.sum().item() == flat.sum().item() == channel.sum().item() == 2.0 * 2 * 16
    outside = y.detach().numpy()
    outside[...] = 1.0
    assert flat.sum().item() == y.numel()


@pytest.mark.parametrize("shape", [(0,), (2,), (1, 2)])
@pytest.mark.parametrize("dtype", [tc.bool, tc.int64, tc.float32])
def test_only_one_element_is_a_number(shape, dtype):
    x = tc.zeros(shape, dtype=dtype)
    for convert in (int, float):
        with pytest.raises(ValueError, match="only one element tensors"):
            convert(x)
    with pytest.raises(RuntimeError, match="cannot be converted to Scalar"):
        x.item()


# --- .grad of a tensor that gets none -------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "warned"),
    [
        (lambda x: x, False),  # a leaf
        (lambda x: tc.ones(2), False),  # requires no grad
        (lambda x: (x * 2).detach(), False),
        (lambda x: x * 2, True),
        (lambda x: (x * 2)[:1], True),
        (lambda x: retaining(x * 2), False),
        (lambda x: with_grad(x * 2), False),
    ],
)
def test_grad_of_a_tensor_that_gets_none_warns(make, warned):
    y = make(tc.ones(2, requires_grad=True))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _ = y.grad
    assert [w.category for w in caught] == [UserWarning] * warned
    if warned:
        assert str(caught[0].message).startswith(
            "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed."
        )
        assert caught[0].filename == __file__


def retaining(y):
    y.retain_grad()
    return y


def with_grad(y):
    y.grad = tc.ones(2)
    return y
