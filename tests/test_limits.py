"""finfo and iinfo."""

import numpy as np
import pytest

import tinygrad_cnn as tc


@pytest.mark.parametrize("d", [tc.float16, tc.float32, tc.float64], ids=str)
def test_floating_point_is_as_in_numpy(d):
    ours, theirs = tc.finfo(d), np.finfo(d)
    for name in ("bits", "eps", "max", "min", "tiny", "smallest_normal"):
        assert getattr(ours, name) == float(getattr(theirs, name)), name
        assert type(getattr(ours, name)) in (int, float)
    assert ours.resolution == pytest.approx(float(theirs.resolution), rel=1e-3)
    assert ours.dtype == np.dtype(d).name


def test_bfloat16_is_the_upper_half_of_float32():
    ours = tc.finfo(tc.bfloat16)
    assert (ours.bits, ours.eps, ours.resolution) == (16, 2.0**-7, 0.01)
    assert ours.max == float(tc.tensor(ours.max).bfloat16())
    assert tc.tensor(ours.max * 1.01).bfloat16().isinf()
    assert ours.tiny == tc.finfo(tc.float32).tiny


@pytest.mark.parametrize("d", [tc.uint8, tc.int8, tc.int16, tc.int32, tc.int64, tc.uint16, tc.uint64],
                         ids=str)  # fmt: skip
def test_integers_are_as_in_numpy(d):
    ours, theirs = tc.iinfo(d), np.iinfo(d)
    assert (ours.bits, ours.min, ours.max) == (theirs.bits, theirs.min, theirs.max)


def test_equality_and_numpys_dtypes():
    assert tc.finfo() == tc.finfo(tc.float32) == tc.finfo(np.float32) != tc.finfo(tc.float64)
    assert len({tc.iinfo(tc.int8), tc.iinfo(tc.int8), tc.iinfo(tc.uint8)}) == 2
    assert tc.iinfo(tc.int8) != 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tc.finfo(tc.int64), "requires a floating point input type"),
        (lambda: tc.iinfo(tc.float32), "requires an integer input type"),
        (lambda: tc.iinfo(tc.complex64), "requires an integer input type"),
        (lambda: tc.iinfo(tc.bool), "torch.bool is not supported by torch.iinfo"),
        (lambda: tc.finfo("float32"), r"finfo\(\): argument 'type' must be torch.dtype, not str"),
    ],
)
def test_errors(make, message):
    with pytest.raises(TypeError, match=message):
        make()
