"""Ops: vjps are checked when registered, and called with the right arguments."""

import contextlib
import functools
import inspect

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.engine import define, op

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


def test_a_wrapped_vjp_asks_for_what_its_signature_says(scratch_ops):
    """A wrapper may ask for more than what it wraps: then `__signature__` says so, and it wins."""

    @op
    def cube(x):
        return x**3

    def plain(g):
        return g

    @functools.wraps(plain)
    def wrapper(g, x):
        return plain(g) * 3 * x**2

    wrapper.__signature__ = inspect.Signature(
        [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("g", "x")]
    )
    cube.defvjp(x=wrapper)
    x = tc.ones(2, requires_grad=True)
    cube(x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


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


# --- What a forward and a vjp return --------------------------------------------------------------


def one(x): ...
def two(a, b): ...
def three(x, weight, bias): ...
def four(p, q, r, s): ...
def several(*xs): ...


FORMS = {
    "one input": (one, 1, {}),
    "two that broadcast": (two, 2, {"elementwise": True}),
    "two": (two, 2, {}),
    "three": (three, 3, {}),
    "four": (four, 4, {}),
    "any number": (several, 2, {}),
    "residuals": (one, 1, {"residuals": ("mask",)}),
    "a view": (one, 1, {"view": True}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("grad", [False, True])
def test_a_forward_without_return_is_an_error(form, watched, grad, scratch_ops):
    forward, count, options = FORMS[form]
    made = op(forward, **options)
    made.defvjp(**{n: (lambda g: g) for n in made.op.inputs})
    xs = [tc.ones(2, requires_grad=grad) for _ in range(count)]
    message = (
        rf"^op {forward.__name__}: the forward returned NoneType \(is there no `return`\?\), wanted"
    )
    watching = tc.observe(tc.Observer()) if watched else contextlib.nullcontext()
    with watching, pytest.raises(TypeError, match=message):
        made(*xs)


@pytest.mark.parametrize("result", [[1.0, 2.0], (np.ones(2), np.ones(2)), "text", tc.ones(2)])
def test_a_forward_that_returns_no_array_is_an_error(result, scratch_ops):
    @op
    def odd(x):
        return result

    with pytest.raises(
        TypeError, match=f"^op odd: the forward returned {type(result).__name__}, wanted"
    ):
        odd(tc.ones(2))


@pytest.mark.parametrize("result", [np.ones(2), (np.ones(2),), (np.ones(2),) * 3])
def test_a_forward_that_returns_other_residuals_is_an_error(result, scratch_ops):
    @op(residuals=("mask",))
    def odd(x):
        return result

    with pytest.raises(TypeError, match="wanted a tuple of y and mask"):
        odd(tc.ones(2))


@pytest.mark.parametrize("result", [2, 2.0, True, np.float32(2), np.array(2.0)])
def test_a_forward_may_return_a_number(result, scratch_ops):
    @op
    def number(x):
        return result

    assert number(tc.ones(2)).item() == 2 if result is not True else 1


@pytest.mark.parametrize("form", [f for f in FORMS if f not in ("residuals",)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_vjp_without_return_is_an_error(form, create_graph, scratch_ops):
    forward, count, options = FORMS[form]
    named = op(forward, **options)

    def run(*xs):
        return xs[0] * 1.0

    named.op.forward = run
    named.defvjp(**{n: (lambda g: None) for n in named.op.inputs})
    xs = [leaf(2) for _ in range(count)]
    with pytest.raises(RuntimeError, match=f"the vjp of {forward.__name__} for .* returned None"):
        named(*xs).sum().backward(create_graph=create_graph)
    assert all(x.grad is None for x in xs)


@pytest.mark.parametrize(
    "shapes", [((3,), (2, 3)), ((2, 1), (2, 3)), ((), (2,)), ((1, 3), (4, 2, 3))]
)
def test_a_vjp_that_broadcasts_without_elementwise_says_so(shapes, scratch_ops):
    def product(a, b):
        """y = a b, broadcast."""
        return a * b

    plain, right = op(product), define(product, elementwise=True)
    for made in (plain.op, right):
        made.defvjp(a=lambda g, b: g * b, b=lambda g, a: g * a)
    a, b = (leaf(*shape) for shape in shapes)
    with pytest.raises(RuntimeError, match=r"the vjp of product for a .*@op\(elementwise=True\)"):
        plain(a, b).sum().backward()
    right.record(a, b).sum().backward()
    assert a.grad.shape == a.shape


def test_a_vjp_of_a_shape_that_no_broadcasting_gives_has_no_such_hint(scratch_ops):
    @op
    def double(x):
        return x * 2

    double.defvjp(x=lambda g: g[:2])
    with pytest.raises(
        RuntimeError, match=r"returned shape \(2,\), wanted that of the input, \(3,\)$"
    ):
        double(leaf(3)).sum().backward()
