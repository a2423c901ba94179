"""Queries that do not depend on the elements of a Tensor, and constants."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tc


def test_what_is_a_tensor_and_how_large():
    x = tc.ones(2, 3)
    assert tc.is_tensor(x)
    assert not tc.is_tensor(np.ones(2))
    assert (tc.numel(x), x.numel(), x.nelement(), x.nbytes, x.stride()) == (6, 6, 6, 24, (3, 1))
    assert x.stride(0) == 3
    assert tc.is_floating_point(x)
    assert not x.long().is_floating_point()
    assert tc.finfo(x.dtype).eps == np.finfo(np.float32).eps
    assert isinstance(x.dtype, tc.dtype)


@pytest.mark.parametrize("name", ["numel", "is_floating_point"])
def test_a_number_is_no_tensor(name):
    with pytest.raises(
        TypeError, match=rf"{name}\(\): argument 'input' \(position 1\) must be Tensor"
    ):
        getattr(tc, name)(2.0)


def test_constants():
    assert (tc.pi, tc.e, tc.inf) == (math.pi, math.e, math.inf)
    assert math.isnan(tc.nan)
