"""Tensor(2, 3), FloatTensor([1.0]) and x.new(2, 3)."""

import numpy as np
import pytest

import tinygrad_cnn as tc

X = tc.ones(2, 3)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: tc.Tensor(), (0,)),
        (lambda: tc.Tensor(3), (3,)),
        (lambda: tc.Tensor(2, 3), (2, 3)),
        (lambda: tc.Tensor(X.size()), (2, 3)),
        (lambda: tc.Tensor(*X.size()), (2, 3)),
        (lambda: tc.Tensor(tc.Size([])), ()),
        (lambda: tc.Tensor(np.int64(3)), (3,)),
        (lambda: tc.Tensor(np.array(3)), (3,)),
        (lambda: tc.Tensor(tc.tensor(2), 3), (2, 3)),
        (lambda: tc.Tensor(0, 3), (0, 3)),
        (lambda: tc.Tensor(size=(2, 3)), (2, 3)),
        (lambda: tc.Tensor(2, device="cpu"), (2,)),
        (lambda: X.new(4, 1), (4, 1)),
        (lambda: X.new(X.size()), (2, 3)),
        (lambda: X.new(size=[2, 1]), (2, 1)),
    ],
)
def test_sizes(make, shape):
    y = make()
    assert y.shape == shape
    assert y.dtype is tc.float32
    assert not y.requires_grad


@pytest.mark.parametrize("kind", [tc.Tensor, tc.DoubleTensor, X.new, tc.arange(2).new])
@pytest.mark.parametrize(
    "data", [[1, 2], (1, 2), range(1, 3), np.array([1, 2]), np.array([1.0, 2.0])]
)
def test_data(kind, data):
    assert kind(data).tolist() == kind(data=data).tolist() == [1, 2]


def test_memory_is_shared_with_tensors_and_arrays_of_the_dtype():
    array, x = np.ones(2, np.float32), tc.ones(2)
    for kind in (tc.Tensor, tc.FloatTensor, x.new):
        kind(array)[0] = 5
        kind(x)[0] = 7
        assert kind(other=x).data_ptr() == x.data_ptr()
    assert array[0] == 5
    assert x[0] == 7
    assert tc.Tensor(array.astype(np.float64)).dtype is tc.float32
    whole = [1.0, 2.0]
    tc.Tensor(whole)[0] = 5
    assert whole == [1.0, 2.0]


def test_a_tensor_keeps_its_place_in_the_graph():
    x = tc.ones(2, requires_grad=True)
    (tc.Tensor(x) * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]
    with tc.no_grad():
        assert not tc.Tensor(x).requires_grad


def test_the_base_class_takes_any_dtype_and_the_others_their_own():
    assert tc.Tensor(tc.arange(2)).dtype is tc.int64
    for make in (lambda: tc.FloatTensor(tc.arange(2)), lambda: tc.arange(2).new(X)):
        with pytest.raises(TypeError, match="expected a Tensor of torch"):
            make()


def test_a_subclass_makes_its_own():
    class Mine(tc.Tensor):
        __slots__ = ()

    x = tc.ones(2)
    assert [type(Mine(a)) for a in (3, [1.0], x)] == [Mine] * 3
    Mine(x)[0] = 4
    assert x[0] == 4
    x += 1  # not into other memory
    assert Mine(x).tolist() == [5, 2]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: tc.Tensor(2.5), TypeError, r"data must be a sequence \(got float\)"),
        (lambda: tc.Tensor(None), TypeError, r"data must be a sequence \(got NoneType\)"),
        (lambda: tc.Tensor(True), TypeError, r"data must be a sequence \(got bool\)"),
        (lambda: tc.Tensor({1: 2}), TypeError, r"data must be a sequence \(got dict\)"),
        (lambda: tc.Tensor({1, 2}), TypeError, r"data must be a sequence \(got set\)"),
        (lambda: tc.Tensor("ab"), TypeError, "invalid data type 'str'"),
        (lambda: tc.Tensor(2, 3.0), TypeError, "'size' must be tuple of ints"),
        (lambda: tc.Tensor([2], [3]), TypeError, "'size' must be tuple of ints"),
        (lambda: tc.Tensor(True, 2), TypeError, "'size' must be tuple of ints"),
        (lambda: tc.Tensor(2, -3), RuntimeError, "negative dimension -3"),
        (lambda: tc.Tensor(2, dtype=tc.float32), TypeError, r"Tensor\(\) received an invalid combi"),
        (lambda: tc.Tensor(2, size=3), TypeError, "invalid combination"),
        (lambda: tc.Tensor(data=[1], other=X), TypeError, "invalid combination"),
        (lambda: tc.Tensor(2, device="cuda"), RuntimeError, "expects device type: cpu"),
        (lambda: tc.Tensor(X, device="cpu"), RuntimeError, "device=device"),
        (lambda: tc.Tensor([[1], [2, 3]]), ValueError, "tensor: "),
        (lambda: tc.IntTensor([2**40]), RuntimeError, "without overflow"),
        (lambda: tc.ByteTensor([-1.5]), RuntimeError, "without overflow"),
        (lambda: X.new(1.5), TypeError, r"new\(\): data must be a sequence"),
        (lambda: X.new(X, X), TypeError, "'size' must be tuple of ints"),
    ],
)  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
