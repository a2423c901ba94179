"""Ops: vjps are checked when registered, and called with the right arguments."""

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.engine import op

from .leaves import leaf


def test_vjps_that_ask_for_what_is_not_there_are_refused(scratch_ops):
    @op
    def half(x, *, by):
        return x / by

    with pytest.raises(TypeError, match="half has no input 'z'"):
        half.defvjp(z=lambda g: g)
    with pytest.raises(TypeError, match=r"the vjp for x takes \('g', 'other'\); wanted g first"):
        half.defvjp(x=lambda g, other: g)


def test_an_input_without_vjp_that_requires_grad_is_refused(scratch_ops):
    @op
    def weigh(x, w):
        return x * w

    weigh.defvjp(x=lambda g, w: g * w)
    with pytest.raises(NotImplementedError, match="weigh is not differentiable in w"):
        weigh(leaf(3), leaf(3))
    assert not weigh(tc.ones(3), tc.ones(3)).requires_grad


def test_vjps_registered_late_are_taken_up(scratch_ops):
    @op
    def twice(x):
        return x * 2

    twice(tc.ones(1))  # generated, with no vjp
    twice.defvjp(x=lambda g: g * 2)
    x = leaf(1)
    twice(x).backward()
    assert x.grad.tolist() == [2.0]


@pytest.mark.parametrize(("asks", "runs"), [("ab", 1), ("a", 1), ("b", 1), ("c", 0)])
def test_what_vjps_share_is_made_once_where_one_of_them_runs(asks, runs, scratch_ops):
    made = []

    def half(g, a):
        made.append(a)
        return g * a / 2

    @op(shared={"half": half})
    def product(a, b, c):
        """a b + c, from other ops."""
        return a * b + c

    product.defvjp(
        a=lambda g, b, half: g * b + 0 * half, b=lambda g, half: half * 2, c=lambda g: g * 1
    )
    leaves = {n: tc.full((3,), 2.0).requires_grad_(n in asks) for n in "abc"}
    product(*leaves.values()).sum().backward()
    assert len(made) == runs
    assert all((leaves[n].grad == (1 if n == "c" else 2)).all() for n in asks)
