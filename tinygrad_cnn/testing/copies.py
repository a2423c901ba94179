"""Copies of ops, functions and values as code, with all that they use.

What can be imported is imported. A function of a script, a notebook or another function is copied.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from ..engine import Op, define, registry, variant
from .core.differentiable import Differentiable
from .imports import OWN, global_of, globals_of, home_of, importable, line_for_path
from .show import NAMES, show, show_array
from .source import Unknown, global_names, source_of
from .values import Array


class Code:
    """Lines of code that bind names, and expressions that use these names.

    `room` is the number of characters for an array. `reserved` names are for other use.
    """

    def __init__(self, room: int, reserved: tuple[str, ...] = ()):
        self.room = room
        self.paths: dict[str, None] = {}  # lines, in order and without repetition
        self.imports: dict[str, None] = {}
        self.lines: list[str] = []
        self.bound: dict[str, object] = dict.fromkeys(reserved)
        self.defined: set[int] = set()  # ids of functions that are copied, or about to be

    def __str__(self) -> str:
        first = [line for line in self.imports if "__future__" in line]
        rest = sorted(line for line in self.imports if line not in first)
        paths = ["import sys", *self.paths] if self.paths else []
        return "\n".join([*first, *paths, *rest, *self.lines])

    # --- Names ---

    def bind(self, name: str, value: Any) -> None:
        """Make `name` stand for the value. Raises Unknown if nothing can."""
        if name in self.bound:
            self.claim(name, value)
        elif isinstance(value, ModuleType):
            self.claim(name, value)
            self.import_module(name, value.__name__)
        elif (home := home_of(value)) is not None or value is registry:
            self.claim(name, value)
            self.import_from(*(home or (f"{OWN}.engine", "registry")), name)
        elif isinstance(value, (FunctionType, functools.partial)):
            if getattr(value, "__name__", "") == "<lambda>":
                self.claim(name, value)
            self.alias(name, value, self.function(value))
        else:
            self.claim(name, value)
            self.lines.append(f"{name} = {self.expression(value)}")

    def claim(self, name: str, value: Any) -> None:
        """Raise Unknown if the name stands for another value."""
        if self.bound.setdefault(name, value) is not value:
            raise Unknown(f"uses the name {name}, which has another meaning too")

    def alias(self, name: str, value: Any, text: str) -> None:
        """Bind a name to an expression."""
        self.claim(name, value)
        if name != text:
            self.lines.append(f"{name} = {text}")

    def import_module(self, name: str, module: str) -> None:
        """Import a module under a name."""
        if not importable(module):
            raise Unknown(f"uses {module}, which cannot be imported elsewhere")
        self.find(module)
        parent, _, last = module.rpartition(".")
        if last == name and parent:
            self.imports[f"from {parent} import {last}"] = None
        else:
            self.imports[f"import {module}" + f" as {name}" * (name != module)] = None

    def import_from(self, module: str, attribute: str, name: str) -> None:
        """Import an attribute of a module under a name."""
        self.find(module)
        other = f" as {name}" if name != attribute else ""
        self.imports[f"from {module} import {attribute}{other}"] = None

    def find(self, module: str) -> None:
        """Let `import` find a module."""
        if line := line_for_path(module):
            self.paths[line] = None

    # --- Expressions ---

    def expression(self, value: Any, array: Callable[[Array], str] | None = None) -> str:
        """An expression for a value; `array` makes those of arrays. Raises Unknown without one."""
        text = show(value, array or self.array, self.other)
        for name, thing in NAMES.items():
            if f"{name}(" in text or f"{name}." in text or f"{name}[" in text:
                self.bind(name, thing)
        return text

    def array(self, x: Array) -> str:
        """An expression for an array."""
        text = show_array(x, self.room)
        if text is None:
            raise Unknown(f"uses an array {x.shape} that is too large to print")
        return text

    def other(self, value: Any) -> str:
        """An expression for a value that `show` does not know."""
        if (home := home_of(value)) is not None:
            self.bind(home[1], value)
            return home[1]
        if isinstance(value, (FunctionType, functools.partial)):
            return self.function(value)
        kind, text = type(value), repr(value)
        if text.startswith(f"{kind.__name__}(") and home_of(kind) is not None:
            self.bind(kind.__name__, kind)
            try:  # a repr is an expression if its value has the same repr
                same = repr(eval(text, {kind.__name__: kind, **NAMES})) == text
            except Exception:
                same = False
            if same:
                return text
        raise Unknown(f"uses a {kind.__name__} that no expression makes")

    # --- Functions ---

    def function(self, fn: Any) -> str:
        """An expression for a function."""
        if (home := home_of(fn)) is not None:
            self.bind(home[1], fn)
            return home[1]
        if isinstance(op := getattr(fn, "op", None), Op):
            return self.copied(op)
        for own in registry.values() if str(getattr(fn, "__module__", "")).startswith(OWN) else ():
            for key, vjp in own.vjps.items():
                if vjp is fn:
                    self.bind("registry", registry)
                    return f"registry[{own.name!r}].vjps[{key!r}]"
        if isinstance(fn, functools.partial):
            self.bind("functools", functools)
            parts = [self.function(fn.func), *map(self.expression, fn.args)]
            parts += [f"{key}={self.expression(value)}" for key, value in fn.keywords.items()]
            return f"functools.partial({', '.join(parts)})"
        if type(fn) is not FunctionType:
            name = getattr(fn, "__name__", type(fn).__name__)
            raise Unknown(f"uses {name}, a {type(fn).__name__}")
        if fn.__name__ == "<lambda>":
            return self.define(fn)
        self.claim(fn.__name__, fn)
        if id(fn) not in self.defined:
            self.defined.add(id(fn))
            self.define(fn)
        return fn.__name__

    def define(self, fn: FunctionType) -> str:
        """Copy a function, after all that it uses. For a lambda, only return its source."""
        text = source_of(fn)
        if fn.__annotations__:
            self.imports["from __future__ import annotations"] = None
        for name in global_names(fn.__code__):
            if name in fn.__globals__:
                self.bind(name, fn.__globals__[name])
        for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True):
            self.bind(name, cell.cell_contents)
        if text.startswith("def "):
            self.lines += text.split("\n")
        return text

    # --- Functions with their vjps, and ops ---

    def differentiable(self, fn: Differentiable) -> str:
        """An expression for a function of arrays with its vjp. Raises Unknown if there is none."""
        if fn.made is not None:
            adapter, original = fn.made
            return f"testing.adapters.{adapter.__name__}({self.function(original)})"
        parts = [self.function(fn.value), self.function(fn.vjp)]
        if fn.second is not None:
            parts.append(f"second={self.function(fn.second)}")
        if fn.extra:
            parts.append(f"extra={self.expression(fn.extra)}")
        if fn.name != getattr(fn.value, "__name__", ""):
            parts.append(f"name={fn.name!r}")
        return f"testing.Differentiable({', '.join(parts)})"

    def op(self, op: Op) -> str:
        """An expression for an op: found by an import, with the vjps that were changed; or a copy.

        Raises Unknown if there is none.
        """
        home = op.forward.__module__
        original = registry.get(op.name)
        if home.startswith(f"{OWN}.") and original and original.forward is op.forward:
            self.bind("registry", registry)
            text = f"registry[{op.name!r}]"
        else:
            names = [n for n, v in globals_of(home) if v is op or getattr(v, "op", None) is op]
            if not names or not importable(home):
                return self.copied(op)
            text = op.name if op.name in names else names[0]
            self.bind(text, found := global_of(home, text))
            text += "" if isinstance(found, Op) else ".op"
        changed = {key: vjp for key, vjp in op.vjps.items() if not _is_from(home, vjp)}
        if not changed:
            return text.removesuffix(".op")
        vjps = ", ".join(f"{key!r}: {self.function(vjp)}" for key, vjp in changed.items())
        self.bind("variant", variant)
        return f"variant({text}, vjps={{{vjps}}})"

    def copied(self, op: Op) -> str:
        """The name of a copy of an op, which is in no registry."""
        forward: Any = op.forward
        name = getattr(forward, "__name__", "")
        if type(forward) is not FunctionType or not name.isidentifier():
            raise Unknown(f"is {name or 'a ' + type(forward).__name__}, no function made by `def`")
        self.claim(name, op.record)
        if id(forward) in self.defined:
            return name
        self.defined.add(id(forward))
        self.bind("define", define)
        self.define(forward)
        options = [
            f"{key}={show(getattr(op, key))}"
            for key in ("residuals", "returns", "elementwise", "view")
            if getattr(op, key)
        ]
        if op.composite is not None:
            options.append(f"composite={self.function(op.composite)}")
        if op.shared:
            shared = [f"{key!r}: {self.function(fn)}" for key, fn in op.shared.items()]
            options.append(f"shared={{{', '.join(shared)}}}")
        self.lines.append(f"{name} = define({', '.join([name, *options])}).record")
        for key, vjp in op.vjps.items():
            self.lines.append(f"{name}.defvjp({key}={self.function(vjp)})")
        return name


def _is_from(home: str, vjp: Any) -> bool:
    """Whether a vjp is from the module of its op, or both are from this package."""
    place = getattr(vjp, "__module__", home) or home
    own = [p.startswith(f"{OWN}.") and not p.startswith(f"{OWN}.testing.") for p in (home, place)]
    return place == home or all(own)
