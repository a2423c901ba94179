"""Indexing with brackets: integers mixed with arrays, writes, and errors in PyTorch's words."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_vjp

from .moves import B, X


def test_integers_beside_arrays_only_take_their_axis_away():
    x, k = tc.tensor(B), tc.tensor([2, 0])
    np.testing.assert_array_equal(x[0, :, k].numpy(), B[0][:, [2, 0]])
    np.testing.assert_array_equal(x[:, k, 1].numpy(), B[:, :, 1][:, [2, 0]])
    np.testing.assert_array_equal(x[tc.tensor(1), ..., k].numpy(), B[1][..., [2, 0]])
    np.testing.assert_array_equal(x[None, 0, :, k].numpy(), B[None, 0][:, :, [2, 0]])
    x[0, :, k] = 9.0
    assert (x[0, :, k] == 9.0).all()
    assert (x == 9.0).sum().item() == 6

    def write(x, y):
        z = x * 1.0
        z[0, :, k] = y[:, :2]
        return z

    check_vjp(write, B, X)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (tc.tensor([True, False]), "The shape of the mask [2] at index 0 does not match the shape of "
         "the indexed tensor [3, 4] at index 0"),
        ((slice(None), tc.tensor([True, False])), "The shape of the mask [2] at index 0 does not "
         "match the shape of the indexed tensor [3, 4] at index 1"),
        ((..., tc.ones(4, 4).bool()), "The shape of the mask [4, 4] at index 0"),
        ((tc.tensor([0, 1]), tc.tensor([0, 1, 2])), "shape mismatch: indexing tensors could not be "
         "broadcast together with shapes [2], [3]"),
        (3, "index 3 is out of bounds for dimension 0 with size 3"),
        ((None, ..., -5), "index -5 is out of bounds for dimension 1 with size 4"),
        ((0, tc.tensor([4])), "index 4 is out of bounds for dimension 1 with size 4"),
        ((0, 0, 0), "too many indices for tensor of dimension 2"),
        (tc.tensor([0.5]), "tensors used as indices must be long, int, byte or bool tensors"),
    ],
)  # fmt: skip
def test_errors_of_an_index(index, message):
    x = tc.tensor(X)
    for attempt in (lambda: x[index], lambda: x.__setitem__(index, 0.0)):
        with pytest.raises(IndexError) as error:
            attempt()
        assert str(error.value).startswith(message)
    assert x.tolist() == X.tolist()


@pytest.mark.parametrize(
    ("index", "shape", "message"),
    [
        (0, (3,), "The expanded size of the tensor (4) must match the existing size (3) at "
         "non-singleton dimension 0.  Target sizes: [4].  Tensor sizes: [3]"),
        (slice(None), (2, 4), "The expanded size of the tensor (3) must match the existing size (2) "
         "at non-singleton dimension 0.  Target sizes: [3, 4].  Tensor sizes: [2, 4]"),
        (0, (2, 4), "shape mismatch: value tensor of shape [2, 4] cannot be broadcast"),
        ([0, 1], (3, 4), "shape mismatch: value tensor of shape [3, 4] cannot be broadcast to "
         "indexing result of shape [2, 4]"),
    ],
)  # fmt: skip
def test_errors_of_a_value(index, shape, message):
    x = tc.tensor(X)
    with pytest.raises(RuntimeError) as error:
        x[index] = tc.ones(*shape)
    assert str(error.value).startswith(message)


MASKS = [
    (tc.tensor([1, 0, 2], dtype=tc.uint8),),
    (tc.tensor([[1, 0], [0, 1], [255, 1]], dtype=tc.uint8),),
    (slice(None), tc.tensor([0, 1], dtype=tc.uint8)),
    (tc.tensor(1, dtype=tc.uint8),),
    (np.array([0, 1, 1], np.uint8),),
]


@pytest.mark.parametrize("index", MASKS)
def test_integers_of_uint8_are_a_mask(index):
    of_bool = tuple(np.asarray(i) != 0 if not isinstance(i, slice) else i for i in index)
    x = tc.arange(6.0).reshape(3, 2).requires_grad_()
    assert tc.equal(x[index], x[of_bool])
    x[index].sum().backward()
    wanted = np.zeros((3, 2))
    wanted[of_bool] = 1.0
    np.testing.assert_array_equal(x.grad.numpy(), wanted)
    y, z = tc.zeros(3, 2), np.zeros((3, 2))
    y[index], z[of_bool] = 7.0, 7.0
    np.testing.assert_array_equal(y.numpy(), z)


@pytest.mark.parametrize("dtype", [tc.bool, tc.uint8, tc.int64])
def test_a_write_to_integers_records_no_gradient(dtype):
    v = tc.tensor(1.5, requires_grad=True)
    writes = [
        lambda x: x.__setitem__(0, v), lambda x: x.copy_(v), lambda x: x.fill_(v),
        lambda x: x[1:].copy_(v),
    ]  # fmt: skip
    for write in writes:
        x = tc.zeros(3).to(dtype)
        write(x)
        assert not x.requires_grad
        assert x.sum() > 0


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 2)])
def test_axes_of_size_1_in_front_of_a_value_are_ignored(shape):
    x, v = tc.zeros(2, 2), tc.ones(shape, requires_grad=True)
    y = x.clone()
    y[0, 0 if shape[-1] == 1 else slice(None)] = v
    y.sum().backward()
    assert tc.equal(v.grad, tc.ones(shape))
