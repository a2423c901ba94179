"""Ops that move elements: against NumPy, as adjoints of each other, and their errors."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import ops
from tinygrad_cnn.testing import check_op, strategy_for


def write_view(x, v, path):
    part = whole = x.copy()
    for op, attributes in path:
        part = op.forward(part, **attributes)
    part[...] = v
    return whole


def put(x, index, shape):
    y = np.zeros(shape)
    np.add.at(y, index, x)
    return y


def setitem(x, v, index):
    y = x.copy()
    y[index] = v
    return y


def pad(x, widths, value):
    y = np.full([n + sum(w) for n, w in zip(x.shape, widths, strict=True)], value)
    for target in np.ndindex(y.shape):
        source = tuple(t - before for t, (before, _) in zip(target, widths, strict=True))
        if all(0 <= s < n for s, n in zip(source, x.shape, strict=True)):
            y[target] = x[source]
    return y


def gather(x, index, dim):
    y = np.zeros(index.shape)
    for place in np.ndindex(index.shape):
        y[place] = x[(*place[:dim], index[place], *place[dim + 1 :])]
    return y


def scatter_add(x, index, dim, shape):
    y = np.zeros(shape)
    for place in np.ndindex(index.shape):
        y[(*place[:dim], index[place], *place[dim + 1 :])] += x[place]
    return y


def sum_to(x, shape):
    y = np.zeros(shape)
    for place in np.ndindex(x.shape):
        tail = place[x.ndim - len(shape) :]
        y[tuple(0 if n == 1 else p for p, n in zip(tail, shape, strict=True))] += x[place]
    return y


REFERENCES = {
    "reshape": lambda x, shape: np.array(x.ravel().tolist()).reshape(shape),
    "permute": lambda x, dims: np.transpose(x, dims),
    "expand": lambda x, shape: np.zeros(shape) + x,
    "sum_to": sum_to,
    "getitem": lambda x, index: x[index],
    "put": put,
    "setitem": setitem,
    "write_view": write_view,
    "cat": lambda *xs, dim: np.concatenate(xs, dim),
    "stack": lambda *xs, dim: np.stack(xs, dim),
    "pad": pad,
    "gather": gather,
    "scatter_add": scatter_add,
}


@pytest.mark.parametrize("name", REFERENCES)
def test_forward_is_the_definition(name):
    check_op(name, reference=REFERENCES[name])


@pytest.mark.parametrize("name", ["reshape", "permute", "expand"])
def test_views_show_the_memory_of_their_input(name):
    @given(strategy_for(name))
    def check(call):
        (x,) = call.inputs
        y = getattr(ops, name)(x, **call.attributes)
        assert not x.size or not y.size or np.shares_memory(x, y)

    check()


# --- getitem and setitem through the Tensor -----------------------------------------------------


def gradient(fn, *values):
    xs = [tc.tensor(np.array(v, np.float64), requires_grad=True) for v in values]
    fn(*xs).sum().backward()
    return [x.grad.tolist() for x in xs]


def test_a_place_picked_twice_gets_both_gradients():
    assert gradient(lambda x: x[[0, 2, 0]], [1.0, 2.0, 3.0]) == [[2.0, 0.0, 1.0]]
    assert gradient(lambda x: x[tc.tensor([1, 1]), [0, 0]], [[1.0], [2.0]]) == [[[0.0], [2.0]]]


@pytest.mark.parametrize(
    "index",
    [0, -1, slice(None, None, 2), slice(None, None, -1), None, ..., (..., 0), (slice(1), None, -1),
     [1, 0], np.array([[0, 1], [1, 1]]), (slice(None), [0, 2]), ([0, 1], [2, 0]), True],
)  # fmt: skip
def test_indices_are_numpys(index):
    a = np.arange(6.0).reshape(2, 3)
    x = tc.tensor(a, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.detach().numpy(), a[index])
    y.backward(tc.ones(*y.shape, dtype=tc.float64))
    wanted = np.zeros_like(a)
    np.add.at(wanted, index, 1.0)
    np.testing.assert_array_equal(x.grad.numpy(), wanted)


def test_masks():
    a = np.arange(6.0).reshape(2, 3)
    x = tc.tensor(a, requires_grad=True)
    y = x[x > 2]
    assert y.tolist() == [3.0, 4.0, 5.0]
    y.sum().backward()
    assert x.grad.tolist() == [[0.0] * 3, [1.0] * 3]


def test_what_is_overwritten_gets_no_gradient():
    def write(x, v):
        y = x * 1.0
        y[1:] = v
        return y * tc.tensor([1.0, 10.0, 100.0])

    assert gradient(write, [1.0, 2.0, 3.0], [5.0, 6.0]) == [[1.0, 0.0, 0.0], [10.0, 100.0]]
    assert gradient(write, [1.0, 2.0, 3.0], 5.0) == [[1.0, 0.0, 0.0], 110.0]


def test_of_two_values_for_one_place_the_last_is_the_one():
    def write(x, v):
        y = x * 1.0
        y[np.array([0, 0])] = v
        return y

    assert gradient(write, [1.0, 2.0], [5.0, 6.0]) == [[0.0, 1.0], [0.0, 1.0]]


def test_a_reshape_that_had_to_copy_is_no_view():
    x = tc.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    hidden = x * 1.0
    copy = hidden[:, 1:].reshape(-1)
    copy[0] = 5.0
    (hidden.sum() * 2.0 + copy.sum()).backward()
    assert hidden.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert x.grad.tolist() == [[2.0, 2.0, 3.0], [2.0, 3.0, 3.0]]


def test_a_value_that_does_not_fit():
    x = tc.zeros(2, 3)
    with pytest.raises(RuntimeError, match=r"The expanded size of the tensor \(3\) must match"):
        x[0] = tc.ones(2)
    assert x.sum().item() == 0.0


def test_an_index_that_is_not_there():
    with pytest.raises(IndexError):
        tc.zeros(2, 3)[2]
    with pytest.raises(IndexError):
        tc.zeros(2, 3)[0, 0, 0]


# --- cat, stack, gather, pad --------------------------------------------------------------------


def test_each_part_gets_its_own_gradient():
    weights = tc.tensor([1.0, 2.0, 3.0], dtype=tc.float64)
    assert gradient(lambda a, b: tc.cat([a, b]) * weights, [1.0], [2.0, 3.0]) == [[1.0], [2.0, 3.0]]
    assert gradient(lambda a: tc.cat([a, a, a]) * weights, [1.0]) == [[6.0]]
    assert gradient(lambda a, b: tc.stack([a, b], 1)[:, 1], [1.0, 2.0], [3.0, 4.0]) == [
        [0.0, 0.0],
        [1.0, 1.0],
    ]


def test_types_meet_when_joined():
    assert tc.cat([tc.ones(1), tc.ones(1, dtype=tc.float64)]).dtype == tc.float64
    assert tc.cat([tc.ones(1), tc.tensor([1])]).dtype == tc.float32


def test_gather_along_an_axis():
    x = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    index = tc.tensor([[2, 2], [0, 1]])
    assert tc.tensor(x).gather(1, index).tolist() == [[3.0, 3.0], [4.0, 5.0]]
    assert gradient(lambda x: x.gather(1, index), x) == [[[0.0, 0.0, 2.0], [1.0, 1.0, 0.0]]]


@given(st.tuples(*[st.integers(-1, 2)] * 4))
def test_pad_of_images_is_left_right_top_bottom(widths):
    x = np.arange(1.0, 13.0).reshape(1, 3, 4)
    left, right, top, bottom = widths
    wanted = pad(x, ((0, 0), (top, bottom), (left, right)), 7.0)
    np.testing.assert_array_equal(F.pad(tc.tensor(x), widths, value=7.0).numpy(), wanted)


def test_pad_of_no_axes():
    x = tc.ones(2)
    assert F.pad(x, ()).tolist() == [1.0, 1.0]
    assert F.pad(tc.tensor(2.0), ()).item() == 2.0


# --- Errors -------------------------------------------------------------------------------------

X = tc.ones(2, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: X.reshape(4, 2), RuntimeError,
         r"reshape: shape '\[4, 2\]' is invalid for input of size 6"),
        (lambda: X.reshape(-1, -1), RuntimeError, "one -1 at the most"),
        (lambda: X.reshape(-2, 3), RuntimeError, "invalid shape"),
        (lambda: X.view(5), RuntimeError, r"view: shape '\[5\]' is invalid for input of size 6"),
        (lambda: X.t().view(6), RuntimeError, r"use reshape\(\) instead"),
        (lambda: tc.zeros(0, 2).reshape(-1, 0), RuntimeError, "invalid"),
        (lambda: X.permute(0), RuntimeError, "permute: wanted 2 dims"),
        (lambda: X.permute(0, 0), RuntimeError, "appears multiple times"),
        (lambda: X.transpose(0, 2), IndexError, "transpose: Dimension out of range"),
        (lambda: tc.ones(1, 2, 3).t(), RuntimeError, "expects a tensor with <= 2 dimensions"),
        (lambda: X.expand(3, 3), RuntimeError,
         r"expand: shape \(2, 3\) cannot be expanded to \(3, 3\)"),
        (lambda: X.expand(3), RuntimeError, "cannot be expanded"),
        (lambda: X.unsqueeze(4), IndexError, "unsqueeze: Dimension out of range"),
        (lambda: X.flatten(1, 0), RuntimeError, "start_dim cannot come after end_dim"),
        (lambda: tc.cat([X, tc.ones(2, 4)]), RuntimeError,
         "cat: Sizes of tensors must match except in dimension 0"),
        (lambda: tc.cat([X, tc.ones(3)]), RuntimeError, "cat: "),
        (lambda: tc.cat([]), ValueError, "cat\\(\\): expected a non-empty list"),
        (lambda: tc.cat([X], 2), IndexError, "cat: Dimension out of range"),
        (lambda: tc.stack([X, tc.ones(3, 2)]), RuntimeError,
         "stack expects each tensor to be equal size"),
        (lambda: X.gather(1, tc.tensor([[3]])), RuntimeError,
         "index 3 is out of bounds for dimension 1 with size 3"),
        (lambda: X.gather(1, tc.tensor([0])), RuntimeError,
         "gather: Index tensor must have the same number of dimensions"),
        (lambda: X.gather(1, tc.zeros(1, 1)), RuntimeError, "Expected dtype int32/int64 for index"),
        (lambda: X.gather(1, tc.zeros(5, 1, dtype=tc.int64)), RuntimeError, "gather"),
        (lambda: F.pad(X, (1,)), RuntimeError, "Padding length must be divisible by 2"),
        (lambda: F.pad(X, (1, 1) * 3), RuntimeError, "Padding length should be less than or equal"),
        (lambda: F.pad(X, (-2, -2)), RuntimeError, "pad"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
