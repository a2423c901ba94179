"""The exponential of a vector, its inverse, and functions made of them.

eˣ = 2ᵏ eʳ with k = x / ln 2, rounded to an integer, and r = x − k ln 2, |r| ≤ ln 2 / 2 (Cody and
Waite 1980, "Software manual for the elementary functions", chapter 6). ln 2 is the sum of two
parts. The first has so few bits that its products with all k are exact.

eʳ is Taylor's polynomial of the least degree d for which the next term, (ln 2 / 2)ᵈ⁺¹ / (d + 1)!,
is below a quarter of 2⁻ᵐ⁻¹, for m bits after the point. That is a unit in the last place of √½,
the smallest value of eʳ. It gives 7 for float32 and 13 for float64. A polynomial of least error
would save a term or two, but it is a table.

k is in the last bits of x / ln 2 + 1.5 · 2ᵐ, plus any integer that is added to that sum. Shifted
by m bits, they are the bits of 2ᵏ⁺ʰ if h and the bias of exponents are in the sum. eʳ 2ᵏ⁺ʰ is
exact, and 2⁻ʰ times that is rounded once, also where it is subnormal, 0 or infinite: h is half
the bias for x ≤ 0, and −1 above.

ln(1 + x) = k ln 2 + 2 artanh s with 1 + x = 2ᵏ (1 + f), √½ ≤ 1 + f < √2, and s = f / (2 + f),
|s| < 0.172. k is in the bits of 1 + x, and the rounding error of that sum is added to f.
2 artanh s / s is its series in s², to the term below a quarter of a unit.
"""

from decimal import Decimal
from math import factorial, inf, log, nan, sqrt

from llvmlite import ir

from ..error_function import RATIONAL, RATIONAL_32
from .vector import Vector

LN2 = Decimal("0.6931471805599453094172321214581765680755")


class _Format:
    """Constants of an IEEE 754 format: its bits after the point, and its exponent bias."""

    def __init__(self, bits, bias):
        self.bits, self.bias = bits, bias
        self.least = float(-LN2 * (bias + bits + 1))  # below it, eˣ rounds to 0
        self.most = float(LN2 * (bias + 1)) + 0.2  # above it, to ∞, and k is no larger
        self.half = bias // 2 + 1  # h
        self.magic = 1.5 * 2.0**bits + bias
        scale = 2 ** (bits + 1 - (bias + bits).bit_length())
        self.high = int(LN2 * scale) / scale
        self.low = float(LN2 - Decimal(self.high))
        degree, enough = 1, 2.0 ** (-bits - 3)
        while (log(2) / 2) ** (degree + 1) / factorial(degree + 1) > enough:
            degree += 1
        self.terms = [1 / factorial(k) for k in range(degree, -1, -1)]
        square, degree = (sqrt(2) - 1) ** 4, 1  # the largest s²
        while square**degree / (2 * degree + 1) > enough:
            degree += 1
        self.odd = [2 / (2 * k + 1) for k in range(degree, 0, -1)]


FORMATS = {4: _Format(23, 127), 8: _Format(52, 1023)}


def exp(code, x):
    """eˣ for x ≤ 0, to about a unit in the last place. NaN gives NaN."""
    form = FORMATS[code.size]
    r, power = _reduced(code, x, code.constant(form.magic + form.half))
    return polynomial(code, form.terms, r) * power * 2.0**-form.half


def exp_of_any(code, x):
    """eˣ for any x."""
    above, r, power = _reduced_of_any(code, x)
    back = code.select_constants(above, 2.0, 2.0 ** -FORMATS[code.size].half)
    return polynomial(code, FORMATS[code.size].terms, r) * power * back


def expm1(code, x):
    """eˣ − 1 for x ≤ 0, exact near 0: 2ᵏ (eʳ − 1) + (2ᵏ − 1), where 2ᵏ − 1 is exact."""
    form = FORMATS[code.size]
    r, power = _reduced(code, x, code.constant(form.magic + form.half))
    power = power * 2.0**-form.half
    return code.fma(_less_one(code, r), power, power - code.constant(1.0))


def expm1_of_any(code, x):
    """eˣ − 1 for any x. Above 0 it computes half of it, as 2ᵏ may be infinite where eˣ is not."""
    above, r, power = _reduced_of_any(code, x)
    power = power * code.select_constants(above, 1.0, 2.0 ** -FORMATS[code.size].half)
    y = code.fma(_less_one(code, r), power, power - code.select_constants(above, 0.5, 1.0))
    return code.copysign(y * code.select_constants(above, 2.0, 1.0), x)


