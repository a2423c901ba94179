"""Write the stubs: `python -m tests.typing.stubs` (`--check` only compares).

Annotations stand in the code where they can. Where they cannot, because the names come from a table
(methods of Tensor) or because a function has several signatures (`max`, `where`, `zeros`), a stub shows
every overload that PyTorch has, from `tests/conformance/recorded/signatures.json`.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TABLE = json.loads((ROOT / "tests/conformance/recorded/signatures.json").read_text())
NAMES = {  # what the table's types are called here
    "dtype": "DType", "numpy.ndarray": "np.ndarray", "torch.memory_format": "memory_format",
    "_device": "device", "torch.int | torch.SymFloat": "int | float", "-> list": "-> list[Any]",
}  # fmt: skip
HEAD = '''"""{doc}"""

# Written by `python -m tests.typing.stubs`.

'''
IMPORTS = """
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from {up}engine import Recorded
from {up}metadata import Size, device, memory_format
from {up}random import Generator
from {up}tensor import Tensor
from {up}types import Device, DType, Ints, Number
"""


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
    package = ROOT / "tinygrad_cnn"
    return {
        package / "functions" / "__init__.pyi": formatted(functions()),
        package / "methods.pyi": formatted(methods()),
    }


def formatted(text: str) -> str:
    """As ruff formats it, without the imports that are not used."""
    for command in (
        ["check", "--select", "F401,I", "--fix", "-q", "--exit-zero"],
        ["format", "-q"],
    ):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", "stub.pyi", "-"],
            input=text, capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        text = run.stdout
    return text


# --- Functions ------------------------------------------------------------------------------------


def functions() -> str:
    """The stub of `tinygrad_cnn.functions`: what each of its modules lists in `__all__`."""
    room = importlib.import_module("tinygrad_cnn.functions")
    lines = [HEAD.format(doc=inspect.getdoc(room)), IMPORTS.format(up="..")]
    lines += [f"from .{name} import {name_of}" for name, name_of in result_classes()]
    for name in sorted(n for n in vars(room) if hasattr(getattr(room, n), "edge")):
        lines.append(definition(name, getattr(room, name), TABLE.get(f"torch.{name}", {})))
    return "\n".join(lines)


def result_classes() -> list[tuple[str, str]]:
    """(module, name) of the classes of results with names."""
    arguments = importlib.import_module("tinygrad_cnn.functions.arguments")
    return [
        (cls.__module__.rpartition(".")[2], cls.__name__)
        for cls in arguments.Results.__subclasses__()
    ]


def definition(name: str, function: Any, row: dict[str, Any], method: bool = False) -> str:
    """The stub of one function: of the overloads in the table if it has several, else as it is."""
    overloads = (
        [["self", *o] for o in row.get("overloads", [])] if method else row.get("overloads", [])
    )
    if (len(overloads) < 2 and hasattr(function, "__wrapped__")) or not overloads:
        return f"def {name}{source_signature(function)}: ..."
    mark = "@overload\n" if len(overloads) > 1 else ""
    return "\n".join(f"{mark}def {name}{signature_text(o)}: ..." for o in overloads)


def source_signature(function: Any) -> str:
    """The signature as it stands in the code, where annotations are texts."""
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


def signature_text(overload: list[str]) -> str:
    """An overload of the table as Python writes it."""
    *parameters, result = overload
    return renamed(f"({', '.join(parameters)}) {result}")


def renamed(text: str) -> str:
    """With the names that types have here."""
    for theirs, ours in NAMES.items():
        text = re.sub(rf"(?<![\w.]){re.escape(theirs)}(?!\w)", ours, text)
    return text


# --- Methods of Tensor ----------------------------------------------------------------------------


def methods() -> str:
    """The stub of `tinygrad_cnn.methods`."""
    room = importlib.import_module("tinygrad_cnn.methods")
    lines = [HEAD.format(doc=inspect.getdoc(room)), IMPORTS.format(up=".")]
    lines.append("class Methods(Recorded):")
    for name, method in members(room.Methods):
        if isinstance(method, property):
            lines.append(f"    @property\n    def {name}(self) -> Tensor: ...")
            continue
        row = TABLE.get(f"torch.Tensor.{name}", {})
        text = definition(name, method, row, method=True)
        lines += [f"    {line}" for line in text.splitlines()]
    return "\n".join(lines)


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """What a class defines, by name: methods, then operators."""
    own = {n: m for n, m in vars(cls).items() if n not in ("__module__", "__doc__", "__slots__")}
    plain = sorted(n for n in own if not n.startswith("_"))
    yield from ((n, own[n]) for n in (*plain, *sorted(n for n in own if n.startswith("__"))))


if __name__ == "__main__":
    main()
