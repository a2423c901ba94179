"""Where a class, function or constant can be imported from, in another process."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..engine import Op

OWN = __name__.split(".")[0]  # the package


def home_of(value: Any) -> tuple[str, str] | None:
    """(module, name) from which the value can be imported; None if there is none."""
    module = getattr(value, "__module__", None)
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if isinstance(value, Op):
        module = value.forward.__module__
    elif not isinstance(module, str):
        module = type(value).__module__
    for place in (module, OWN):
        if not importable(place):
            continue
        if isinstance(name, str) and global_of(place, name) is value:
            return _shortest(place, name), name
        if name is None and type(value).__module__.split(".")[0] == OWN:  # a dtype, or an op
            for other, found in globals_of(place):
                if found is value:
                    return place, other
    return None


def _shortest(module: str, name: str) -> str:
    """The outermost package that exports a name of a module of this package."""
    parts = module.split(".")
    paths = [".".join(parts[:k]) for k in range(2, len(parts))] if parts[0] == OWN else []
    return next((p for p in paths if global_of(p, name) is global_of(module, name)), module)


def globals_of(module: str) -> Iterator[tuple[str, Any]]:
    """The global variables of a module."""
    yield from list(vars(sys.modules[module]).items()) if module in sys.modules else []


def global_of(module: str, name: str) -> Any:
    """A global variable of a module; None if it is not there."""
    return vars(sys.modules[module]).get(name) if module in sys.modules else None


def importable(module: str) -> bool:
    """Whether `import` finds a module in another process, given its folder in the path."""
    found = sys.modules.get(module)
    if found is None or module in ("__main__", "__mp_main__"):
        return False
    if getattr(found, "__spec__", None) is None:
        return False
    return not getattr(found, "__file__", None) or folder_of(module) is not None


def folder_of(module: str) -> Path | None:
    """The folder in which `import` looks for the file of a module; None if none fits its name."""
    file = getattr(sys.modules[module], "__file__", None)
    if not file:
        return None
    path = Path(file).resolve()
    names = module.split(".")
    if path.stem == "__init__":
        names.append("__init__")
    *folders, last = path.parts[-len(names) :]
    if [*folders, last.split(".")[0]] != names:
        return None
    return Path(*path.parts[: -len(names)])


def line_for_path(module: str) -> str:
    """The line that lets `import` find a module; empty if it is installed."""
    folder = folder_of(module)
    if folder is None or module.split(".")[0] == OWN or _installed(folder):
        return ""
    return f"sys.path.insert(0, {str(folder)!r})"


def _installed(folder: Path) -> bool:
    places = {Path(place).resolve() for place in sysconfig.get_paths().values()}
    return "site-packages" in folder.parts or folder in places or folder.parent in places
