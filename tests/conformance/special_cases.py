"""Calls with special operands, and what a library makes of them.

Each operand of a call (see `special_forms`) is given each kind of special value in turn, and all of
them together, while the others hold ordinary numbers.
"""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .cases import GOLDEN, flat
from .special_forms import RANDOM, forms
from .special_functional import LARGE

MARK = re.compile(r"\b([a-z])@((?:\d+\.)*\d+|)(<\d+|\?|%)?(!)?|\$(-?[\d.]*\d)")
SAMPLED = 40  # elements: of a larger result only that many are kept
Values = tuple[float, ...]


@dataclass(frozen=True)
class Operand:
    """A marked operand. `role` is x (numbers), % (numbers in [0, 1]), < (indices), ? (mask), $."""

    name: str
    role: str
    shape: tuple[int, ...] = ()
    high: int = 0
    grad: bool = True
    number: float = 0.0


@dataclass(frozen=True)
class Form:
    """A call: its text, its code and its operands."""

    text: str
    code: str
    operands: tuple[Operand, ...]

    @property
    def random(self) -> bool:
        return re.search(RANDOM, self.text) is not None


def parse(text: str) -> Form:
    """The operands that are marked in a call."""
    operands: list[Operand] = []

    def replaced(match: re.Match[str]) -> str:
        name, shape, role, constant, number = match.groups()
        if number is not None:
            name = f"s{len(operands)}"
            value = float(number) if "." in number else int(number)
            operands.append(Operand(name, "$", number=value))
            return name
        if role and role[0] == "<":
            name += str(len(operands))
        sizes = tuple(map(int, shape.split("."))) if shape else (4,)
        high = int(role[1:]) if role and role[0] == "<" else 0
        operands.append(Operand(name, role[0] if role else "x", sizes, high, not constant))
        return name

    return Form(text, MARK.sub(replaced, text), tuple(operands))


FORMS = {text: parse(text) for text in forms()}


def as_method(form: Form) -> tuple[str, Form] | None:
    """The name f of `torch.f(x, y)`, and the call `x.f(y)`; None for other calls."""
    match = re.fullmatch(r"torch\.(\w+)\(([a-z])(?:, (.*))?\)", form.code)
    if match is None or match[1] in ("where", "broadcast_tensors", "meshgrid", "normal"):
        return None
    code = f"{match[2]}.{match[1]}({match[3] or ''})"
    return match[1], Form(form.text, code, form.operands)


METHODS = {text: method for text, form in FORMS.items() if (method := as_method(form))}

# --- Kinds of values ------------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")
DTYPES = ("bool", "uint8", "int64", "float16", "float32", "float64")
SHAPES = ("0-d", "empty", "one")
MIXED = ("0-d int64", "0-d float64", "0-d bool", "empty int64", "one int64")
FILLS: dict[str, tuple[str, Values]] = {  # dtype, and the values that are repeated
    "zeros": ("float32", (0.0, -0.0)),
    "some zeros": ("float32", (0.0, 1.5, -0.0, -2.0)),
    "ties": ("float32", (1.0, 1.0, -1.0)),
    "halves": ("float32", (0.5, -1.5, 2.5, -0.5)),
    "denormal": ("float32", (1e-40, -3e-42, 2e-39)),
    "1e4": ("float16", (1e4, -1.5e4, 1.2e4)),
    "300": ("float16", (300.0, -300.0, 310.0)),
    "1e20": ("float32", (1e20, -1.5e20, 1.2e20)),
    "1e-20": ("float32", (1e-20, -1.5e-20, 1.2e-20)),
    "inf": ("float32", (0.5, INF, -1.5)),
    "-inf": ("float32", (0.5, -INF, -1.5)),
    "infs": ("float32", (INF, INF, -INF)),
    "nan": ("float32", (0.5, NAN, -1.5)),
    "int zeros": ("int64", (0, 0, 3)),
    "int large": ("int64", (2**62, -(2**62), 2**53 + 1)),
    "uint8 large": ("uint8", (255, 200, 1)),
}
NUMBERS = {
    "0": 0, "-0.0": -0.0, "True": True, "2": 2, "-1": -1, "0.5": 0.5, "nan": NAN, "inf": INF, "-inf": -INF,
    "1e20": 1e20, "2**53+1": 2**53 + 1, "2**63": 2**63, "300": 300,
}  # fmt: skip
INDICES = (
    "bool",
    "uint8",
    "int32",
    "int16",
    "float32",
    "0-d",
    "empty",
    "negative",
    "outside",
    "one",
)
MASKS = ("uint8", "int64", "float32", "0-d", "empty", "none", "one")
OF_ROLE: dict[str, tuple[str, ...]] = {
    "x": (*DTYPES, *SHAPES, *MIXED, *FILLS), "%": (*DTYPES, *SHAPES, *MIXED, *FILLS),
    "$": tuple(NUMBERS), "<": INDICES, "?": MASKS,
}  # fmt: skip
PLAIN = "plain"


