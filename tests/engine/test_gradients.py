"""Gradients of leaves: added to all `.grad` or to none, in separate memory."""

import threading

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.engine import op

from .leaves import leaf


def test_gradients_accumulate_over_calls_in_the_same_tensor():
    x = leaf(3)
    (x * 2.0).sum().backward()
    first = x.grad
    (x * 3.0).sum().backward()
    assert x.grad is first
    np.testing.assert_array_equal(first.numpy(), np.full(3, 5.0))


def test_gradients_never_share_memory():
    x, y, seed = leaf(3), leaf(3), tc.ones(3, dtype=tc.float64)
    z = x + y  # both vjps return the cotangent itself
    z.backward(seed)
    arrays = [x.grad._array, y.grad._array, seed._array, x._array, y._array]
    for i, a in enumerate(arrays):
        assert not any(np.shares_memory(a, b) for b in arrays[:i])
    x.grad.mul_(0.0)
    assert y.grad.tolist() == [1.0] * 3
    assert seed.tolist() == [1.0] * 3


def test_a_gradient_that_a_hook_keeps_is_not_the_one_that_grows():
    x, seen = leaf(3), []
    x.register_hook(lambda g: seen.append(g))
    (x * 2.0).sum().backward()
    (x * 2.0).sum().backward()
    assert seen[0].tolist() == [2.0] * 3
    assert x.grad.tolist() == [4.0] * 3


def test_grads_are_whole_writable_arrays():
    x = leaf(3, 4)
    x.sum().backward()  # the vjp returns a broadcast view
    assert x.grad._array.flags.writeable
    assert x.grad._array.flags.owndata


def test_a_leaf_that_died_is_no_error():
    def loss():
        x = leaf(3)
        return (x * 2.0).sum()

    loss().backward()


def test_retain_grad():
    x = leaf(2)
    y = x * 3.0
    y.retain_grad()
    (y * y).sum().backward()
    np.testing.assert_allclose(y.grad.numpy(), 2 * y.detach().numpy())
    with pytest.raises(RuntimeError, match="can't retain_grad"):
        tc.ones(2).retain_grad()


def test_threads_that_share_a_leaf_lose_no_gradient():
    x = tc.ones(1, dtype=tc.float64, requires_grad=True)

    def work():
        for _ in range(200):
            (x * 1.0).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.tolist() == [800.0]


@pytest.mark.parametrize(("more", "copied"), [(0, False), (8, False), (100, True)])
def test_a_gradient_is_copied_only_where_it_holds_more_memory(more, copied, scratch_ops):
    """Kernels allocate a few numbers more, to align results with a cache line."""
    places = []

    def vjp(g):
        memory = np.empty(40 + more)
        places.append(memory.ctypes.data)
        return np.multiply(g, 2, out=memory[:40])

    @op
    def doubled(x):
        """2 x. Its gradient is a view of the beginning of a larger array."""
        return x * 2

    doubled.defvjp(x=vjp)
    x = tc.ones(40, dtype=tc.float64, requires_grad=True)
    doubled(x).backward(tc.ones(40, dtype=tc.float64))
    assert (x.grad._array == 2).all()
    assert (x.grad._array.ctypes.data != places[0]) is copied
