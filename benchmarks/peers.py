"""Checkers of gradients: ours, and the checkers of other libraries.

`PEERS` are functions (rule, vjp, call), `CHECKERS` functions (functions, inputs). They raise an
exception if the vjp is wrong at the call.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import numpy as np
from hypothesis import settings

import tinygrad_cnn as tc
from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import Call, check_kink, check_op, check_vjp
from tinygrad_cnn.testing.mutation.wrong_vjps import Rule, Vjp
from tinygrad_cnn.testing.selftest.adapter import check

from . import foreign
from .foreign import Checker, Functions

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


# --- Of other libraries -------------------------------------------------------------------------


def of_rule(checker: Checker) -> Check:
    """A checker of functions as one of rules: the attributes of the call are fixed."""

    def check(rule: Rule, vjp: Vjp, call: Call) -> None:
        checker(
            (lambda *xs: rule.forward(*xs, **call.attributes),
             lambda xs, gs: vjp(gs[0], *xs, **call.attributes)),
            call.inputs,
        )  # fmt: skip

    return check


def ours_of_functions(functions: Functions, inputs: Sequence[Any]) -> None:
    """All properties of `check_op` at one call, without second derivatives, as of the others."""
    check(functions, inputs, second=False)


CHECKERS: dict[str, tuple[Checker, tuple[str, ...]]] = {
    "loss = `sum()`, finite differences": (foreign.sum_of_outputs, ()),
    "`torch.autograd.gradcheck`": (foreign.torch_gradcheck, ("torch",)),
    "`torch.autograd.gradcheck(fast_mode=True)`": (foreign.torch_fast, ("torch",)),
    "`jax.test_util.check_grads`": (foreign.jax_check_grads, ("jax", "jaxlib")),
    "`autograd.test_util.check_grads`": (foreign.hips_check_grads, ("autograd",)),
    "`chainer.gradient_check`": (foreign.chainer_check_backward, ("chainer",)),
    "`tf.test.compute_gradient`": (foreign.tensorflow_gradient, ("tensorflow",)),
}
PEERS: dict[str, tuple[Check, tuple[str, ...]]] = {
    **{name: (of_rule(checker), needs) for name, (checker, needs) in CHECKERS.items()},
    "`check_vjp`": (ours, ()),
}
CHECKERS["`check_call`"] = (ours_of_functions, ())