def kinds(form: Form) -> Iterator[tuple[str, dict[str, str]]]:
    """(name, kind of each operand that is special) for all cases of a call."""
    yield PLAIN, {}
    tensors = [o.name for o in form.operands if o.role in "x%"]
    for operand in form.operands:
        for kind in OF_ROLE[operand.role]:
            yield f"{operand.name} {kind}", {operand.name: kind}
    if len(tensors) > 1:
        for kind in OF_ROLE["x"]:
            yield f"all {kind}", dict.fromkeys(tensors, kind)


def make(operand: Operand, kind: str) -> Any:
    """The array of an operand, or the Python number."""
    if operand.role == "$":
        return operand.number if kind == PLAIN else NUMBERS[kind]
    shape = operand.shape
    words = kind.split()
    if words[0] == "0-d":
        shape = ()
    elif words[0] == "empty":
        shape = (0, *shape[1:])
    elif words[0] == "one":
        shape = (1,) * len(shape)
    size = int(np.prod(shape))
    unit = (np.arange(1, size + 1) * GOLDEN + zlib.crc32(operand.name[:1].encode()) / 2**32) % 1.0
    if operand.role == "<":
        array = np.floor(unit * operand.high)
        if kind == "negative":
            array -= operand.high
        elif kind == "outside":
            array += operand.high
        dtype = kind if kind in INDICES[:5] else "int64"
    elif operand.role == "?":
        array = unit < (0.0 if kind == "none" else 0.6)
        dtype = kind if kind in MASKS[:3] else "bool"
    elif kind in FILLS:
        dtype, values = FILLS[kind]
        array = np.resize(np.array(values, dtype), size)
    else:
        dtype = next((word for word in words if word in DTYPES), "float32")
        floating = dtype.startswith("float")
        array = 0.03 + 0.94 * unit if operand.role == "%" else 4.0 * unit - 2.0
        if dtype == "bool":
            array = array > 0.3
        elif not floating:
            array = np.floor(100 * unit if dtype == "uint8" else 8.0 * unit - 3.0)
    return np.asarray(array, dtype).reshape(shape)


def large() -> Iterator[tuple[str, str]]:
    """(name, code) for the calls of 70,000 elements; the code makes its input by formula."""
    recipes = {
        "float16 halves": "torch.full((70000,), 0.5, dtype=torch.float16)",
        "float16 ones": "torch.ones(70000, dtype=torch.float16)",
        "float16 300": "(torch.arange(70000) % 7 * 100.0 - 300.0).half()",
        "float16 1e4": "(torch.arange(70000) % 3 * 1e4 - 1e4).half()",
        "float32 0.1": "torch.full((70000,), 0.1)",
        "float32 offset": "torch.arange(70000) % 7 + 12345.67",
    }
    for kind, recipe in recipes.items():
        for code in LARGE.split():
            yield f"{code} | {kind}", recipe


LARGE_CASES = dict(large())

