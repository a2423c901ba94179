"""Formulas: the derivation in an op's docstring, as text with a user's names or with numbers.

The docstring of an op holds its mathematics: `y = a · b        ā = ȳ · b        b̄ = ȳ · a`. ȳ is the
gradient of the output, ā the gradient of the input a. `formulas_of` reads the formulas that are
arithmetic of scalars; for others (sums, moved elements) it returns nothing.

    formula   = piece {", " piece} [", else " sum],   piece = sum ["where" condition]
    condition = ["not"] name "holds" | ["not"] sum {("<" | "≤" | ">" | "≥" | "=") sum}
    sum       = term {("+" | "−") term},   term = factor {("·" | "/") factor}
    factor    = "−" factor | power {power},   power = atom [superscript | "^" exponent]

Factors without a sign between them bind tighter than "·" and "/": ȳ / 2y is ȳ / (2y). A letter stands
for the input or attribute that begins with it (w: weight), α, β, δ for alpha, beta, delta. After the
formula there may be a comma, a colon or a full stop, and words.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .arithmetic import FUNCTIONS, Condition, Expression, Formula

BAR = "\u0304"  # the combining macron: x̄ is x and this
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵃᵇʳˣʸᶻⁿ", "0123456789−+abrxyzn")
GREEK = {"α": "alpha", "β": "beta", "δ": "delta", "ε": "eps"}
COMPARISONS = "<≤>≥="
CONSTANTS = ("π", "e")
STATEMENT = re.compile(rf"(?:^|(?<=\s)|(?<=, ))(\w′?{BAR}?) = (?=(.*?)(?:\s{{3,}}|\n|$))", re.M)
AFTER = re.compile(r"\s*([,.:;]|$)")
LEXEME = re.compile(
    rf"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵃᵇʳˣʸᶻⁿ]+)|(?P<bar>\w{BAR})"
    rf"|(?P<word>[A-Za-z_][A-Za-z_0-9]*[₀-₉]*′?|[Ͱ-Ͽ]′?)|(?P<quoted>\"\w+\")|(?P<sign>[^\s\w]))"
)


class _Unreadable(Exception):
    """The text is no formula of scalars."""


@dataclass(frozen=True)
class Formulas:
    """The formulas of an op: its output, and the gradient of each input that has one."""

    output: Formula | None
    gradients: Mapping[str, Formula]


def formulas_of(text: str, inputs: Sequence[str], attributes: Sequence[str] = ()) -> Formulas:
    """The formulas in the docstring of an op with these inputs and attributes.

    >>> found = formulas_of("y = a / b        ā = ȳ / b        b̄ = −ȳ · a / b²", ("a", "b"))
    >>> found.output.text({"a": "u", "b": "v"})
    'u / v'
    >>> found.gradients["b"].text({"a": "−3", "b": "2", "g": "5"})
    '−5 · −3 / 2²'
    """
    return _read(text, tuple(inputs), tuple(attributes))


@functools.cache
def _read(text: str, inputs: tuple[str, ...], attributes: tuple[str, ...]) -> Formulas:
    text = unicodedata.normalize("NFD", text)
    statements = [(m[1], m[2]) for m in STATEMENT.finditer(text)]
    known = {"y": "y"} | {name: name for name in (*inputs, *attributes)}
    for letter in (chr(c) for c in range(ord("a"), ord("z") + 1)):
        begun = [name for name in (*inputs, *attributes) if name.startswith(letter)]
        if len(begun) == 1:
            known.setdefault(letter, begun[0])
    known |= {letter: name for letter, name in GREEK.items() if name in attributes}
    output: Formula | None = None
    gradients: dict[str, Formula] = {}
    defined: dict[str, Expression] = {}
    for name, right in reversed(statements):  # what a formula uses is defined after it
        try:
            while (chained := re.match(rf"\w{BAR} = ", right)) is not None:
                right = right[chained.end() :]
            formula = _Parser(right, known, defined).formula()
        except _Unreadable:
            continue
        if name == "y":
            output = formula
        elif name.endswith(BAR):
            if known.get(name[0]) in inputs:
                gradients[known[name[0]]] = formula.with_gradient_last()
        elif name not in known and formula.plain:
            defined[name] = formula.pieces[0][0]
    return Formulas(output, gradients)


class _Parser:
    """A recursive-descent parser of the grammar above."""

    def __init__(
        self, text: str, known: Mapping[str, str], defined: Mapping[str, Expression]
    ) -> None:
        self._text, self._known, self._defined = text, known, defined
        self._lexemes = list(self._split(text))
        self._at = 0
        self._bars = 0  # how many |...| are open

    def _split(self, text: str) -> Iterator[tuple[str, str, int]]:
        """Kind, text and end of each lexeme. A word is a known name, or known letters in a row."""
        at = 0
        while at < len(text):
            match = LEXEME.match(text, at)
            if match is None:
                return
            kind, word, at = str(match.lastgroup), match[str(match.lastgroup)], match.end()
            if kind == "word" and not self._meaning(word) and all(map(self._meaning, word)):
                start = at - len(word)
                yield from (("word", letter, start + k) for k, letter in enumerate(word, 1))
            else:
                yield kind, word, at

    def _meaning(self, word: str) -> bool:
        return word in self._known or word in self._defined or word in (*FUNCTIONS, *CONSTANTS)

    # --- Lexemes ---

    def _peek(self) -> tuple[str, str]:
        return self._lexemes[self._at][:2] if self._at < len(self._lexemes) else ("end", "")

    def _take(self, *words: str) -> bool:
        """Skip the next lexemes if they are these."""
        ahead = self._lexemes[self._at : self._at + len(words)]
        if [word for _, word, _ in ahead] != list(words):
            return False
        self._at += len(words)
        return True

    def _want(self, word: str) -> None:
        if not self._take(word):
            raise _Unreadable

    # --- The grammar ---

    def formula(self) -> Formula:
        """The formula at the start of the text; _Unreadable if there is none."""
        pieces: list[tuple[Expression, Condition | None]] = []
        value = self._sum()
        end = self._at
        while self._take("where"):
            pieces.append((value, self._condition()))
            if self._take(",", "else"):
                pieces.append((self._sum(), None))
                end = self._at
                break
            self._want(",")
            value = self._sum()
        else:
            if pieces:
                raise _Unreadable  # the last piece is for all other cases
            pieces.append((value, None))
        rest = self._text[self._lexemes[end - 1][2] :]
        if not AFTER.match(rest) or rest.lstrip().startswith(", where"):
            raise _Unreadable
        return Formula(tuple(pieces))

    def _condition(self) -> Condition:
        negated = self._take("not")
        if self._peek()[0] == "word" and self._lexemes[self._at + 1 : self._at + 2]:
            name = self._peek()[1]
            if self._lexemes[self._at + 1][1] == "holds" and name in self._known:
                self._at += 2
                return Condition((Expression("name", text=self._known[name]),), (), negated)
        terms, signs = [self._sum()], []
        while self._peek()[1] and self._peek()[1] in COMPARISONS:
            signs.append(self._peek()[1])
            self._at += 1
            terms.append(self._quoted() or self._sum())
        if not signs:
            raise _Unreadable
        return Condition(tuple(terms), tuple(signs), negated)

    def _quoted(self) -> Expression | None:
        kind, word = self._peek()
        if kind != "quoted":
            return None
        self._at += 1
        return Expression("quoted", text=word[1:-1])

    def _chain(self, part: Callable[[], Expression], signs: Mapping[str, str]) -> Expression:
        value = part()
        while (sign := self._peek()[1]) in signs:
            self._at += 1
            value = Expression(signs[sign], (value, part()))
        return value

    def _sum(self) -> Expression:
        return self._chain(self._term, {"+": "add", "−": "sub"})

    def _term(self) -> Expression:
        return self._chain(self._factor, {"·": "mul", "/": "div"})

    def _factor(self) -> Expression:
        if self._take("−"):
            return Expression("neg", (self._factor(),))
        value = self._power()
        while self._starts_atom():
            value = Expression("mul", (value, self._power()))
        return value

    def _starts_atom(self) -> bool:
        kind, word = self._peek()
        if kind == "word":
            return self._meaning(word)
        return (
            kind in ("number", "bar") or word in ("(", "√", "⌊") or (word == "|" and not self._bars)
        )

    def _power(self) -> Expression:
        value = self._atom()
        kind, word = self._peek()
        if kind == "raised":
            self._at += 1
            raised = _Parser(word.translate(RAISED), self._known, self._defined)
            return Expression("pow", (value, raised._whole()))
        if self._take("^"):
            if self._take("{"):
                exponent = self._sum()
                self._want("}")
            elif self._take("−"):
                exponent = Expression("neg", (self._power(),))
            else:
                exponent = self._power()
            return Expression("pow", (value, exponent))
        return value

    def _whole(self) -> Expression:
        value = self._sum()
        if self._peek()[0] != "end":
            raise _Unreadable
        return value

    def _atom(self) -> Expression:
        kind, word = self._peek()
        self._at += 1
        if kind == "number":
            return Expression("number", text=word)
        if kind == "bar" and word == "y" + BAR:
            return Expression("name", text="g")
        if (
            kind == "word"
            and word in FUNCTIONS
            and not (word in self._known and self._peek()[1] != "(")
        ):
            if self._take("("):
                arguments = [self._sum()]
                while self._take(","):
                    arguments.append(self._sum())
                self._want(")")
                return Expression("call", tuple(arguments), word)
            return Expression("call", (self._power(),), word)
        if kind == "word" and word in self._known:
            return Expression("name", text=self._known[word])
        if kind == "word" and word in self._defined:
            return self._defined[word]
        if kind == "word" and word in CONSTANTS:
            return Expression("constant", text=word)
        if word == "(":
            value = self._sum()
            self._want(")")
            return value
        if word == "√":
            return Expression("call", (self._atom(),), "√")
        if word == "|":
            self._bars += 1
            value = self._sum()
            self._bars -= 1
            self._want("|")
            return Expression("call", (value,), "|")
        if word == "⌊":
            value = self._sum()
            self._want("⌋")
            return Expression("call", (value,), "⌊")
        raise _Unreadable