def log1p(code, x):
    """ln(1 + x)."""
    form, builder, one = FORMATS[code.size], code.builder, code.constant(1.0)

    def integers(value):
        return ir.Constant(code.integers, [value] * code.lanes)

    def bits_of(vector):
        return builder.bitcast(vector.value, code.integers)

    u = x + one
    lost = code.select(code.less_equal(one, x), one - (u - x), x - (u - one))
    # k from the bits above those of √½
    k = builder.sub(bits_of(u), bits_of(code.constant(sqrt(0.5))))
    k = builder.ashr(k, integers(form.bits))
    m = builder.sub(bits_of(u), builder.shl(k, integers(form.bits)))  # bits of 1 + f
    few = builder.select(builder.icmp_signed("<", k, integers(form.half)), k, integers(form.half))
    scale = builder.shl(builder.sub(integers(form.bias), few), integers(form.bits))  # 2⁻ᵏ
    m, scale = (Vector(code, builder.bitcast(bits, code.type)) for bits in (m, scale))
    f, k = code.fma(lost, scale, m - one), Vector(code, builder.sitofp(k, code.type))
    s = f / (f + code.constant(2.0))
    # 2 artanh s = 2 s + s R, with R the terms from s² on, and 2 s = f − s f
    square = s * s
    rest = s * (f - polynomial(code, form.odd, square) * square)
    y = k * form.high + (f - rest.add_scaled(k, -form.low))
    zero = code.constant(0.0)
    special = code.select_constants(code.less_equal(zero, u), -inf, nan)
    y = code.select(code.less_equal(u, zero), special, y)
    return code.copysign(code.select(code.less_equal(code.constant(inf), x), x, y), x)


def sigmoid(code, x):
    """1 / (1 + e⁻ˣ), from e^−|x|, which is at most 1."""
    zero, one = code.constant(0.0), code.constant(1.0)
    z = exp(code, zero - code.call("fabs", x))
    return code.select(code.less_equal(x, zero), z, one) / (z + one)


def tanh(code, x):
    """−m / (2 + m) with m = e^−2x − 1, for x ≥ 0."""
    m = expm1(code, code.call("fabs", x) * -2.0)
    return code.copysign(m / (m + code.constant(2.0)), x)


def erf(code, x):
    """The formula of `kernels.error_function`."""
    most, numerator, denominator = RATIONAL_32 if code.size == 4 else RATIONAL
    a, top = code.call("fabs", x), code.constant(most)
    a = code.select(code.less_equal(top, a), top, a)
    u = polynomial(code, numerator, a) * a / polynomial(code, denominator, a)
    return code.copysign(expm1(code, code.constant(0.0) - u), x)


def polynomial(code, coefficients, x):
    """Horner's rule, highest power first."""
    y = code.constant(coefficients[0])
    for c in coefficients[1:]:
        y = code.fma(y, x, code.constant(c))
    return y


def _less_one(code, r):
    """eʳ − 1."""
    terms = FORMATS[code.size].terms
    return polynomial(code, [1 / factorial(len(terms)), *terms[:-1]], r) * r


def _reduced(code, x, magic):
    """r and 2ᵏ⁺ʰ, for `magic` = 1.5 · 2ᵐ + bias + h."""
    form, builder = FORMATS[code.size], code.builder
    x = code.select(code.less_equal(x, least := code.constant(form.least)), least, x)
    shifted = code.fma(x, code.constant(float(1 / LN2)), magic)
    k = shifted - magic
    r = x.add_scaled(k, -form.high).add_scaled(k, -form.low)
    bits = ir.Constant(code.integers, [form.bits] * code.lanes)
    exponent = builder.shl(builder.bitcast(shifted.value, code.integers), bits)
    return r, Vector(code, builder.bitcast(exponent, code.type))


def _reduced_of_any(code, x):
    """Whether x ≥ 0, where h is −1; then r and 2ᵏ⁺ʰ."""
    form, above = FORMATS[code.size], code.less_equal(code.constant(0.0), x)
    x = code.select(code.less_equal(most := code.constant(form.most), x), most, x)
    magic = code.select_constants(above, form.magic - 1, form.magic + form.half)
    return above, *_reduced(code, x, magic)
