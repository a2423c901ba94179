"""The default dtype, and promotion to a common dtype."""

import pytest

import tinygrad_cnn as tc


def test_the_dtype_in_which_two_meet():
    assert tc.promote_types(tc.int64, tc.float16) == tc.float16
    assert tc.promote_types(type1=tc.bool, type2=tc.uint8) == tc.uint8


def test_the_default_dtype():
    before = tc.get_default_dtype()
    assert before == tc.float32
    try:
        tc.set_default_dtype(d=tc.float64)
        assert tc.get_default_dtype() == tc.tensor(1.0).dtype == tc.zeros(1).dtype == tc.float64
        assert (tc.arange(2) / 2).dtype == tc.rand(1).dtype == tc.float64
    finally:
        tc.set_default_dtype(before)
    with pytest.raises(
        TypeError, match="only floating-point types are supported .* got torch.int64"
    ):
        tc.set_default_dtype(tc.int64)
    assert tc.get_default_dtype() == before
