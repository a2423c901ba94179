"""Write the stubs: `python -m tests.typing.stubs` (`--check` only compares).

Most annotations are in the code. Two kinds of signatures need stubs:

- Functions with several signatures in PyTorch and one in the code. The stubs
  `functions/__init__.pyi` and `creation/__init__.pyi` show each signature, from the recorded table
  `tests/conformance/recorded/signatures.json`.
- The methods of Tensor that come from tables of names. `methods.pyi` shows them.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tinygrad_cnn"
TABLE = json.loads((ROOT / "tests/conformance/recorded/signatures.json").read_text())
NAMES = {  # the names of types in the table, and here
    ": dtype": ": DType", "torch.memory_format": "MemoryFormat",
    "return_types.max": "MaxResult", "return_types.min": "MinResult",
    "return_types.median": "MedianResult", "return_types.sort": "SortResult",
    "return_types.topk": "TopkResult", "return_types.mode": "ModeResult",
    "return_types.kthvalue": "KthvalueResult", "return_types.aminmax": "AminmaxResult",
    "Tensor | Sequence[Tensor] = None": "Sequence[Tensor] | None = None",
    "requires_grad: bool | None": "requires_grad: bool",
}  # fmt: skip
HEAD = '''"""{doc}"""

# Written by `python -m tests.typing.stubs`.

from collections.abc import Sequence
from types import EllipsisType
from typing import Any, Literal, Self, TypeGuard, overload

import numpy as np

from {up}dtypes import dtype
from {up}engine import Recorded
from {up}functions.results import (
    AminmaxResult, KthvalueResult, MaxResult, MedianResult, MinResult, ModeResult, SlogdetResult,
    SortResult, TopkResult
)
from {up}metadata import Size, device, layout, memory_format
from {up}random import Generator
from {up}tensor import Tensor
from {up}types import Device, DType, Ints, Layout, MemoryFormat, Number
'''
SHARED = ("layout", "pin_memory")  # parameters of functions that make Tensors
UNARY = "(self) -> Tensor"
BINARY = "(self, other: Tensor | Number, /) -> Tensor"
BITS = "(self, other: Tensor | int) -> Tensor"
ANY_OPERAND = "(self, other: object) -> Tensor"  # as in `object`, except for the result
OPERATORS = {
    **dict.fromkeys(["neg", "abs", "invert", "pos"], UNARY),
    **dict.fromkeys(["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "radd", "rsub", "rmul",
                     "rtruediv", "rfloordiv", "rmod", "rpow", "lt", "le", "gt", "ge"], BINARY),
    **dict.fromkeys(["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow"],
                    BINARY.replace("-> Tensor", "-> Self")),
    **dict.fromkeys(["and", "or", "xor", "rand", "ror", "rxor"], BITS),
    **dict.fromkeys(["iand", "ior", "ixor"], BITS.replace("-> Tensor", "-> Self")),
    "matmul": "(self, other: Tensor) -> Tensor",
    "eq": ANY_OPERAND, "ne": ANY_OPERAND, "hash": "(self) -> int",
}  # fmt: skip


def main() -> None:
    """Write all stubs, or compare them."""
    words = argparse.ArgumentParser(prog="python -m tests.typing.stubs", description=__doc__)
    words.add_argument("--check", action="store_true", help="fail if a stub is not as it would be")
    check = words.parse_args().check
    stale = []
    for path, text in stubs().items():
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(str(path.relative_to(ROOT)))
    if stale:
        sys.exit(f"stale: {', '.join(stale)}; run python -m tests.typing.stubs")


def stubs() -> dict[Path, str]:
    """The text of each stub."""
    texts = {f"{room}/__init__.pyi": functions(room) for room in ("functions", "creation")}
    texts["methods.pyi"] = methods()
    return {PACKAGE / name: formatted(text) for name, text in texts.items()}


def formatted(text: str) -> str:
    """The text as formatted by ruff, without unused imports."""
    for command in (
        ["check", "--select", "F401,I,RUF022", "--fix", "-q", "--exit-zero"],
        ["format", "-q"],
    ):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", "stub.pyi", "-"],
            input=text, capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
        if run.returncode:
            sys.exit(f"ruff {command[0]}: {run.stderr}")
        text = run.stdout
    return text


# --- Functions ------------------------------------------------------------------------------------


def functions(name: str) -> str:
    """The stub of a room of functions: all names in `__all__` of its modules."""
    room = importlib.import_module(f"tinygrad_cnn.{name}")
    later = [n for names in getattr(room, "LATER", {}).values() for n in names]
    public = sorted([*room.__all__, *later])
    lines = [HEAD.format(doc=inspect.getdoc(room), up=".."), f"__all__ = {public}"]
    lines += ["LATER: dict[str, tuple[str, ...]]"] * bool(later)
    for function in public:
        lines += definitions(function, function_signatures(function, getattr(room, function)))
    return "\n".join(lines)


def function_signatures(name: str, function: Any) -> list[str]:
    """`(input: Tensor) -> Tensor`: of each overload in the code or in the table, or as it is."""
    return in_code(function) or in_table(f"torch.{name}", function) or [as_it_is(function)]


def definitions(name: str, signatures: list[str]) -> list[str]:
    """The stub of one function."""
    mark = "@overload\n" * (len(signatures) > 1)
    return [f"{mark}def {name}{signature}: ..." for signature in signatures]


def in_code(function: Any) -> list[str]:
    """The signatures under `@overload` beside the function."""
    function = inspect.unwrap(function)
    function = getattr(function, "function", function)  # an `Edge`
    tree = ast.parse(Path(inspect.getfile(function)).read_text())
    return [
        f"({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and node.name == function.__name__
        and any(ast.unparse(mark) == "overload" for mark in node.decorator_list)
        and node.returns
    ]


def in_table(path: str, function: Any) -> list[str]:
    """PyTorch's signatures, if it has several, without those that another one covers.

    Those with a parameter that is not here are left out. The keywords `SHARED`, which the table does
    without, are added.
    """
    parameters = inspect.signature(function).parameters
    several = {f"*{n}" for n, p in parameters.items() if p.kind is p.VAR_POSITIONAL}
    known = {"*", "from_", *parameters, *several}
    shared = [
        f"{p.name}: {p.annotation} = {p.default}" for n, p in parameters.items() if n in SHARED
    ]
    overloads = [
        [*texts, *shared, result]
        for *texts, result in TABLE.get(path, {}).get("overloads", [])
        if {t.split(":")[0] for t in texts} <= known
    ]
    overloads = [[renamed(text) for text in o] for o in overloads]
    left = [o for k, o in enumerate(overloads) if not any(
        covers(other, o) and not (covers(o, other) and j > k)
        for j, other in enumerate(overloads) if j != k
    )]  # fmt: skip
    if len(left) < 2 or any(":" not in text for o in left for text in o[:-1] if text != "*"):
        return []
    return [f"({', '.join(parameters)}) {result}" for *parameters, result in left]


def covers(wide: list[str], narrow: list[str]) -> bool:
    """Whether each call that fits the narrow signature fits the wide one, with the same result."""
    if wide[-1] != narrow[-1]:
        return False
    (ours, places), (theirs, fewer) = parts(wide), parts(narrow)
    if places[: len(fewer)] != fewer:
        return False
    for name, (kinds, optional) in ours.items():
        if name not in theirs:
            if not optional:
                return False
        elif not theirs[name][0] <= kinds or (theirs[name][1] and not optional):
            return False
    return theirs.keys() <= ours.keys()


def parts(overload: list[str]) -> tuple[dict[str, tuple[set[str], bool]], list[str]]:
    """The parameters with their types and whether they are optional; and the positional ones."""
    found: dict[str, tuple[set[str], bool]] = {}
    places: list[str] = []
    star = False
    for text in overload[:-1]:
        star = star or text == "*"
        if text != "*":
            name, _, kind = text.partition(":")
            kind, _, default = kind.partition("=")
            found[name] = ({k.strip() for k in kind.split("|")}, bool(default) or name[0] == "*")
            places += [name] * (not star)
        star = star or text[0] == "*"
    return found, places


def as_it_is(function: Any) -> str:
    """The signature in the code, where annotations are texts."""
    signature = inspect.signature(function)
    parameters = [
        p.replace(annotation=p.empty if p.name == "self" else _Text(p.annotation))
        for p in signature.parameters.values()
    ]
    returns = _Text(signature.return_annotation)
    return str(signature.replace(parameters=parameters, return_annotation=returns))


class _Text(str):
    """An annotation that prints without quotation marks."""

    def __repr__(self) -> str:
        return str(self)


def renamed(text: str) -> str:
    """The annotation with our names of types."""
    for theirs, ours in NAMES.items():
        start = "" if theirs[0] == ":" else r"(?<![\w.])"
        text = re.sub(rf"{start}{re.escape(theirs)}(?![\w.])", ours, text)
    return text


# --- Methods of Tensor ----------------------------------------------------------------------------


def methods() -> str:
    """The stub of `tinygrad_cnn.methods`: a base of Tensor."""
    room = importlib.import_module("tinygrad_cnn.methods")
    lines = [HEAD.format(doc=inspect.getdoc(room), up=".")]
    lines += [
        f"{name}: {'str' if isinstance(value, str) else 'dict[str, str]'}"
        for name, value in sorted(vars(room).items())
        if name.isupper() and name != "TYPE_CHECKING"
    ]
    lines.append("class Methods(Recorded):")
    for name in list(vars(room.Methods)):
        getattr(room.Methods, name)  # makes the ones that are made on first access
    own = {n: m for n, m in vars(room.Methods).items() if n not in ("__module__", "__doc__")}
    for name in sorted(own, key=lambda n: (n.startswith("__"), n)):
        if name == "__slots__":
            continue
        if isinstance(own[name], property):
            lines.append(f"    @property\n    def {name}(self) -> Tensor: ...")
            continue
        for text in definitions(name, method_signatures(name, own[name])):
            lines += [f"    {line}" for line in text.splitlines()]
            if name in ("__eq__", "__ne__"):
                lines[-1] += "  # type: ignore[override]"
    return "\n".join(lines)


def method_signatures(name: str, method: Any) -> list[str]:
    """The signatures of a method: of an operator, from the code, from the table, or its own."""
    if name.startswith("__"):
        return [OPERATORS[name.strip("_")]]
    from_code = [of_method(s) for s in in_code(method)] if not name.endswith("_") else []
    from_table = [s.replace("(", "(self, ", 1) for s in in_table(f"torch.Tensor.{name}", method)]
    return from_code or from_table or [as_it_is(method)]


def of_method(signature: str) -> str:
    """The signature of the method of a function: `self` comes first, and there is no `out`."""
    signature = re.sub(r"^\(\w+: Tensor", "(self", signature)
    return re.sub(r"(, \*)?, out: [^,=]*(=None| = None)?\)", ")", signature)


if __name__ == "__main__":
    main()
