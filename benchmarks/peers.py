"""Checkers of gradients: ours, and the checkers of other libraries.

Each is a function (rule, vjp, call) that raises an exception if the vjp is wrong at the call.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import numpy as np
from hypothesis import settings

import tinygrad_cnn as tc
from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import Call, check_kink, check_op, check_vjp
from tinygrad_cnn.testing.mutation.wrong_vjps import Rule, Vjp

Check = Callable[[Rule, Vjp, Call], None]


def installed(*modules: str) -> bool:
    """Whether all these modules are installed."""
    return all(importlib.util.find_spec(module) is not None for module in modules)


# --- Ours ---------------------------------------------------------------------------------------


class _Gradient:
    """The vjp for input k of a rule, with the signature that an op reads."""

    def __init__(self, rule: Rule, vjp: Vjp, k: int):
        names = list(inspect.signature(rule.forward).parameters)
        self.vjp, self.k = vjp, k
        attributes = inspect.signature(rule.forward).parameters.values()
        self.attributes = [p.name for p in attributes if p.kind is p.KEYWORD_ONLY]
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("g", *names)]
        )

    def __call__(self, *given: Any) -> Any:
        n = len(given) - len(self.attributes)
        attributes = dict(zip(self.attributes, given[n:], strict=True))
        arrays = [x.detach().numpy() if isinstance(x, tc.Tensor) else x for x in given[:n]]
        gradient = self.vjp(*arrays, **attributes)[self.k]
        recording = any(isinstance(x, tc.Tensor) for x in given)
        return tc.from_numpy(np.asarray(gradient)) if recording else gradient


@contextmanager
def as_op(rule: Rule, vjp: Vjp) -> Iterator[Any]:
    """The rule as an op with a unique name. The registry forgets it at the end."""
    name = f"tried_{rule.name}"
    forward = FunctionType(rule.forward.__code__, rule.forward.__globals__, name)
    forward.__kwdefaults__ = rule.forward.__kwdefaults__
    op = tc.op(forward)
    op.defvjp(**{x: _Gradient(rule, vjp, k) for k, x in enumerate(op.op.inputs)})
    try:
        yield op
    finally:
        del registry[name]


def ours(rule: Rule, vjp: Vjp, call: Call) -> None:
    """check_vjp at one call."""
    with as_op(rule, vjp) as op:
        check_vjp(lambda *xs: op(*xs, **call.attributes), *call.inputs)


def ours_drawn(rule: Rule, vjp: Vjp, examples: int) -> None:
    """check_op with the strategy of the rule and its conventions at kinks.

    The vjps take NumPy arrays, so there is no second derivative to check.
    """
    with as_op(rule, vjp) as op, profile(examples):
        check_op(op, rule.calls, second_order=False)
        for call, wanted in rule.kinks:
            check_kink(lambda x, call=call: op(x, **call.attributes), call.inputs[0], wanted)


@contextmanager
def profile(examples: int) -> Iterator[None]:
    """A Hypothesis profile with this number of examples, the same each time, without a database."""
    before = settings.get_current_profile_name()
    settings.register_profile(
        "checkers", derandomize=True, database=None, max_examples=examples, print_blob=False
    )
    settings.load_profile("checkers")
    try:
        yield
    finally:
        settings.load_profile(before)


# --- A loss of sum() ----------------------------------------------------------------------------


def sum_of_outputs(rule: Rule, vjp: Vjp, call: Call) -> None:
    """Compare each element of the gradient of y.sum() with a central difference."""
    xs = [np.array(x) for x in call.inputs]
    y = rule.forward(*xs, **call.attributes)
    gradients = vjp(np.ones_like(y), *xs, **call.attributes)
    h = 1e-6
    for x, gradient in zip(xs, gradients, strict=True):
        for index in np.ndindex(x.shape):
            at, sums = x[index], []
            for x[index] in (at + h, at - h):
                sums.append(rule.forward(*xs, **call.attributes).sum())
            x[index] = at
            np.testing.assert_allclose(
                gradient[index], (sums[0] - sums[1]) / (2 * h), rtol=1e-5, atol=1e-7
            )


# --- PyTorch ------------------------------------------------------------------------------------


def torch_gradcheck(rule: Rule, vjp: Vjp, call: Call, fast: bool = False) -> None:
    """torch.autograd.gradcheck of a torch.autograd.Function, with its defaults."""
    import torch

    class Wrapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            ctx.save_for_backward(*xs)
            y = rule.forward(*(x.detach().numpy() for x in xs), **call.attributes)
            return torch.from_numpy(np.ascontiguousarray(y))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            xs = [x.numpy() for x in ctx.saved_tensors]
            found = vjp(np.array(g.numpy()), *xs, **call.attributes)
            return tuple(torch.from_numpy(np.array(gradient)) for gradient in found)

    xs = tuple(torch.tensor(x, requires_grad=True) for x in call.inputs)
    torch.autograd.gradcheck(Wrapped.apply, xs, fast_mode=fast)


def torch_fast(rule: Rule, vjp: Vjp, call: Call) -> None:
    """torch.autograd.gradcheck in its fast mode."""
    torch_gradcheck(rule, vjp, call, fast=True)


# --- JAX ----------------------------------------------------------------------------------------


def jax_check_grads(rule: Rule, vjp: Vjp, call: Call) -> None:
    """jax.test_util.check_grads of a jax.custom_vjp, first order in reverse mode."""
    import jax
    from jax.test_util import check_grads

    shape = jax.ShapeDtypeStruct(rule.forward(*call.inputs, **call.attributes).shape, np.float64)
    shapes = tuple(jax.ShapeDtypeStruct(x.shape, np.float64) for x in call.inputs)

    def run(*xs: Any) -> Any:
        return np.asarray(rule.forward(*map(np.asarray, xs), **call.attributes))

    def back(g: Any, *xs: Any) -> Any:
        found = vjp(np.array(g), *map(np.asarray, xs), **call.attributes)
        return tuple(np.asarray(gradient) for gradient in found)

    @jax.custom_vjp
    def fn(*xs: Any) -> Any:
        return jax.pure_callback(run, shape, *xs)

    fn.defvjp(lambda *xs: (fn(*xs), xs), lambda xs, g: jax.pure_callback(back, shapes, g, *xs))
    jax.config.update("jax_enable_x64", True)
    check_grads(fn, tuple(map(jax.numpy.asarray, call.inputs)), order=1, modes=["rev"])


# --- HIPS autograd ------------------------------------------------------------------------------


def hips_check_grads(rule: Rule, vjp: Vjp, call: Call) -> None:
    """autograd.test_util.check_grads of a primitive, first order in reverse mode."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    fn = primitive(lambda *xs: rule.forward(*xs, **call.attributes))

    def maker(k: int) -> Any:
        return lambda y, *xs: lambda g: vjp(np.asarray(g), *xs, **call.attributes)[k]

    defvjp(fn, *(maker(k) for k in range(len(call.inputs))))
    for k in range(len(call.inputs)):
        check_grads(fn, k, modes=["rev"], order=1)(*call.inputs)


PEERS: dict[str, tuple[Check, tuple[str, ...]]] = {
    "loss = `sum()`, finite differences": (sum_of_outputs, ()),
    "`torch.autograd.gradcheck`": (torch_gradcheck, ("torch",)),
    "`torch.autograd.gradcheck(fast_mode=True)`": (torch_fast, ("torch",)),
    "`jax.test_util.check_grads`": (jax_check_grads, ("jax", "jaxlib")),
    "`autograd.test_util.check_grads`": (hips_check_grads, ("autograd",)),
    "`check_vjp`": (ours, ()),
}
