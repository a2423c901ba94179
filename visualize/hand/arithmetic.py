"""Arithmetic of scalars as data: written as text, and evaluated.

It is what `formulas.py` reads out of docstrings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Values = Mapping[str, float | str | bool | None]

FUNCTIONS: dict[str, Callable[..., float]] = {
    "ln": math.log, "log₂": math.log2, "log₁₀": math.log10, "sin": math.sin, "cos": math.cos,
    "tan": math.tan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh, "asin": math.asin,
    "acos": math.acos, "atan": math.atan, "asinh": math.asinh, "acosh": math.acosh,
    "atanh": math.atanh, "trunc": math.trunc, "max": max, "min": min, "erf": math.erf,
    "erfc": math.erfc, "√": math.sqrt, "|": abs, "⌊": math.floor,
    "sign": lambda x: math.copysign(1.0, x) if x else 0.0,
    "σ": lambda x: 1 / (1 + math.exp(-x)) if x > 0 else 1 - 1 / (1 + math.exp(x)),
    "Φ": lambda x: 0.5 * math.erfc(-x / math.sqrt(2)),
    "φ": lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "ψ": lambda x: math.nan, "ψ′": lambda x: math.nan, "polygamma": lambda n, x: math.nan,
}  # fmt: skip
_CONSTANTS = {"π": math.pi, "e": math.e}
_SIGNS = {"add": " + ", "sub": " − ", "mul": " · ", "div": " / "}
_BINDS = {"add": 1, "sub": 1, "mul": 2, "div": 2, "neg": 3, "pow": 4}
_RAISED = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_OPPOSITE = {"<": "≥", "≤": ">", ">": "≤", "≥": "<", "=": "≠"}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b, "≤": lambda a, b: a <= b, ">": lambda a, b: a > b,
    "≥": lambda a, b: a >= b, "=": lambda a, b: a == b,
}  # fmt: skip
_DIGITS = 4  # of a number that is shown
FOLDED_DIGITS = 15  # all that a sum of two numbers has


@dataclass(frozen=True)
class Expression:
    """A node of an expression: its kind, its operands, and the text of a name, number or function.

    The kinds: number, name, constant, quoted, neg, add, sub, mul, div, pow, call.
    """

    kind: str
    parts: tuple[Expression, ...] = ()
    text: str = ""

    def names(self) -> set[str]:
        """The names in it."""
        found = {self.text} if self.kind == "name" else set()
        return found.union(*(part.names() for part in self.parts))

    def write(self, names: Mapping[str, str]) -> str:
        """The text, with each name replaced by that in `names`: another name, or a number.

        >>> x, two = Expression("name", text="x"), Expression("number", text="2")
        >>> Expression("sub", (two, Expression("pow", (x, two)))).write({"x": "−3"})
        '2 − (−3)²'
        """
        if self.kind in ("number", "constant", "quoted"):
            return self.text
        if self.kind == "name":
            return names[self.text]
        if self.kind == "call":
            inside = ", ".join(part.write(names) for part in self.parts)
            marks = {"|": "||", "⌊": "⌊⌋"}.get(self.text)
            if self.text == "√" and _is_plain(inside):
                return f"√{inside}"
            return f"{marks[0]}{inside}{marks[1]}" if marks else f"{self.text}({inside})"
        if self.kind == "neg":
            inside = self._operand(0, names, 2)
            return f"−({inside})" if inside.startswith("−") else f"−{inside}"
        if self.kind == "pow":
            return self._power(names)
        tight = _BINDS[self.kind]
        left = self._operand(0, names, tight)
        right = self._operand(1, names, tight + (self.kind in ("sub", "div")))
        if right.startswith("−") and (self.kind != "mul" or "/" in left):
            right = f"({right})"
        return f"{left}{_SIGNS[self.kind]}{right}"

    def _operand(self, k: int, names: Mapping[str, str], tight: int) -> str:
        text = self.parts[k].write(names)
        return f"({text})" if _BINDS.get(self.parts[k].kind, 9) < tight else text

    def _power(self, names: Mapping[str, str]) -> str:
        base, exponent = self._operand(0, names, 5), self.parts[1]._folded(names)
        if exponent == "1" and self.parts[1].kind != "name":
            return base
        if not base.isalnum() and not base.startswith(("(", "|")) and not _is_plain(base):
            base = f"({base})"
        digits = exponent.removeprefix("−")
        if digits.isascii() and digits.isdigit():
            return base + exponent.translate(_RAISED)
        return f"{base}^{exponent}" if _is_plain(exponent) else f"{base}^({exponent})"

    def _folded(self, names: Mapping[str, str]) -> str:
        """The text; of a sum of numbers their total: x² for x^(3 − 1)."""
        text = self.write(names)
        if self.kind in ("add", "sub") and not any(c.isalpha() or c in "?∂" for c in text):
            values = {name: float(number.replace("−", "-")) for name, number in names.items()
                      if _is_number(number)}  # fmt: skip
            return number_text(self.value(values), FOLDED_DIGITS)
        return text

    def value(self, values: Values) -> float:
        """The number, NaN where it is not defined.

        >>> Expression("call", (Expression("name", text="x"),), "√").value({"x": 9.0})
        3.0
        """
        try:
            found = self._value(values)
        except (ValueError, ZeroDivisionError, OverflowError, TypeError):
            return math.nan
        return math.nan if isinstance(found, complex) else found

    def _value(self, values: Values) -> float:
        if self.kind == "number":
            return float(self.text)
        if self.kind == "constant":
            return _CONSTANTS[self.text]
        if self.kind == "name":
            return values[self.text]  # type: ignore[return-value]  # TypeError if it is no number
        parts = [part._value(values) for part in self.parts]
        if self.kind == "call":
            return float(FUNCTIONS[self.text](*parts))
        if self.kind == "neg":
            return -parts[0]
        a, b = parts
        if self.kind == "pow":
            return float(a**b)
        return (
            {"add": a + b, "sub": a - b, "mul": a * b}[self.kind] if self.kind != "div" else a / b
        )


def _is_number(text: str) -> bool:
    return text.replace("−", "").replace(".", "").isdigit()


def _is_plain(text: str) -> bool:
    """A name, with its index and accents, or a number without a sign and an exponent of ten."""
    plain = all(c.isalnum() or c in "._" or "₀" <= c <= "₉" for c in text)
    raised = any(c in "⁰¹²³⁴⁵⁶⁷⁸⁹" for c in text)
    return plain and not raised and not (text[:1].isdigit() and "e" in text)


@dataclass(frozen=True)
class Condition:
    """A chain of comparisons, or, without signs, a flag; `negated` if it must not hold."""

    terms: tuple[Expression, ...]
    signs: tuple[str, ...]
    negated: bool = False

    def write(self, names: Mapping[str, str], opposite: bool = False) -> str:
        """The text; with `opposite`, that it does not hold."""
        negated = self.negated != opposite
        if not self.signs:
            return self.terms[0].write(names) + (" does not hold" if negated else " holds")
        signs = self.signs
        if negated and len(signs) == 1:
            signs, negated = (_OPPOSITE[signs[0]],), False
        text = self.terms[0].write(names)
        for sign, term in zip(signs, self.terms[1:], strict=True):
            text += f" {sign} {term.write(names)}"
        return f"not {text}" if negated else text

    def holds(self, values: Values) -> bool:
        """Whether it holds. A bound that is None is always kept."""
        if not self.signs:
            return bool(values[self.terms[0].text]) != self.negated
        sides = [
            term.text if term.kind == "quoted" else values[term.text]
            if term.kind == "name" else term.value(values)
            for term in self.terms
        ]  # fmt: skip
        kept = all(
            a is None or b is None or _COMPARE[sign](a, b)  # type: ignore[arg-type]
            for sign, a, b in zip(self.signs, sides, sides[1:], strict=False)
        )
        return kept != self.negated


@dataclass(frozen=True)
class Formula:
    """An expression, or several for the cases of conditions; the last has none."""

    pieces: tuple[tuple[Expression, Condition | None], ...]

    @property
    def plain(self) -> bool:
        """Whether there is one case only."""
        return len(self.pieces) == 1

    def decided_by(self) -> set[str]:
        """The names in its conditions."""
        terms = [term for _, condition in self.pieces if condition for term in condition.terms]
        return set().union(*(term.names() for term in terms))

    def text(self, names: Mapping[str, str]) -> str:
        """All cases.

        >>> from .formulas import formulas_of
        >>> formula = formulas_of("x̄ = ȳ where x > 0, else 0", ("x",)).gradients["x"]
        >>> formula.text({"x": "u", "g": "∂L/∂v"})
        '∂L/∂v where u > 0, else 0'
        """
        texts = []
        for value, condition in self.pieces:
            where = "" if condition is None else condition.write(names)
            if where and all(_is_number(part) or part in "<≤>≥=" for part in where.split()):
                continue  # of numbers alone, as 2 = 0 for x²: no case of this call
            texts.append(f"{value.write(names)} where {where}" if where else value.write(names))
        return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])}, else {texts[-1]}"

    def case(self, values: Values) -> int:
        """The number of the case that holds."""
        return next(
            k for k, (_, condition) in enumerate(self.pieces)
            if condition is None or condition.holds(values)
        )  # fmt: skip

    def reason(self, case: int, names: Mapping[str, str]) -> str:
        """Why this case holds: its condition, or that no other one does; "" if there are none.

        >>> from .formulas import formulas_of
        >>> formula = formulas_of("x̄ = ȳ where x > 0, else 0", ("x",)).gradients["x"]
        >>> formula.reason(1, {"x": "−2"})
        '−2 ≤ 0'
        """
        condition = self.pieces[case][1]
        if condition is not None:
            return condition.write(names)
        if self.plain:
            return ""
        others = [c.write(names, opposite=True) for _, c in self.pieces if c is not None]
        return " and ".join(others)

    def with_gradient_last(self) -> Formula:
        """The formula with a factor ȳ at the end of its products: b · ȳ for ȳ · b."""
        return Formula(tuple((_rotated(value), condition) for value, condition in self.pieces))


def _rotated(value: Expression) -> Expression:
    factors: list[Expression] = []
    rest = value
    while rest.kind == "mul":
        factors.append(rest.parts[1])
        rest = rest.parts[0]
    negative = rest.kind == "neg"
    first = rest.parts[0] if negative else rest
    if not factors or (first.kind, first.text) != ("name", "g"):
        return value
    ordered = [*reversed(factors), first]
    if negative:
        ordered[0] = Expression("neg", (ordered[0],))
    product = ordered[0]
    for factor in ordered[1:]:
        product = Expression("mul", (product, factor))
    return product


# --- Numbers ------------------------------------------------------------------------------------


def number_text(value: float, digits: int = _DIGITS) -> str:
    """A number with so many digits, as formulas write it.

    >>> number_text(-3.0), number_text(0.1 + 0.2), number_text(1e-7), number_text(float("-inf"))
    ('−3', '0.3', '1e−07', '−∞')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value + 0.0:.{digits}g}".replace("-", "−")


def sum_text(terms: Sequence[str]) -> str:
    """Terms with plus signs between them, and parentheses around those that are negative.

    >>> sum_text(["2", "−3"])
    '2 + (−3)'
    """
    return " + ".join(f"({t})" if k and t.startswith("−") else t for k, t in enumerate(terms))


def product_text(factor: str, rest: str) -> str:
    """factor · rest, without a factor of 1.

    >>> product_text("1/4", "x"), product_text("1", "x"), product_text("−1", "−2")
    ('1/4 · x', 'x', '−(−2)')
    """
    if factor in ("1", "−1"):
        return rest if factor == "1" else f"−({rest})" if rest.startswith("−") else f"−{rest}"
    return f"{factor} · {rest}"


def exponent_text(text: str) -> str:
    """A name or a number as an exponent.

    >>> exponent_text("−2")
    '(−2)'
    """
    return f"({text})" if text.startswith("−") or "e" in text else text
