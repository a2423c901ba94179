"""The public names that exist here: `python -m tests.conformance.coverage` writes docs/coverage.md.

It needs PyTorch, and compares only names. The recorded grid tests the results of the functions.
"""

from __future__ import annotations

import importlib
import inspect
import textwrap
import types
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"

HEAD = """# Coverage of PyTorch's names

Which public names of PyTorch {version} exist here? The lists cover the modules that models use.
`python -m tests.conformance.coverage` writes this page, where PyTorch is installed. A missing name
raises `AttributeError`. A missing option of an existing name raises `NotImplementedError`.

| | here | of |
|---|---|---|
"""

SPACES = [
    ("torch.Tensor", "Tensor"), ("torch.nn", ""), ("torch.nn.functional", ""), ("torch.nn.init", ""),
    ("torch.nn.utils", ""), ("torch.optim", ""), ("torch.optim.lr_scheduler", ""), ("torch.autograd", ""),
    ("torch.autograd.functional", ""), ("torch.utils.data", ""), ("torch", ""),
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


def main() -> None:
    """Write the page and print the totals."""
    import torch

    totals, lists = [], []
    for path, _ in SPACES:
        ours_path = path.replace("torch", "tinygrad_cnn", 1)
        theirs, ours = look_up(path), look_up(ours_path)
        names = public(theirs, path)
        here = [name for name in names if hasattr(ours, name)]
        missing = [name for name in names if not hasattr(ours, name)]
        anchor = path.replace(".", "").lower()
        totals.append(f"| [`{path}`](#{anchor}) | {len(here)} | {len(names)} |")
        print(f"{path:28} {len(here):4} of {len(names)}")
        lists += [f"\n## {path}\n", f"Here:\n{_code(here)}\n", f"Not here:\n{_code(missing)}\n"]
    version = torch.__version__.partition("+")[0]
    PAGE.write_text(HEAD.format(version=version) + "\n".join(totals) + "\n" + "\n".join(lists))


def _code(names: list[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names) or "nothing"
    return "\n".join(textwrap.wrap(listed, 100, break_on_hyphens=False))


if __name__ == "__main__":
    main()
