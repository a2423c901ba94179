"""What a script for PyTorch needs that is not here: `python -m tinygrad_cnn.port PATH ..`.

Lists the names of PyTorch that a script, or the scripts of a folder, use and that are missing here: with
their lines, and with hints. `--write` rewrites the imports. The exit code is 1 if something is missing,
and 2 if a file cannot be read.

    $ python -m tinygrad_cnn.port train.py
    train.py:3: torch.fft is missing: compute it with `numpy.fft` on `x.numpy()`, without gradients ...
    train.py: 1 of 24 names of PyTorch is missing

The names are found by the imports: `import torch.nn as nn`, `from torch import optim`, `F = torch.nn.functional`.
Methods of Tensors "may be" missing: nothing in a script says which values are Tensors. These, and
extras to install, do not change the exit code.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import importlib
import os
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from .compat.missing import ROOT, hint, hints
from .serialization.writing import write as write_file
from .tensor import Tensor

_TENSOR_NAMES = Path(__file__).parent / "compat" / "tensor_names.txt"
_VISION = {"torchvision.datasets": "utils.datasets", "torchvision.transforms": "utils.transforms"}
_OTHERS = ("torchvision", "torchaudio", "torchtext", "torchdata", "torchmetrics")
_SKIPPED = ("__pycache__", "node_modules", "site-packages", "build", "dist", "venv")


class Use(NamedTuple):
    """A name of PyTorch in a script."""

    name: str  # torch.nn.Linear
    line: int


class Verdict(NamedTuple):
    """What is to be said of a name: that it "is missing", "may be missing", "is not supported" ..."""

    name: str
    kind: str
    hint: str


# --- The names of a script ----------------------------------------------------------------------


def ours(name: str) -> str | None:
    """The path inside this package of a dotted name of PyTorch; None for one of another package.

    >>> ours("torch.nn.Linear"), ours("torchvision.transforms.ToTensor"), ours("torchvision.models")
    ('nn.Linear', 'utils.transforms.ToTensor', 'torchvision.models')
    """
    root, _, rest = name.partition(".")
    if root in ("torch", ROOT):
        return rest
    for theirs, path in _VISION.items():
        if name == theirs or name.startswith(f"{theirs}."):
            return path + name.removeprefix(theirs)
    return name if root in _OTHERS else None


class _Names(ast.NodeVisitor):
    """Collects the uses of a tree. Local variables that hide an import are left out."""

    def __init__(self, tree: ast.Module):
        self.uses: list[Use] = []
        self.methods: list[Use] = []
        self.aliases: dict[str, str] = {}
        self._hidden: list[set[str]] = []  # by the functions around
        self._assigned: set[str] = set()
        stars = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._module(alias.name, node.lineno)
                    if ours(alias.name) is not None:
                        whole = alias.name if alias.asname else alias.name.partition(".")[0]
                        self.aliases[alias.asname or whole] = whole
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                self._module(node.module, node.lineno)
                for alias in node.names if ours(node.module) is not None else ():
                    if alias.name == "*":
                        stars.append(node.module)
                        continue
                    self.aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                    self.uses.append(Use(f"{node.module}.{alias.name}", alias.lineno))
        for node in ast.walk(tree):  # F = torch.nn.functional
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = self._dotted(node.value)
                if name and isinstance(_found(ours(name) or ""), ModuleType):
                    self.aliases.setdefault(node.targets[0].id, name)
                    self._assigned.add(node.targets[0].id)
        self._of_stars(tree, stars)
        self.visit(tree)

    def _module(self, name: str, line: int) -> None:
        if ours(name) and name not in _OTHERS:
            self.uses.append(Use(name, line))

    def _of_stars(self, tree: ast.Module, stars: list[str]) -> None:
        """Names that only `from torch.nn import *` can have given."""
        bound = {*vars(builtins), *self.aliases, *_bound(tree)}
        for node in ast.walk(tree) if stars else ():
            if isinstance(node, ast.Name) and node.id not in bound:
                for module in stars:
                    path = f"{ours(module)}.{node.id}".lstrip(".")
                    if _found(path) is not None or hint(path):
                        self.uses.append(Use(f"{module}.{node.id}", node.lineno))

    def _dotted(self, node: ast.AST) -> str | None:
        """The full name of `a.b.c`, if `a` is imported from PyTorch."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or any(node.id in names for names in self._hidden):
            return None
        start = self.aliases.get(node.id)
        return None if start is None else ".".join([start, *reversed(parts)])

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self._dotted(node)
        if name is None:
            self.methods.append(Use(node.attr, node.end_lineno or node.lineno))
            self.visit(node.value)
        elif isinstance(node.ctx, ast.Store):  # an attribute of a module may be set
            self.uses.append(Use(name.rpartition(".")[0], node.lineno))
        else:
            self.uses.append(Use(name, node.lineno))

    def _visit_scope(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        for outside in (*getattr(node, "decorator_list", ()), node.args):
            self.visit(outside)
        self._hidden.append(_bound(node) - _globals(node) - self._assigned)
        for inner in node.body if isinstance(node.body, list) else [node.body]:
            self.visit(inner)
        self._hidden.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _visit_scope


def _bound(tree: ast.AST) -> set[str]:
    """The names that a tree binds, but not by imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node is not tree:
            names.add(node.name)
    return names


def _globals(tree: ast.AST) -> set[str]:
    return {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}


# --- What is here -------------------------------------------------------------------------------


def verdict(name: str) -> Verdict | None:
    """What is to be said of a dotted name of PyTorch; None if it is here.

    >>> verdict("torch.nn.Linear"), verdict("torch.fft.rfft").kind
    (None, 'is missing')
    """
    path = ours(name) or ""
    if path.partition(".")[0] in _OTHERS:
        return Verdict(".".join(path.split(".")[:2]), "is missing", hint(path) or "")
    parts = path.split(".") if path else []
    value: object = importlib.import_module(ROOT)
    for depth, part in enumerate(parts, 1):
        here = ".".join(parts[:depth])
        if not isinstance(value, ModuleType) and value is not Tensor:
            break
        try:
            value = getattr(value, part)
        except AttributeError:
            lost = Verdict(_of_pytorch(name, len(parts) - depth), "is missing", hint(here) or "")
            try:
                value = importlib.import_module(f"{ROOT}.{here}")
            except ModuleNotFoundError as error:
                return _needs(name, error) or lost
        except ModuleNotFoundError as error:
            return _needs(name, error)
        if f"!{here}" in hints():
            return Verdict(name, "is not supported", hint(here) or "")
    return None


def _needs(name: str, error: ModuleNotFoundError) -> Verdict | None:
    """A module that is here, but needs an extra."""
    _, found, command = str(error).partition("pip install ")
    return Verdict(name, "needs", f"pip install {command}") if found else None


def _of_pytorch(name: str, fewer: int) -> str:
    return name.rsplit(".", fewer)[0] if fewer else name


def _found(path: str) -> object:
    """What a path inside this package leads to; None if that is nothing."""
    value: object = importlib.import_module(ROOT)
    for part in path.split(".") if path else ():
        value = getattr(value, part, None)
    return value


def _methods() -> set[str]:
    """Missing methods of Tensors whose names other objects hardly have."""
    words = _TENSOR_NAMES.read_text(encoding="utf-8").split()
    return {word for word in words if "_" in word.strip("_") and not hasattr(Tensor, word)}


def check(source: str) -> tuple[int, list[tuple[Verdict, list[int]]]]:
    """The number of names of PyTorch in a script, and the verdicts with their lines.

    SyntaxError for a source that is not Python.

    >>> check("import torch\\ny = torch.fft.rfft(x)\\n")[1][0][1]
    [2]
    """
    names = _Names(ast.parse(source))
    found: dict[Verdict, list[int]] = {}
    for name, line in names.uses:
        said = verdict(name)
        if said is not None and line not in found.setdefault(said, []):
            found[said].append(line)
    absent = _methods() if names.aliases else set()
    for name, line in names.methods:
        if name in absent:
            said = Verdict(f"Tensor.{name}", "may be missing", hint(f"Tensor.{name}") or "")
            found.setdefault(said, []).append(line)
    rows = sorted(found.items(), key=lambda row: row[1])
    return len({use.name for use in names.uses}), rows


# --- Imports ------------------------------------------------------------------------------------


def rewrite(source: str) -> str:
    """The script with imports of this package instead of PyTorch, and nothing else changed.

    >>> print(rewrite("import torch.nn as nn\\nfrom torchvision import datasets, models\\n"), end="")
    import tinygrad_cnn.nn as nn
    from tinygrad_cnn.utils import datasets; from torchvision import models
    """
    lines = source.encode().splitlines(keepends=True)
    changes: list[tuple[Any, bytes]] = []  # a node with its place, and its new text
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            changes += [(a, new.encode()) for a in node.names if (new := _imported(a))]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            changes += _imported_from(node, lines)
    for where, text in sorted(changes, key=lambda c: (c[0].lineno, c[0].col_offset), reverse=True):
        first, last = where.lineno - 1, where.end_lineno - 1
        end = lines[last][where.end_col_offset :]
        lines[first : last + 1] = [lines[first][: where.col_offset] + text + end]
    return b"".join(lines).decode()


def _imported(alias: ast.alias) -> str | None:
    """`torch.nn as nn` with this package; None for another one."""
    root = alias.name.partition(".")[0]
    path = ours(alias.name)
    if root == ROOT or path is None:
        return None
    if alias.asname:
        return None if path == alias.name else f"{ROOT}.{path}".rstrip(".") + f" as {alias.asname}"
    if root == "torch":
        return f"{ROOT} as torch"  # which has its submodules as attributes
    return f"{ROOT}.utils as torchvision" if root == "torchvision" else None


def _imported_from(node: ast.ImportFrom, lines: list[bytes]) -> Iterator[tuple[Any, bytes]]:
    path = ours(node.module or "")
    if path is None or node.module == ROOT or (node.module or "").startswith(f"{ROOT}."):
        return
    if path != node.module:
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        text = b"".join([lines[first][node.col_offset :], *lines[first + 1 : last]])
        new = f"{ROOT}.{path}".rstrip(".").encode()
        head = re.match(rb"from((?:\s|\\)+)[\w.]+", text)
        if head is not None:
            there = ast.copy_location(ast.Pass(), node)
            there.end_lineno = node.lineno + head[0].count(b"\n")
            tail = head[0].rpartition(b"\n")[2]
            there.end_col_offset = len(tail) + (0 if b"\n" in head[0] else node.col_offset)
            yield there, b"from" + head[1] + new
    elif node.module == "torchvision":
        here = [a for a in node.names if f"torchvision.{a.name}" in _VISION]
        rest = [a for a in node.names if a not in here]
        parts = [
            f"from {module} import {', '.join(map(ast.unparse, names))}"
            for module, names in ((f"{ROOT}.utils", here), ("torchvision", rest))
            if names
        ]
        if here:
            yield node, "; ".join(parts).encode()


# --- Files --------------------------------------------------------------------------------------


def scripts(paths: list[str]) -> Iterator[Path]:
    """The files, and the scripts of the folders without hidden ones and environments."""
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        for folder, inner, files in os.walk(path):
            inner[:] = sorted(n for n in inner if n[0] != "." and n not in _SKIPPED)
            yield from (Path(folder, n) for n in sorted(files) if n.endswith(".py"))


def _port(path: Path, write: bool) -> int:
    """Report on one file, and rewrite it; the exit code."""
    try:
        with open(path, "rb") as file:
            encoding, _ = tokenize.detect_encoding(file.readline)
        source = path.read_bytes().decode(encoding)
        number, rows = check(source)
        new = rewrite(source)
    except (OSError, SyntaxError, UnicodeDecodeError, ValueError, RecursionError) as error:
        print(f"{path}: cannot be read: {error}")
        return 2
    for (name, kind, text), lines in rows:
        where = ",".join(map(str, lines))
        print(f"{path}:{where}: {name} {kind}{': ' if text else ''}{text}")
    missing = sum(said.kind.startswith("is ") for said, _ in rows)
    if number:
        verb = "is" if missing == 1 else "are"
        print(f"{path}: {missing} of {number} names of PyTorch {verb} missing")
    if write and new != source:
        write_file(path, [new.encode(encoding)])
        print(f"{path}: imports rewritten")
    return int(missing > 0)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    words = argparse.ArgumentParser(
        prog=f"python -m {ROOT}.port",
        description="List the names of PyTorch that scripts use and that are missing here.",
    )
    words.add_argument("paths", nargs="+", metavar="PATH", help="a script, or a folder of scripts")
    words.add_argument("--write", action="store_true", help="rewrite the imports in the files")
    given = words.parse_args(arguments)
    return max((_port(path, given.write) for path in scripts(given.paths)), default=0)


if __name__ == "__main__":
    sys.exit(main())
