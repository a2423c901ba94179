"""erfc and xlogy: precision, dtypes, in place; and the names in tinygrad_cnn.special."""

import math

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp

from .moves import X


def test_erfc_is_precise_where_it_is_small():
    x = np.linspace(-7, 26, 5001)
    wanted = np.array([math.erfc(v) for v in x])
    np.testing.assert_allclose(tc.erfc(tc.tensor(x)).numpy(), wanted, rtol=1e-13)
    single = tc.erfc(tc.tensor(x, dtype=tc.float32)).numpy()
    seen = wanted > 1e-37
    np.testing.assert_allclose(single[seen], wanted[seen], rtol=2e-5)


def test_erfc_at_the_ends():
    ends = tc.tensor([math.inf, -math.inf, math.nan, 0.0, 30.0])
    assert tc.erfc(ends).tolist()[:2] == [0.0, 2.0]
    assert math.isnan(tc.erfc(ends)[2])
    assert tc.erfc(ends).tolist()[3:] == [1.0, 0.0]
    assert tc.erfc(tc.tensor([0, 1])).dtype == tc.float32
    assert tc.erfc(tc.tensor(0.0)).shape == ()
    assert tc.erfc(tc.zeros(0)).shape == (0,)


def test_derivatives():
    check_vjp(tc.erfc, X)
    check_second_order(tc.erfc, X)
    positive = np.abs(X) + 0.1
    check_vjp(tc.xlogy, X, positive)
    check_second_order(tc.xlogy, X, positive)
    check_vjp(lambda x: tc.xlogy(x, 3.0), X)
    check_vjp(lambda y: tc.xlogy(2, y), positive)


def test_xlogy_is_0_where_x_is():
    zero = tc.zeros(3, requires_grad=True)
    y = tc.xlogy(zero, tc.tensor([0.0, math.inf, math.nan]))
    assert y.tolist()[0] == 0.0
    assert y[2].isnan()
    y[0].backward()
    assert zero.grad.tolist()[0] == 0.0


def test_dtypes_and_numbers():
    assert tc.xlogy(tc.tensor([2]), tc.tensor([1])).dtype == tc.float32
    assert tc.xlogy(2, tc.ones(1).double()).dtype == tc.float64
    assert tc.xlogy(tc.ones(1), 2).item() == pytest.approx(math.log(2), rel=1e-6)
    assert tc.ones(1).half().xlogy(3).dtype == tc.float16
    with pytest.raises(TypeError, match="invalid combination"):
        tc.xlogy(1.0, 2.0)


def test_in_place():
    x = tc.tensor([1.0, 2.0])
    assert x.erfc_() is x
    assert x.xlogy_(tc.ones(2)).tolist() == [0.0, 0.0]
    p = tc.ones(2, requires_grad=True)
    (p * 1).xlogy_(tc.tensor([2.0, 3.0])).sum().backward()
    assert p.grad.tolist() == pytest.approx([math.log(2), math.log(3)], rel=1e-6)


def test_the_names_of_special():
    x = tc.tensor([0.25])
    special = tc.special
    assert special.expit(x).item() == tc.sigmoid(x).item()
    assert special.expit.__name__ == "expit"
    for name in ("erf", "erfc", "erfinv", "expm1", "log1p", "logit"):
        assert getattr(special, name)(x).item() == getattr(tc, name)(x).item()
    assert special.softmax(x, 0).item() == 1.0