# --- Outcomes -------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """`head`: the dtypes, shapes and requires_grad of results and gradients, or an error's type.

    `values`: an array for each Tensor in the head. `message` is not recorded.
    """

    head: str
    values: list[np.ndarray]
    message: str = ""


def run(
    form: Form, special: dict[str, str], torch: Any, F: Any, exact: bool = False
) -> Outcome:  # fmt: skip
    """What a library makes of a call; if `exact`, of the same numbers in float64."""
    made = {o.name: make(o, special.get(o.name, PLAIN)) for o in form.operands}
    scope: dict[str, Any] = {"torch": torch, "F": F, "put": put}
    wrt = []
    for operand in form.operands:
        value = made[operand.name]
        if isinstance(value, np.ndarray):
            number, floating = operand.role in "x%", value.dtype.kind == "f"
            value = torch.tensor(value.astype(np.float64) if exact and number else value)
            if operand.grad and floating and number:
                value.requires_grad_()
                wrt.append(value)
        scope[operand.name] = value
    return outcome(form.code, scope, wrt, form.random)


def run_large(name: str, torch: Any, F: Any, exact: bool = False) -> Outcome:
    """What a library makes of a call of 70,000 elements; if `exact`, of the same in float64."""
    scope = {"torch": torch, "F": F}
    x = eval(LARGE_CASES[name], scope)
    x = (x.double() if exact else x).requires_grad_()
    return outcome(name.partition(" | ")[0], scope | {"x": x}, [x], False)


def put(x: Any, index: Any, value: Any) -> Any:
    """A copy of x with y[index] = value."""
    y = x.clone()
    y[index] = value
    return y


def outcome(code: str, scope: dict[str, Any], wrt: list[Any], random: bool) -> Outcome:
    """What the code gives: results, their gradients by `wrt`, or the error."""
    torch = scope["torch"]
    torch.manual_seed(0)
    heads: list[str] = []
    values: list[np.ndarray] = []

    def note(x: Any) -> str:
        array = np.asarray(x.detach().numpy(force=True))
        if not random:
            values.append(sample(array))
        return f"{array.dtype.str[1:]}{list(array.shape)}".replace(" ", "")

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            outputs = list(flat(torch, eval(code, scope)))
            for y in outputs:
                if isinstance(y, torch.Tensor):
                    heads.append(note(y) + ("g" if y.requires_grad else ""))
                else:
                    heads.append(plain(y))
            recorded = [y for y in outputs if isinstance(y, torch.Tensor) and y.requires_grad]
            if recorded and wrt:
                seeds = [torch.tensor(seed(y)) for y in recorded]
                found = torch.autograd.grad(recorded, wrt, seeds, allow_unused=True)
                heads.append("|")
                heads += ["-" if g is None else note(g) for g in found]
        except Exception as error:
            kind = next(b.__name__ for b in type(error).__mro__ if b.__module__ == "builtins")
            if "not implemented for '" in str(error):  # PyTorch has no loop for this dtype
                kind += ":dtype"
            return Outcome(("grad " if heads else "") + kind, [], str(error)[:300])
    return Outcome(" ".join(heads), values)


def seed(y: Any) -> np.ndarray:
    """The cotangent of an output: signed, from 0.25 to 1.25 in size, the same in every dtype."""
    a = y.detach().numpy()
    k = np.arange(a.size)
    rounded = ((0.25 + (k * GOLDEN) % 1.0) * (1 - 2 * (k % 2))).astype(np.float16)
    return rounded.astype(a.dtype).reshape(a.shape)


def sample(array: np.ndarray) -> np.ndarray:
    """The elements, or `SAMPLED` of them where there are more."""
    row = array.reshape(-1)
    return np.array(row if row.size <= SAMPLED else row[:: -(-row.size // SAMPLED)])


def plain(y: Any) -> str:
    """A result that is no Tensor, as text."""
    if isinstance(y, float):
        return f"{y:.4g}"
    return str(y).replace("torch.", "").replace("Size(", "").replace(")", "").replace(" ", "")
