"""Modules that hold modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

import operator
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import chain, groupby
from typing import Any, Self, overload

from .module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class _Numbered(Module):
    """A list of modules, registered under their numbers "0", "1" ..."""

    _modules: dict[str, Module]  # type: ignore[assignment]  # without None

    def _like(self, items: list[tuple[str, Module]]) -> Self:
        """A container of the same class with these names and modules."""
        raise NotImplementedError

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

    def _renumber(self, modules: Iterable[Module]) -> None:
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __contains__(self, module: object) -> bool:
        return any(module is m for m in self)

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._like(list(self._modules.items())[index])
        return self._modules[self._names()[self._place(index)]]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._names()[self._place(index)], module)

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        del modules[index if isinstance(index, slice) else self._place(index)]
        self._renumber(modules)

    def append(self, module: Module) -> Self:
        """Add a module at the end, and return this container.

        Raises TypeError for an object that is not a Module.
        """
        number = len(self)
        while str(number) in self._modules:  # a slice keeps its names, which may not start at 0
            number += 1
        self.add_module(str(number), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end, and return this container."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before `index`, renumber the modules, and return this container.

        Raises IndexError for an index out of range, TypeError for an object that is not a Module.
        """
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        if not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, key: int | slice) -> Module:
        """Remove the module at the index `key`, or the slice, and return it. IndexError if none."""
        module = self[key]
        del self[key]
        return module

    def __add__(self, other: Iterable[Module]) -> Self:
        if not isinstance(other, Iterable):
            return NotImplemented
        return self._like([(str(i), module) for i, module in enumerate(chain(self, other))])

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)


class Sequential(_Numbered):
    """Modules one after another: each gets the output of the module before.

    Takes the modules, or one ordered mapping of names to modules. It can be indexed, sliced and
    changed like a list; a slice keeps the names. Raises TypeError for an object that is not a Module.

    >>> from tinygrad_cnn import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU())
    >>> net(tc.ones(2, 1, 2, 2)).shape
    torch.Size([2, 3])
    >>> net[1:]
    Sequential(
      (1): Linear(in_features=4, out_features=3, bias=True)
      (2): ReLU()
    )
    """

    @overload
    def __init__(self, *args: Module) -> None: ...
    @overload
    def __init__(self, arg: Mapping[str, Module], /) -> None: ...
    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            named: Iterable[tuple[str, Any]] = args[0].items()
        else:
            named = ((str(i), module) for i, module in enumerate(args))
        for name, module in named:
            self.add_module(name, module)

    def _like(self, items: list[tuple[str, Module]]) -> Self:
        return type(self)(dict(items))

    def extend(self, sequential: Iterable[Module]) -> Self:
        """Add several modules at the end, and return this container."""
        return super().extend(sequential)

    def __add__(self, other: Iterable[Module]) -> Self:
        return super().__add__(self._addend(other))

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return super().__iadd__(self._addend(other))

    def _addend(self, other: Any) -> Self:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, but "
                f"{type(other)} is given."
            )
        return other  # type: ignore[return-value]

    def __mul__(self, times: int) -> Self:
        if not isinstance(times, int):
            return NotImplemented
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self)}")
        return type(self)(*list(self) * times)

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        return self.extend(list(self * times)[len(self) :])

    def forward(self, input: Any) -> Any:
        """The output of the last module. An empty container returns the input."""
        for module in self._modules.values():
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of registered modules, without a forward. Indexed, sliced and changed like a list.

    >>> from tinygrad_cnn import nn
    >>> nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        self.extend(() if modules is None else modules)

    def _like(self, items: list[tuple[str, Module]]) -> Self:
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
    """A dictionary of registered modules, without a forward. Used like a dict with string keys.

    >>> from tinygrad_cnn import nn
    >>> acts = nn.ModuleDict({"relu": nn.ReLU()})
    >>> acts["tanh"] = nn.Tanh()
    >>> list(acts), acts["relu"](tc.tensor([-1.0]))
    (['relu', 'tanh'], tensor([0.]))
    """

    _modules: dict[str, Module]  # type: ignore[assignment]  # without None

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None):
        super().__init__()
        self.update({} if modules is None else modules)

    def __getitem__(self, key: str) -> Module:
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

    def keys(self) -> KeysView[str]:
        """The keys."""
        return self._modules.keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._modules.values()

    def items(self) -> ItemsView[str, Module]:
        """The pairs of a key and its module."""
        return self._modules.items()

    def pop(self, key: str) -> Module:
        """Remove the module under `key`, and return it. KeyError if there is none."""
        return self._modules.pop(key)

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add the modules of a mapping, or of pairs of a key and a module, in their order."""
        pairs: Any = modules.items() if hasattr(modules, "items") else modules
        for key, module in pairs:
            self[key] = module
