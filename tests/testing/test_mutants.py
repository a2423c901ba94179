"""Every vjp of every op, made wrong in several ways: `check_op` must notice each time."""

import functools

import numpy as np
import pytest
from hypothesis import Phase, settings

import tinygrad_cnn.ops  # noqa: F401  # registers them
from tinygrad_cnn.graph import Recorded, wrap
from tinygrad_cnn.op import registry
from tinygrad_cnn.testing import GradientError, check_op

VJPS = sorted(
    (op.name, name)
    for op in registry.values()
    if op.forward.__module__.startswith("tinygrad_cnn.ops.")
    for name in op.vjps
)


def scaled(gradient):
    return gradient * 1.0005


def one_zeroed(gradient):
    mask = np.ones(gradient.shape, "float32")
    if mask.size:
        mask.flat[-1] = 0
    return gradient * (wrap(mask) if isinstance(gradient, Recorded) else mask)


def cut_off(gradient):
    return gradient.detach() if isinstance(gradient, Recorded) else gradient


def shifted(gradient):
    return gradient + 1e-3


@pytest.fixture
def mutate():
    """Replace the vjp of an op for the test; found examples are not shrunk, which takes time."""
    undo = []
    settings.register_profile("no shrinking", settings(), phases=[Phase.generate])
    before = settings.get_current_profile_name()
    settings.load_profile("no shrinking")

    def replace(op, name, mutation):
        vjp = op.vjps[name]
        undo.append((op, name, vjp))

        @functools.wraps(vjp)
        def mutant(*args, **kwargs):
            return mutation(vjp(*args, **kwargs))

        op.defvjp(**{name: mutant})

    yield replace
    settings.load_profile(before)
    for op, name, vjp in undo:
        op.defvjp(**{name: vjp})


def changes_something(op, mutation):
    if op == "sign":  # its gradient is zero, whatever one makes of it
        return mutation is shifted
    return mutation is not cut_off or registry[op].composite is None  # else that is differentiated


@pytest.mark.parametrize(
    ("op", "name", "mutation"),
    [
        (op, name, mutation)
        for mutation in (scaled, one_zeroed, shifted, cut_off)
        for op, name in VJPS
        if changes_something(op, mutation)
    ],
)
def test_no_mutant_survives(mutate, op, name, mutation):
    mutate(registry[op], name, mutation)
    with pytest.raises(GradientError, match=rf"^(the gradient of )?{op}\b"):
        check_op(op)
