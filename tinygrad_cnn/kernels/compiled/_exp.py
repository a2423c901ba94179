"""The exponential of a vector of numbers up to 0.

eˣ = 2ᵏ eʳ with k = x / ln 2, rounded to an integer, and r = x − k ln 2, |r| ≤ ln 2 / 2 (Cody and Waite
1980, "Software manual for the elementary functions", chapter 6). ln 2 has two parts, of which the
first has so few bits that its products with all k are exact.

eʳ is Taylor's polynomial of the least degree d for which the next term, (ln 2 / 2)ᵈ⁺¹ / (d + 1)!, is below
a quarter of 2⁻ᵐ⁻¹, a unit in the last place of √½, the least that eʳ gets, for m bits after the point: 7
for float32 and 13 for float64. A polynomial of least error would save a term or two, and is a table.

k is in the last bits of x / ln 2 + 1.5 · 2ᵐ, and so is any integer that is added to that: shifted by m
bits, they are the bits of 2ᵏ⁺ʰ if h and the bias of exponents are in the sum. eʳ 2ᵏ⁺ʰ is exact, and 2⁻ʰ times that is rounded once, also where it is subnormal or 0.
"""

from decimal import Decimal
from math import factorial, log

from llvmlite import ir

from ._vectors import Vector

LN2 = Decimal("0.6931471805599453094172321214581765680755")


class _Format:
    """Of IEEE 754 numbers of so many bits after the point, and this bias of exponents."""

    def __init__(self, bits, bias):
        self.bits, self.least = bits, float(-LN2 * (bias + bits + 1))  # below it, eˣ rounds to 0
        self.half = bias // 2 + 1  # h
        self.magic = 1.5 * 2.0**bits + bias + self.half
        scale = 2 ** (bits + 1 - (bias + bits).bit_length())
        self.high = int(LN2 * scale) / scale
        self.low = float(LN2 - Decimal(self.high))
        degree, enough = 1, 2.0 ** (-bits - 3)
        while (log(2) / 2) ** (degree + 1) / factorial(degree + 1) > enough:
            degree += 1
        self.terms = [1 / factorial(k) for k in range(degree, -1, -1)]


FORMATS = {4: _Format(23, 127), 8: _Format(52, 1023)}


def exp(code, x):
    """eˣ of a vector of numbers up to 0, to about a unit in the last place; NaN of NaN."""
    form, r, power = _parts(code, x)
    return polynomial(code, form.terms, r) * power * 2.0**-form.half


def expm1(code, x):
    """eˣ − 1 of numbers up to 0, as exact near 0: 2ᵏ (eʳ − 1) + (2ᵏ − 1), where the latter is exact."""
    form, r, power = _parts(code, x)
    y = polynomial(code, [1 / factorial(len(form.terms)), *form.terms[:-1]], r) * r
    power = power * 2.0**-form.half
    return code.add_product(y, power, power - code.constant(1.0))


def polynomial(code, coefficients, x):
    """By Horner's rule, the highest power first."""
    y = code.constant(coefficients[0])
    for c in coefficients[1:]:
        y = code.add_product(y, x, code.constant(c))
    return y


def _parts(code, x):
    """Its format, r and 2ᵏ⁺ʰ."""
    form, builder = FORMATS[code.size], code.builder
    x = code.choose(code.at_most(x, least := code.constant(form.least)), least, x)
    magic = code.constant(form.magic)
    shifted = code.add_product(x, code.constant(float(1 / LN2)), magic)
    k = shifted - magic
    r = x.plus(k, -form.high).plus(k, -form.low)
    kind = ir.VectorType(ir.IntType(8 * code.size), code.lanes)
    exponent = builder.shl(
        builder.bitcast(shifted.value, kind), ir.Constant(kind, [form.bits] * code.lanes)
    )
    return form, r, Vector(code, builder.bitcast(exponent, code.type))
