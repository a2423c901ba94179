"""The lines of a calculation by hand: each element as a formula, with names and then with numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from ..graph import Node
from ..words import attributes, value_text
from .arithmetic import Expression, Formula, exponent_text, number_text, product_text
from .call import Call
from .windows import MAX_ELEMENTS, Array, Window, is_floating, values_of
from .worked import Arrival, Worked, elements

Lit = tuple[int, Literal["value", "gradient"], int]  # quantity, side, element
MAX_DIGITS = 17
LONGEST_HEADING = 30  # characters


@dataclass
class Term:
    """A summand: with names, with numbers, its value, and the elements that it uses."""

    symbols: str
    numbers: str
    value: float
    lit: list[Lit] = field(default_factory=list)


@dataclass
class Line:
    """How one element is computed: `left` = the sum of the terms = `value`.

    `reason` says why a case of the formula holds, `note` what else there is to see. `faint` are
    elements that belong to the window and do not count.
    """

    left: str
    terms: list[Term]
    value: float
    reason: str = ""
    note: str = ""
    faint: list[Lit] = field(default_factory=list)


class Lines:
    """The lines of all elements of a worked graph.

    Attributes:
        forward: for each quantity, a line for each element; None where there is none: of inputs, of
            arrays that are large, and where the value is unknown.
        quantities: those of the graph.
        worked: the graph.
        backward: for each arrival, a line for each element of its target, or None.
    """

    def __init__(self, worked: Worked, digits: int) -> None:
        self.worked, self.quantities = worked, worked.quantities
        self._all, self._digits, self._symbol = worked.quantities, digits, worked.symbol
        self._elements = [list(elements(q)) or [q.name] for q in self._all]
        self._parts = [sum(a.target == k for a in worked.arrivals) for k in range(len(self._all))]
        self._calls = [None if q.node is None else Call(q, self._all) for q in self._all]
        self.forward = [self._forward(k) for k in range(len(self._all))]
        self.backward = [self._backward(arrival) for arrival in worked.arrivals]

    # --- Texts ---

    def number(self, value: float) -> str:
        """A number as this page writes it."""
        return number_text(value, self._digits)

    def how(self, k: int) -> str:
        """How an op computes its output: its formula if that is short, else a call of the op."""
        call, quantity = self._calls[k], self._all[k]
        assert call is not None
        formula = (
            None
            if quantity.value is None
            else call.output_formula(values_of(quantity.value).ravel())
        )
        if formula is not None:
            names = self._names(call, 0)
            names |= {call.inputs[slot]: self._all[at].name for slot, at in call.slots()}
            if len(text := formula.text(names)) <= LONGEST_HEADING:
                return text
        inputs = ", ".join(self._all[at].name for _, at in call.slots())
        if call.node.op.name == "getitem":
            return f"{inputs}[{value_text(call.node.attributes['index']).removesuffix(', ...')}]"
        facts = attributes(Node("op", call.node.op.name, attributes=call.node.attributes))
        return ", ".join([f"{call.node.op.name}({inputs})", *facts])

    def _element(self, k: int, i: int) -> str:
        return self._elements[k][i]

    def slope(self, k: int, i: int) -> str:
        """∂L/∂x of an element."""
        return f"∂{self._symbol}/∂{self._element(k, i)}"

    def _value(self, k: int, i: int) -> str:
        value = self._all[k].value
        return "?" if value is None else self.number(values_of(value).flat[i])

    # --- Forward ---

    def _forward(self, k: int) -> list[Line] | None:
        call, quantity = self._calls[k], self._all[k]
        if call is None or quantity.value is None or quantity.size > MAX_ELEMENTS:
            return None
        y = values_of(quantity.value).ravel()
        formula = call.output_formula(y)
        lines = []
        for j, value in enumerate(y):
            if formula is not None:
                line = self._formula_line(call, formula, j, float(value))
            else:
                line = self._window_line(call, j, float(value))
            line.left = self._element(k, j)
            lines.append(line)
        return lines

    def _formula_line(self, call: Call, formula: Formula, j: int, value: float) -> Line:
        values = call.values(j)
        case = formula.case(values)
        lit: list[Lit] = [(k, "value", int(at[j])) for k, at in call.used(False) if at is not None]
        numbers = self._numbers(formula.pieces[case][0], values)
        written = formula.pieces[case][0].write(numbers)
        term = Term(formula.text(self._names(call, j)), written, value, lit)
        reason = formula.reason(case, numbers) if " where " in term.symbols else ""
        return Line("", [term], value, reason)

    def _window_line(self, call: Call, j: int, value: float) -> Line:
        op, found = call.node.op.name, call.windows
        terms = None if op.startswith("max_pool") else self._product_terms(call, j)
        if terms is not None and abs(sum(t.value for t in terms) - value) <= _slack(value, terms):
            return Line("", terms, value, note=self._outside(call, j))
        followed = all(slot in found for slot, k in call.slots() if is_floating(self._all[k].value))
        used = [(k, int(i)) for slot, k in call.slots() if slot in found and followed
                for i in np.flatnonzero(found[slot].inside[j])]  # fmt: skip
        if not used and call.node.saved is not None:
            used = [(k, 0) for _, k in call.slots() if self._all[k].size == 1]
        lit: list[Lit] = [(k, "value", i) for k, i in used]
        symbols, numbers = ([f(k, i) for k, i in used] for f in (self._element, self._value))
        if op.startswith("max_pool") and used:
            return Line("", [Term(f"max({', '.join(symbols)})", f"max({', '.join(numbers)})", value, lit)],
                        value, note=self._outside(call, j))  # fmt: skip
        if op == "softmax" and used:
            own = [n for n, (_, i) in enumerate(used) if i == j]
            if own:
                top, below = (
                    (
                        f"e^{exponent_text(texts[own[0]])}",
                        " + ".join(f"e^{exponent_text(t)}" for t in texts),
                    )
                    for texts in (symbols, numbers)
                )
                return Line("", [Term(f"{top[0]} / ({top[1]})", f"{below[0]} / ({below[1]})", value, lit)], value)  # fmt: skip
        numbers = numbers if all(self._all[k].value is not None for k, _ in used) else []
        inside = ", ".join(symbols) or ", ".join(self._all[k].name for _, k in call.slots())
        return Line("", [Term(f"{op}({inside})", "", value, lit)], value)

    def _product_terms(self, call: Call, j: int) -> list[Term] | None:
        """The value as a sum of products, if the op is linear; None if it is not."""
        if not call.knows_all():
            return None
        terms: list[Term] = []
        done: set[int] = set()
        order = [1, 0] if call.node.op.name.startswith(("conv", "linear")) else [0, 1]
        for slot in (*order, *(s for s, _ in call.slots() if s > 1)):
            window = call.windows.get(slot)
            k = call.quantity.inputs[slot] if slot < len(call.quantity.inputs) else None
            if k is None or slot in done:
                continue
            if window is None:
                return None
            if window.operand is not None:
                done.add(window.operand)
                m = call.quantity.inputs[window.operand]
                assert m is not None
                assert window.element is not None
                for i in map(int, np.flatnonzero(window.inside[j])):
                    other = int(window.element[j, i])
                    a, b = self._value(k, i), self._value(m, other)
                    terms.append(
                        Term(
                            f"{self._element(k, i)} · {self._element(m, other)}", f"{a} · {b}",
                            float(values_of(self._all[k].value).flat[i]) * float(window.factors[j, i]),
                            [(k, "value", i), (m, "value", other)],
                        )
                    )  # fmt: skip
            elif window.fixed or _is_routing(window.factors):
                for i in map(int, np.flatnonzero(window.factors[j])):
                    factor = float(window.factors[j, i])
                    terms.append(
                        Term(
                            product_text(self._factor(factor), self._element(k, i)),
                            product_text(self._factor(factor), self._value(k, i)),
                            float(values_of(self._all[k].value).flat[i]) * factor,
                            [(k, "value", i)],
                        )
                    )  # fmt: skip
            else:
                return None
        return terms or None

    def _outside(self, call: Call, j: int) -> str:
        """How many cells of a window lie in the padding."""
        window = call.windows.get(0)
        if window is None or not np.any(call.node.attributes.get("padding", 0)):
            return ""
        counts = window.inside.sum(1)
        size = call.kernel_elements() or int(counts.max())
        missing = size - int(counts[j])
        return f"{missing} of the {size} cells of this window are padding." if missing > 0 else ""

    # --- Backward ---

    def _backward(self, arrival: Arrival) -> list[Line] | None:
        call, target = self._calls[arrival.source], self._all[arrival.target]
        source = self._all[arrival.source]
        large = target.size > MAX_ELEMENTS or source.size > MAX_ELEMENTS
        if call is None or large or arrival.incoming is None:
            return None
        g = arrival.incoming.ravel()
        before = np.zeros(g.shape) if source.gradient is None else source.gradient.ravel()
        hooked = (
            ""
            if np.array_equal(g, before, equal_nan=True)
            else f" A hook changed ∂{self._symbol}/∂{source.name}."
        )
        parts = arrival.gradient.ravel()
        through = f" through {source.name}" if self._parts[arrival.target] > 1 else ""
        found = self._by_formula(call, arrival, g, parts)
        if found is None:
            found = self._by_window(call, arrival, g)
        if found is None:
            return None
        for i, line in enumerate(found):
            line.left = self.slope(arrival.target, i) + through
            line.value = float(parts[i])
            line.note = (line.note + hooked).strip()
            if arrival.hooked is not None:
                line.note += f" A hook makes it {self.number(arrival.hooked.flat[i])}."
        return found

    def _by_formula(
        self, call: Call, arrival: Arrival, g: Array, parts: Array
    ) -> list[Line] | None:
        formula = call.gradient_formula(arrival.slot)
        places = call.places[arrival.slot]
        if formula is None or places is None:
            return None
        lines = []
        for i, part in enumerate(parts):
            terms, reason = [], ""
            users = np.flatnonzero(places == i)
            for j in map(int, users):
                symbols = self._names(call, j) | {"g": self.slope(arrival.source, j)}
                values = call.values(j) | {"g": float(g[j])}
                case = formula.case(values)
                chosen = formula.pieces[case][0]
                numbers = self._numbers(chosen, values)
                value = chosen.value(values)
                if np.isnan(value) and len(users) == 1:  # of a function that has no number here
                    value = float(part)
                lit: list[Lit] = [(arrival.source, "gradient", int(j))]
                written = formula.text(symbols)
                for k, at in call.used():
                    name = "" if at is None else self._element(k, at[j])
                    if at is not None and name and name in written.replace(symbols["g"], ""):
                        lit.append((k, "value", at[j]))
                terms.append(Term(written, chosen.write(numbers), value, lit))
                reason = formula.reason(case, numbers) if " where " in written else ""
            if not np.isclose(
                sum(t.value for t in terms), part, rtol=call.tolerance, atol=1e-6, equal_nan=True
            ):
                return None  # the docstring speaks of something else
            lines.append(Line("", terms, 0.0, reason if len(terms) == 1 else ""))
        return lines

    def _by_window(self, call: Call, arrival: Arrival, g: Array) -> list[Line] | None:
        window = call.windows.get(arrival.slot)
        if window is None:
            return None
        lines = []
        for i in range(window.factors.shape[1]):
            users = np.flatnonzero(
                window.factors[:, i] if window.operand is None else window.inside[:, i]
            )
            terms = [self._factor_term(call, arrival, window, int(j), i, g) for j in users]
            line = Line("", terms, 0.0)
            near = np.flatnonzero(window.inside[:, i])
            line.faint = [(arrival.source, "gradient", int(j)) for j in near if j not in users]
            if call.node.op.name.startswith("max_pool"):  # the elements that it was compared with
                compared = np.flatnonzero(window.inside[near].any(0))
                line.faint += [(arrival.target, "value", int(k)) for k in compared if k != i]
            name = self._element(arrival.target, i)
            if len(near) and not terms and call.node.op.name.startswith("max_pool"):
                line.note = (
                    f"{name} is not the first maximum of a window: no gradient flows through it."
                )
            elif not terms:
                line.note = f"No element of {self._all[arrival.source].name} depends on {name}."
            lines.append(line)
        return lines

    def _factor_term(
        self, call: Call, arrival: Arrival, window: Window, j: int, i: int, g: Array
    ) -> Term:
        factor, slope, number = (
            window.factors[j, i],
            self.slope(arrival.source, j),
            self.number(g[j]),
        )
        lit: list[Lit] = [(arrival.source, "gradient", j)]
        y, x = self._element(arrival.source, j), self._element(arrival.target, i)
        if window.operand is not None and window.element is not None:
            m, other = call.quantity.inputs[window.operand], int(window.element[j, i])
            assert m is not None
            symbols, numbers = self._element(m, other), self._value(m, other)
            lit.append((m, "value", other))
            return Term(f"{symbols} · {slope}", f"{numbers} · {number}", float(factor * g[j]), lit)
        if window.fixed or _is_routing(window.factors):
            symbols = numbers = self._factor(factor)
        elif (own := self._softmax_factor(call, factor, j, i)) is not None:
            symbols, numbers = own
            lit += [(arrival.source, "value", at) for at in {i, j}]
        elif self._all[arrival.source].name == self._symbol:  # ∂L/∂x of this op alone is a number
            symbols = numbers = self._factor(factor)
        else:
            symbols, numbers = f"∂{y}/∂{x}", self.number(factor)
        return Term(
            product_text(symbols, slope), product_text(numbers, number), float(factor * g[j]), lit
        )

    def _softmax_factor(self, call: Call, factor: float, j: int, i: int) -> tuple[str, str] | None:
        """y (1 − y) or −y y of the softmax."""
        if call.node.op.name != "softmax" or call.quantity.value is None:
            return None
        at = next(k for k, q in enumerate(self._all) if q is call.quantity)
        y = values_of(call.quantity.value).ravel()
        if not np.isclose(factor, y[j] * ((i == j) - y[i]), rtol=call.tolerance, atol=1e-9):
            return None
        texts = []
        for f in (self._element, self._value):
            a, b = f(at, j), f(at, i)
            texts.append(f"{a} · (1 − {b})" if i == j else f"−{a} · {b}")
        return texts[0], texts[1]

    # --- Names and numbers of a call ---

    def _names(self, call: Call, j: int) -> dict[str, str]:
        names = {
            name: self.number(float(value)) if isinstance(value, (int, float)) else str(value)
            for name, value in call.node.attributes.items()
        }
        for (slot, k), at in zip(call.slots(), call.slot_places(), strict=True):
            names[call.inputs[slot]] = self._element(k, 0 if at is None else at[j])
        names["y"] = self._element(call.at, j)
        return names

    def _numbers(self, expression: Expression, values: Mapping[str, Any]) -> dict[str, str]:
        """The values as text: with so many digits that the expression gives its value with them."""
        exact = expression.value(values)
        digits = self._digits
        while digits < MAX_DIGITS:
            short = {
                name: float(f"{value:.{digits}g}") if isinstance(value, float) else value
                for name, value in values.items()
            }
            close = abs(expression.value(short) - exact) <= 10.0 ** (1 - self._digits) * abs(exact)
            if close or not np.isfinite(exact):
                break
            digits += 1
        names = defaultdict(lambda: "?")
        for name, value in values.items():
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            names[name] = number_text(float(value), digits) if is_number else str(value)
        return names

    def _factor(self, factor: float) -> str:
        """A factor that depends on no value: 1/4 for 0.25."""
        nearest = Fraction(factor).limit_denominator(100)
        if abs(float(nearest) - factor) <= 1e-6 * abs(factor):
            return str(nearest).replace("-", "−")
        return self.number(factor)


def _is_routing(factors: Array) -> bool:
    """Whether each element passes as a whole or not at all."""
    return bool(np.isin(factors, (0.0, 1.0)).all())


def _slack(value: float, terms: Sequence[Term]) -> float:
    return 1e-4 * (abs(value) + sum(abs(t.value) for t in terms)) + 1e-9
