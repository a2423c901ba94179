"""The error function from one rational function; NumPy has none.

Write erfc x = e^−u(x) for x ≥ 0. Then u(x) = x q(x), where q is smooth and changes little: from
2/√π at 0 to about x + ln(x √π)/x. `RATIONAL` approximates q on [0, 6] to a relative error of
6e-17 (from 6 on, erf x is 1 in float64) by a quotient of polynomials of degrees 9 and 8: a
least-squares fit in 60 digits, reweighted towards equal ripples. All coefficients are positive,
so nothing cancels, and

    erf x = −expm1(−u(x))

is as exact for small x as for large ones, since d erf / erf = (e⁻ᵘ u / (1 − e⁻ᵘ)) dq/q, at most
dq/q. `RATIONAL_32` does the same to 3e-9 on [0, 4], for float32.
"""

import numpy as np
from numpy import ndarray

# (largest x, numerator, denominator), highest power first
RATIONAL = (
    6.0,
    (
        7.7232168172430927107e-6, 3.8910642453829262134e-4, 6.4730533168718136126e-3,
        5.3848118822882011664e-2, 2.7089456439271031279e-1, 8.9476655070576108132e-1,
        1.9923032271227539071, 2.9370430542089355551, 2.6436181745986846752, 1.1283791670955125092,
    ),
    (
        7.7236042273491062818e-6, 3.8902091591251538907e-4, 6.4318984844430050948e-3,
        5.2356009334967311418e-2, 2.5171914567019244435e-1, 7.6961375853572962636e-1,
        1.5083075864940277414, 1.7786560233978532418, 1.0,
    ),
)  # fmt: skip
RATIONAL_32 = (
    4.0,
    (0.040377063707310272, 0.296211117118184957, 0.946456747082245105, 1.54429054855080784,
     1.12837916996352932),
    (0.040420405103290562, 0.293857274972359028, 0.804402495249370095, 1.0),
)  # fmt: skip


def minus_log_erfc(x: ndarray) -> ndarray:
    """u(x) = −ln erfc x, for x ≥ 0. From x = 6 on (float32: 4) the value stays as it is there."""
    top, numerator, denominator = RATIONAL_32 if x.dtype == np.float32 else RATIONAL
    x = np.minimum(x, x.dtype.type(top))  # a NaN stays
    u = _polynomial(numerator, x)
    u *= x
    return np.divide(u, _polynomial(denominator, x), out=u)


def _polynomial(coefficients: tuple[float, ...], x: ndarray) -> ndarray:
    """Horner's rule, in one array."""
    first, second, *rest = coefficients
    y = x * x.dtype.type(first)
    y += x.dtype.type(second)
    for c in rest:
        y *= x
        y += x.dtype.type(c)
    return y


def erf(x: ndarray) -> ndarray:
    """y = erf x."""
    a = np.atleast_1d(x)
    y = minus_log_erfc(np.abs(a))
    return np.copysign(np.expm1(np.negative(y, out=y), out=y), a, out=y).reshape(x.shape)
