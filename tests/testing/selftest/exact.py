"""Derivatives in exact arithmetic: numbers of 60 digits that carry a derivative.

`Dual` is a value and its derivative along one direction, both `Decimal`. NumPy computes with arrays
of them: `np.exp` of an array of objects calls their method `exp`. The inputs are the floats
themselves, so that a function at 1e8, near a pole or in saturation has a derivative of 40 digits
here. No code of the package takes part.
Run it in `decimal.localcontext(CONTEXT)`.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from functools import cache

import numpy as np

CONTEXT = decimal.Context(prec=60, Emin=-999_999, Emax=999_999, traps=[decimal.InvalidOperation])
ZERO, ONE = Decimal(0), Decimal(1)


class Dual:
    """value + slope · ε, with ε² = 0."""

    __slots__ = ("slope", "value")

    def __init__(self, value, slope=ZERO):
        self.value, self.slope = value, slope

    def chain(self, value, derivative):
        """f(self), by f and its derivative at the value."""
        return Dual(value, derivative * self.slope if self.slope else ZERO)

    # --- arithmetic ---

    def __add__(self, other):
        if (other := dual(other)) is None:
            return NotImplemented
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other):
        if (other := dual(other)) is None:
            return NotImplemented
        return Dual(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other):
        if (other := dual(other)) is None:
            return NotImplemented
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __truediv__(self, other):
        if (other := dual(other)) is None:
            return NotImplemented
        value = self.value / other.value
        return Dual(value, (self.slope - value * other.slope) / other.value)

    def __pow__(self, other):
        if (other := dual(other)) is None:
            return NotImplemented
        if other.slope or other.value != int(other.value):
            return (self.log() * other).exp()
        n = int(other.value)
        if not n:
            return Dual(ONE)
        return self.chain(self.value**n, n * (self.value ** (n - 1) if n != 1 else ONE))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return NotImplemented if (other := dual(other)) is None else other - self

    def __rtruediv__(self, other):
        return NotImplemented if (other := dual(other)) is None else other / self

    def __rpow__(self, other):
        return NotImplemented if (other := dual(other)) is None else other**self

    def __neg__(self):
        return Dual(-self.value, -self.slope)

    def __abs__(self):
        return -self if self.value < 0 else self

    # --- order, by value ---

    def __lt__(self, other):
        return self.value < dual(other).value

    def __le__(self, other):
        return self.value <= dual(other).value

    def __gt__(self, other):
        return self.value > dual(other).value

    def __ge__(self, other):
        return self.value >= dual(other).value

    def __eq__(self, other):
        return self.value == dual(other).value

    __hash__ = None

    def __float__(self):
        return float(self.value)

    def __bool__(self):
        return bool(self.value)

    # --- functions that NumPy calls ---

    def exp(self):
        y = self.value.exp()
        return self.chain(y, y)

    def log(self):
        return self.chain(self.value.ln(), 1 / self.value)

    def log1p(self):
        return (1 + self).log()

    def expm1(self):
        return self.exp() - 1

    def sqrt(self):
        y = self.value.sqrt()
        return self.chain(y, 1 / (2 * y)) if y else Dual(ZERO)

    def sin(self):
        sine, cosine = sine_and_cosine(self.value)
        return self.chain(sine, cosine)

    def cos(self):
        sine, cosine = sine_and_cosine(self.value)
        return self.chain(cosine, -sine)

    def tan(self):
        return self.sin() / self.cos()

    def tanh(self):
        e = (-2 * abs(self)).exp()
        y = (1 - e) / (1 + e)
        return -y if self.value < 0 else y

    def cosh(self):
        e = abs(self).exp()
        return (e + 1 / e) / 2

    def arctanh(self):
        return ((1 + self) / (1 - self)).log() / 2

    def arctan(self):
        return self.chain(arctangent(self.value), 1 / (1 + self.value * self.value))

    def arcsin(self):
        return (self / ((1 - self) * (1 + self)).sqrt()).arctan()

    def erf(self):
        return self.chain(error_function(self.value), 2 / pi().sqrt() * (-(self.value**2)).exp())

    def floor(self):
        return Dual(self.value.to_integral_value(decimal.ROUND_FLOOR))

    def rint(self):
        return Dual(self.value.to_integral_value(decimal.ROUND_HALF_EVEN))


def dual(x):
    """A number as a Dual without a slope; None for anything else."""
    if isinstance(x, Dual):
        return x
    if isinstance(x, Decimal):
        return Dual(x)
    if isinstance(x, (int, float, np.number, np.bool_)):
        return Dual(Decimal(int(x) if isinstance(x, (int, np.integer, np.bool_)) else float(x)))
    return None


@cache
def pi():
    """π by Machin's formula, to ten digits more than the context."""
    return 4 * (4 * _arctangent_series(ONE / 5) - _arctangent_series(ONE / 239))


def _arctangent_series(x):
    total, term, k = ZERO, x, 1
    while term and abs(term) > abs(total) * Decimal("1e-65"):
        total += term / k
        term, k = -term * x * x, k + 2
    return total


def arctangent(x):
    """arctan, by halving the angle until the series is short."""
    if abs(x) > 1:
        return (pi() / 2).copy_sign(x) - arctangent(1 / x)
    halvings = 0
    while abs(x) > Decimal("0.05"):
        x, halvings = x / (1 + (1 + x * x).sqrt()), halvings + 1
    return _arctangent_series(x) * 2**halvings


def sine_and_cosine(x):
    """Both, by the Taylor series at x modulo 2π."""
    x = x - 2 * pi() * (x / (2 * pi())).to_integral_value()
    found, term, k = [ZERO, ZERO], ONE, 0
    while abs(term) > Decimal("1e-70"):
        found[k % 2] += -term if k % 4 > 1 else term
        k += 1
        term = term * x / k
    return found[1], found[0]


def error_function(x):
    """erf, by the series of all positive terms 2/√π e^(−x²) Σ 2ᵏ x^(2k+1) / (2k+1)!!"""
    total, term, k = ZERO, x, 0
    while abs(term) > abs(total) * Decimal("1e-65"):
        total += term
        k += 1
        term = term * 2 * x * x / (2 * k + 1)
    return total * 2 / pi().sqrt() * (-x * x).exp()


@np.vectorize(otypes=[object])
def _lifted(x, v):
    return Dual(Decimal(float(x)), Decimal(float(v)))


def lifted(x, v):
    """An array of Duals: the values x, the slopes v."""
    x = np.asarray(x)
    if not x.size or x.dtype.kind != "f":
        return x
    return np.asarray(_lifted(x, v), dtype=object).reshape(x.shape)


def parts(y):
    """The values and the slopes of an array of Duals, in float64. Other numbers have slope 0."""
    flat = [dual(t) for t in np.asarray(y, dtype=object).ravel()]
    shape = np.shape(y)
    return (
        np.array([float(t.value) for t in flat]).reshape(shape),
        np.array([float(t.slope) for t in flat]).reshape(shape),
    )
