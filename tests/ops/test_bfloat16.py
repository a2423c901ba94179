"""Every op of bfloat16 gives what it gives of float32, rounded to bfloat16; and so do its gradients."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.engine import Recorded, registry
from tinygrad_cnn.testing.calls import input_names
from tinygrad_cnn.testing.entries import strategy_for

EPSILON = 2.0**-7


def tensors(op, call, dtype):
    """The inputs of a call: floating ones as Tensors of numbers that bfloat16 holds, in `dtype`."""
    for name, x in zip(input_names(op, call), call.inputs, strict=True):
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            half = tc.from_numpy(np.array(x)).bfloat16()
            yield half.to(dtype).requires_grad_(name.split("[")[0] in op.vjps)
        else:
            yield tc.from_numpy(x.copy()) if isinstance(x, np.ndarray) else x


def outcome(op, call, dtype):
    """The outputs of a call, and the gradients of the first one, as Tensors."""
    inputs = list(tensors(op, call, dtype))
    found = op.record(*inputs, **call.attributes)
    outputs = found if isinstance(found, tuple) else (found,)
    leaves = [x for x in inputs if isinstance(x, Recorded) and x.requires_grad]
    gradients = []
    y = outputs[0]
    if leaves and y.requires_grad:
        g = np.random.default_rng(0).uniform(0.5, 1.5, y.shape)  # no sums that cancel
        gradients = tc.autograd.grad(
            y, leaves, tc.tensor(g).bfloat16().to(dtype), allow_unused=True
        )
    return outputs, gradients


def close(a, b, what, residual=False):
    """Assert that a, of bfloat16, is b, of float32, up to roundings of its largest element, or of 1.

    A residual, a mean or a variance, may stay in float32.
    """
    wanted = tc.bfloat16 if b.dtype is tc.float32 else b.dtype
    assert a.dtype is wanted or (residual and a.dtype is b.dtype), what
    assert a.shape == b.shape, what
    a, b = (t.detach().double().numpy() for t in (a, b))
    largest = np.abs(b[np.isfinite(b)]).max(initial=1.0)  # the inputs are of that size
    np.testing.assert_allclose(a, b, rtol=2 * EPSILON, atol=2 * EPSILON * largest, err_msg=what)


OPS = sorted(
    name for name, op in registry.items() if op.forward.__module__.startswith("tinygrad_cnn.ops.")
)


WIDE = {"cast", "cholesky", "cofactors", "det", "eigh", "inv", "pinv", "qr", "slogdet", "solve"}
# their functions refuse float16 and bfloat16, as PyTorch's do


@pytest.mark.parametrize("name", [name for name in OPS if name not in WIDE])
def test_an_op_of_bfloat16_is_that_of_float32_rounded(name):
    op = registry[name]

    @settings(max_examples=8, database=None)
    @given(st.data())
    def check(data):
        call = data.draw(strategy_for(op))
        (outputs, gradients), (wide, wide_gradients) = (
            outcome(op, call, dtype) for dtype in (tc.bfloat16, tc.float32)
        )
        for k, (a, b) in enumerate(zip(outputs, wide, strict=True)):
            close(a, b, f"output {k} of {call}", residual=k > 0)
        for k, (a, b) in enumerate(zip(gradients, wide_gradients, strict=True)):
            assert (a is None) == (b is None)
            if a is not None:
                close(a, b, f"gradient {k} of {call}")

    check()
