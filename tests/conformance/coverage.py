"""The public names that exist here: `python -m tests.conformance.coverage` writes docs/coverage.md.

Where PyTorch is not installed, PyTorch's names are the ones on the page. Only names are compared: the
recorded grid tests the results of the functions.
"""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
import types
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"

HEAD = """# Coverage of PyTorch's names

Which public names of PyTorch {version} exist here? The lists cover the modules that models use.
`python -m tests.conformance.coverage` writes this page. A missing name raises `AttributeError`, or
`ModuleNotFoundError` in an import, with a hint what to do instead. A missing option of an existing
name raises `NotImplementedError`, which names it. `python -m tinygrad_cnn.port script.py` lists the
names that a script uses and that are missing.

| | here | of |
|---|---|---|
"""

SPACES = [
    "torch.Tensor", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.nn.utils", "torch.nn.utils.rnn",
    "torch.optim", "torch.optim.lr_scheduler", "torch.autograd", "torch.autograd.functional",
    "torch.utils.data", "torch.hub", "torch.serialization", "torch.linalg", "torch.func", "torch.distributions", "torch.nn.utils.prune",
    "torch.optim.swa_utils", "torch.testing", "torch",
]  # fmt: skip


def look_up(path: str) -> Any:
    """A module, or a class of one."""
    try:
        return importlib.import_module(path)
    except ImportError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


def public(space: Any, path: str) -> list[str]:
    """The public names of a space: functions, classes and attributes. No modules, and no names
    that are imported from elsewhere.
    """
    found = []
    for name in sorted(dir(space), key=str.lower):
        if name.startswith("_") or (path != "torch.Tensor" and name in NOT_API):
            continue
        try:
            value = getattr(space, name)
        except Exception:
            continue
        if isinstance(value, types.ModuleType):
            continue
        home = getattr(value, "__module__", None) or ""
        if path != "torch.Tensor" and home and not home.startswith("torch"):
            continue
        if path == "torch" and not (
            callable(value) or type(value).__name__ in ("dtype", "memory_format")
        ):
            continue
        if path == "torch" and (inspect.isclass(value) and home != "torch"):
            continue
        found.append(name)
    return found


NOT_API = {"Any", "Callable", "Optional", "Union", "TYPE_CHECKING", "annotations"}


def names_by_space() -> tuple[str, dict[str, list[str]]]:
    """PyTorch's version and its public names in each space."""
    try:
        import torch
    except ImportError:
        return names_on_page(PAGE.read_text())
    version = torch.__version__.partition("+")[0]
    return version, {path: public(look_up(path), path) for path in SPACES}


def names_on_page(text: str) -> tuple[str, dict[str, list[str]]]:
    """`names_by_space` as the page shows them."""
    found = re.search(r"PyTorch ([\d.]+) ", text)
    assert found
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    names = {}
    for section in sections:
        path, _, lists = section.partition("\n")
        names[path] = sorted(re.findall(r"`(\w+)`", lists), key=str.lower)
    return found[1], names


def page(version: str, names: dict[str, list[str]]) -> str:
    """The page, for the names of each space."""
    totals, lists = [], []
    for path, wanted in names.items():
        ours = look_up(path.replace("torch", "tinygrad_cnn", 1))
        here = [name for name in wanted if hasattr(ours, name)]
        missing = [name for name in wanted if not hasattr(ours, name)]
        anchor = path.replace(".", "").lower()
        totals.append(f"| [`{path}`](#{anchor}) | {len(here)} | {len(wanted)} |")
        lists += [f"\n## {path}\n", f"Here:\n{_code(here)}\n", f"Not here:\n{_code(missing)}\n"]
    return HEAD.format(version=version) + "\n".join(totals) + "\n" + "\n".join(lists)


def main() -> None:
    """Write the page and print its totals."""
    text = page(*names_by_space())
    PAGE.write_text(text)
    print("\n".join(re.findall(r"^\| \[`.*", text, flags=re.MULTILINE)))


def _code(names: list[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names) or "nothing"
    return "\n".join(textwrap.wrap(listed, 100, break_on_hyphens=False))


if __name__ == "__main__":
    main()
