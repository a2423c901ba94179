"""Modules that hold modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, groupby
from typing import Any

from .module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class _Numbered(Module):
    """A list of modules, registered under their numbers "0", "1" ..."""

    def _names(self) -> list[str]:
        return list(self._modules)

    def _place(self, index: Any) -> int:
        try:
            place = operator.index(index)
        except TypeError:
            raise TypeError(
                f"{type(self).__name__} indices must be integers or slices, not "
                f"{type(index).__name__}"
            ) from None
        if not -len(self) <= place < len(self):
            raise IndexError(f"index {place} is out of range")
        return place % len(self)

    def _renumber(self, modules: Iterable[Any]) -> None:
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __contains__(self, module: object) -> bool:
        return any(module is m for m in self)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._like(list(self._modules.items())[index])
        return self._modules[self._names()[self._place(index)]]

    _like: Callable[[list[tuple[str, Any]]], Any]  # the same kind of module, of these

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._names()[self._place(index)], module)

    def __delitem__(self, index: Any) -> None:
        modules = list(self)
        del modules[index if isinstance(index, slice) else self._place(index)]
        self._renumber(modules)

    def append(self, module: Module) -> Any:
        """Add one at the end; return this module."""
        number = len(self)
        while str(number) in self._modules:  # a slice keeps its names: they need not begin at 0
            number += 1
        self.add_module(str(number), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add several at the end; return this module."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put one before place `index`; those behind it get the next numbers."""
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        if not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, index: Any = -1) -> Any:
        """Take one out, the last unless told, and return it."""
        module = self[index]
        del self[index]
        return module

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, _Numbered):
            return NotImplemented
        return self._like([(str(i), module) for i, module in enumerate(chain(self, other))])

    def __iadd__(self, other: Any) -> Any:
        return self.extend(other)


class Sequential(_Numbered):
    """Modules one after another, each taking what the one before it returned.

    Takes the modules, or one ordered mapping of names to them. Index, slice, append, insert and
    delete as in a list. Raises TypeError for what is no Module.

    >>> import tinygrad_cnn as tc
    >>> from tinygrad_cnn import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU())
    >>> net(tc.ones(2, 1, 2, 2)).shape == (2, 3)
    True
    >>> net[1:]
    Sequential(
      (1): Linear(in_features=4, out_features=3, bias=True)
      (2): ReLU()
    )
    """

    def __init__(self, *modules: Any):
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named: Iterable[tuple[str, Any]] = modules[0].items()
        else:
            named = ((str(i), module) for i, module in enumerate(modules))
        for name, module in named:
            self.add_module(name, module)

    def _like(self, items: list[tuple[str, Any]]) -> Sequential:
        return type(self)(dict(items))

    def __mul__(self, times: int) -> Sequential:
        if not isinstance(times, int):
            return NotImplemented
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self)}")
        return type(self)(*list(self) * times)

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        return self.extend(list(self * times)[len(self) :])

    def forward(self, input: Any) -> Any:
        """What the last module returns; the input itself where there are none."""
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input


class ModuleList(_Numbered):
    """A list whose modules are registered; it has no forward of its own.

    >>> from tinygrad_cnn import nn
    >>> nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Any] | None = None):
        super().__init__()
        self.extend(modules or ())

    def _like(self, items: list[tuple[str, Any]]) -> ModuleList:
        return type(self)([module for _, module in items])

    def _child_lines(self) -> list[str]:
        lines, start = [], 0
        for text, run in groupby(map(repr, self)):
            count = len(list(run))
            many = f"({start}-{start + count - 1}): {count} x "
            lines.append((many if count > 1 else f"({start}): ") + text)
            start += count
        return lines


class ModuleDict(Module):
    """A dictionary whose modules are registered under its keys; it has no forward of its own."""

    def __init__(self, modules: Any = None):
        super().__init__()
        self.update(modules or {})

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def items(self) -> Any:
        """The names with their modules."""
        return self._modules.items()

    def pop(self, key: str) -> Any:
        """Take one out and return it."""
        return self._modules.pop(key)

    def clear(self) -> None:
        """Take all out."""
        self._modules.clear()

    def update(self, modules: Any) -> None:
        """Add those of a mapping or of pairs, in their order."""
        for key, module in modules.items() if hasattr(modules, "items") else modules:
            self[key] = module
