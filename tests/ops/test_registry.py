"""Every op of the package, from the registry, so that none is forgotten."""

from collections import defaultdict
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import Phase, given, settings

import tinygrad_cnn as tc
from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import Call, GradientError, check_op, register_strategy, strategy_for
from tinygrad_cnn.testing.entries import entry_for
from tinygrad_cnn.testing.show import show

OPS = sorted(
    name for name, op in registry.items() if op.forward.__module__.startswith("tinygrad_cnn.ops.")
)


@pytest.mark.parametrize("name", OPS)
def test_all_that_holds_for_an_op_holds_for(name):
    check_op(name)


@pytest.mark.parametrize("name", OPS)
def test_every_attribute_is_exercised_of(name):
    seen = defaultdict(set)
    wanted = {*registry[name].attributes, *registry[name].inputs}

    class Complete(Exception):
        pass

    @settings(max_examples=50, phases=[Phase.generate], database=None)
    @given(strategy_for(name))
    def collect(call):
        for attribute in registry[name].attributes:
            seen[attribute].add(show(call.attributes.get(attribute, "the default")))
        for k, given_ in enumerate(registry[name].inputs):
            seen[given_].add(show(call.inputs[k]) if k < len(call.inputs) else "none")
        if set(seen) == wanted and all(len(values) > 1 for values in seen.values()):
            raise Complete

    with suppress(Complete):
        collect()
    assert all(len(values) > 1 for values in seen.values()), dict(seen)
    assert set(seen) == wanted


@pytest.mark.parametrize("name", OPS)
def test_a_reference_is_registered_for(name):
    entry = entry_for(name)
    assert entry is not None
    assert entry.reference is not None


@pytest.mark.parametrize("name", OPS)
def test_the_docstring_gives_the_derivative_of(name):
    assert registry[name].forward.__doc__


def test_the_registry_knows_all_ops():
    from tinygrad_cnn import ops

    exported = {name for name, value in vars(ops).items() if hasattr(value, "defvjp")}
    assert set(OPS) - exported == set(), "name these in `__all__` of their file in ops/"
    assert exported == set(OPS)


@pytest.fixture
def scratch_op():
    """A maker of ops that are removed from the registry afterwards."""
    made = []

    def make(forward, **vjps):
        record = tc.op(forward)
        record.defvjp(**vjps)
        made.append(forward.__name__)
        return record

    yield make
    for name in made:
        registry.pop(name, None)


def one_array(*values):
    from hypothesis import strategies as st

    return st.just(Call((np.array(values, np.float64),)))


def test_an_op_without_strategy_fails(scratch_op):
    def no_strategy(x):
        return 2 * x

    op = scratch_op(no_strategy, x=lambda g: 2.0 * g)
    with pytest.raises(LookupError, match="no strategy for no_strategy"):
        check_op(op)
    check_op(op, one_array(1.0, -2.0))
    register_strategy(op, one_array(0.5))
    check_op("no_strategy")


def test_an_op_without_a_vjp_for_a_floating_input_fails(scratch_op):
    def half_done(a, b):
        return a * b

    op = scratch_op(half_done, a=lambda g, b: g * b)
    pair = one_array(1.0, 2.0).map(lambda call: Call((*call.inputs, np.array([0.5, 3.0]))))
    with pytest.raises(GradientError, match=r"half_done in b: no vjp"):
        check_op(op, pair)
    register_strategy(op, pair, constants=["b"])
    check_op(op)
