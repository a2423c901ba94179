"""Names that are not loaded, or not here: one mechanism for packages, submodules and members.

A package that calls `not_here` loads rare modules on first access, because `import tinygrad_cnn` must
take little longer than `import numpy`. Submodules without a file are either PyTorch's paths to things
that are here (`paths.txt`), or missing. The error for a missing name says how to do without it:
`hints.txt` has the hints, one a line.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

ROOT = __name__.partition(".")[0]
_FOLDER = os.path.dirname(os.path.abspath(__file__))  # pathlib would take 3 ms to import
COVERAGE_PAGE = os.path.join(os.path.dirname(_FOLDER), "coverage.md")


def _lines(file: str) -> list[str]:
    """The lines of a file beside this one, without comments and blank lines."""
    with open(os.path.join(_FOLDER, file), encoding="utf-8") as opened:
        lines = opened.read().splitlines()
    return [line for line in lines if line and line[0] != "#"]


def _table(file: str) -> dict[str, str]:
    """The text of each name, for lines such as `a b: text`, which is one of both a and b."""
    pairs = [line.partition(":")[::2] for line in _lines(file)]
    return {name: text.strip() for names, text in pairs for name in names.split()}


PATHS = _table("paths.txt")


def not_here(
    namespace: dict[str, Any],
    modules: tuple[str, ...] = (),
    names: Mapping[str, tuple[str, ...]] | None = None,
    elsewhere: str = "",
) -> None:
    """Define `__getattr__` and `__dir__` of a module, whose `globals()` is `namespace`.

    `modules` are submodules that are loaded on first access, beside those of `paths.txt`. `names` maps
    submodules to the public names that they give to the package, which are loaded with them (and by
    `import *`). The submodule `.compat.amp` is relative to the package's parent, and `_foreach_*` stands
    for all names that begin so. `elsewhere` is a module that has further names. For any other name
    `__getattr__` raises an AttributeError with a hint.

    >>> tc.nn.Speech
    Traceback (most recent call last):
    AttributeError: tinygrad_cnn.nn has no 'Speech': .../coverage.md lists the names that exist here
    """
    package = namespace["__name__"]
    homes = {name: module for module, given in (names or {}).items() for name in given}
    paths = tuple(_children(package))

    families = {name[:-1]: home for name, home in homes.items() if name.endswith("*")}

    def __getattr__(name: str) -> Any:
        home = homes.get(name) or next((h for f, h in families.items() if name.startswith(f)), None)
        source = None if home is None else importlib.import_module(f".{home}", package)
        if source is not None and hasattr(source, name):
            namespace[name] = value = getattr(source, name)  # from now on without this function
            return value
        if name in modules or name in paths:
            try:
                return importlib.import_module(f"{package}.{name}")
            except ModuleNotFoundError as error:
                if name in modules:
                    raise
                raise AttributeError(str(error)) from None  # an extra: hasattr says False
        if elsewhere and (name == "__all__" or not name.startswith("_")):
            return getattr(importlib.import_module(f"{ROOT}.{elsewhere}"), name)
        if name.startswith("__"):  # Python itself asks for these
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        raise AttributeError(missing(f"{package}.{name}"), name=name, obj=sys.modules.get(package))

    def __dir__() -> list[str]:
        return sorted({*namespace, *homes, *modules, *paths} - {f"{name}*" for name in families})

    namespace.update(__getattr__=__getattr__, __dir__=__dir__)
    namespace.setdefault("__path__", [])  # so that `from it import name` asks the finder below
    if homes:
        public = [n for n in (*namespace, *homes) if not n.startswith("_")]
        namespace.setdefault("__all__", public)


@functools.lru_cache(maxsize=1000)
def missing(path: str, owner: str | None = None) -> str:
    """The message for a missing name: what to do instead, and where the list of names is.

    The start is "tinygrad_cnn.nn has no 'Speech'", or for a member of an instance, with the name of its
    class as `owner`, "'Tensor' object has no attribute 'to_sparse'".
    """
    package, _, name = path.rpartition(".")
    start = f"{package} has no {name!r}"
    if owner is not None:
        start = f"{owner!r} object has no attribute {name!r}"
    instead = hint(path.partition(".")[2])
    says = f"{instead}. " if instead else ""
    return f"{start}: {says}{COVERAGE_PAGE} lists the names that exist here"


def hint(name: str) -> str | None:
    """The hint for a name such as `nn.CTCLoss`, or for the module that it is in; None without one.

    >>> hint("distributed.rpc.RRef") == hint("distributed.rpc")
    True
    """
    while name:
        found = hints().get(name) or hints().get(f"!{name}")
        if found is not None:
            return found
        name = name.rpartition(".")[0]
    return None


@functools.cache
def hints() -> dict[str, str]:
    """The hints of `hints.txt` by name. A name with "!" is here, but a call of it is an error."""
    return _table("hints.txt")


class _MissingMember:
    """A method or attribute that is not here: reading it is an error."""

    def __init__(self, path: str):
        self._path = path

    def __get__(self, instance: Any, owner: type) -> Any:
        name = self._path.rpartition(".")[2]
        found = owner if instance is None else instance
        raise AttributeError(missing(self._path, owner.__name__), name=name, obj=found)


def not_members(cls: type, file: str) -> None:
    """Let the names of a file that the public class `cls` does not have raise errors with hints.

    A `__getattr__` instead would slow down every access to the other attributes. `dir` of an instance
    does not list these names.
    """
    absent = set(" ".join(_lines(file)).split()).difference(dir(cls))
    for name in absent:
        setattr(cls, name, _MissingMember(f"{ROOT}.{cls.__name__}.{name}"))

    visible = lambda self: sorted(set(object.__dir__(self)) - absent)  # noqa: E731
    setattr(cls, "__dir__", visible)  # noqa: B010


# --- PyTorch's paths ----------------------------------------------------------------------------


class PyTorchPaths:
    """Makes the modules of `PATHS`, and raises for submodules that are not here.

    It is the last in `sys.meta_path`: what has a file does not come here.
    """

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The module of a path, or ModuleNotFoundError with a hint. None for other packages."""
        root, _, relative = fullname.partition(".")
        parent, _, name = fullname.rpartition(".")
        if root != ROOT or name.startswith("__"):
            return None
        if path is not getattr(sys.modules.get(parent), "__path__", None):
            return None  # a tool looks in one folder: this is no import
        if relative in PATHS:
            return ModuleSpec(fullname, PyTorchPaths, is_package=True)  # type: ignore[arg-type]
        # without its attribute `name`: `from package import name` would hide this message
        raise ModuleNotFoundError(missing(fullname))

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """None: an ordinary module."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Fill the module with the names of its source."""
        source, _, elsewhere = PATHS[module.__name__.partition(".")[2]].partition("+ ")
        names = dict(_names(source.strip()))
        vars(module).update(names)
        if not elsewhere:
            vars(module)["__all__"] = [name for name in names if not name.startswith("_")]
        not_here(vars(module), elsewhere=elsewhere)


def _names(source: str) -> Iterator[tuple[str, Any]]:
    """The names and values that an entry of `PATHS` describes."""
    home, _, wanted = source.partition(":")
    module = importlib.import_module(f"{ROOT}.{home}") if home else None
    for word in wanted.split() or ["*"] * bool(home):
        if word == "*":
            yield from ((name, getattr(module, name)) for name in _public(module))
        else:
            name, _, own = word.partition("=")
            yield name, getattr(module, own or name)


def _public(module: ModuleType | None) -> Iterable[str]:
    """The names of `__all__`, or the public names that a module defines itself."""
    own = vars(module)
    return own.get("__all__") or [
        name
        for name, value in own.items()
        if not (name.startswith("_") or isinstance(value, ModuleType))
        and getattr(value, "__module__", own["__name__"]) == own["__name__"]
    ]


def _children(package: str) -> Iterator[str]:
    """The submodules that `PATHS` has for a package."""
    for path in PATHS:
        parent, _, name = f"{ROOT}.{path}".rpartition(".")
        if parent == package:
            yield name


sys.meta_path.append(PyTorchPaths)
