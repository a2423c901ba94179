"""Modules that hold parameters: ParameterList and ParameterDict."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, KeysView, Mapping
from typing import Any, Self

from ..tensor import Tensor
from .module import Module
from .parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


class _Keyed(Module):
    """Values under keys, in order. Tensors become Parameters, registered under their keys."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, Any] = {}  # None: the Parameter with that name

    def _set(self, key: str, value: Any) -> None:
        if isinstance(value, Tensor):
            value = value if isinstance(value, Parameter) else Parameter(value)
            self.register_parameter(key, value)
            value = None
        else:
            self._parameters.pop(key, None)
        self._values[key] = value

    def _get(self, key: str) -> Any:
        value = self._values[key]
        return self._parameters.get(key) if value is None else value

    def _take(self, key: str) -> Any:
        value = self._get(key)
        del self._values[key]
        self._parameters.pop(key, None)
        return value

    def __len__(self) -> int:
        return len(self._values)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"{type(self).__name__} should not be called.")

    def extra_repr(self) -> str:
        """A line for each value."""
        lines = []
        for key in self._values:
            value = self._get(key)
            what = f"Object of type: {type(value).__name__}"
            if isinstance(value, Tensor):
                size = "x".join(map(str, value.shape))
                what = f"Parameter containing: [{self._type_name(value)} of size {size}]"
            lines.append(f"  ({key}): {what}")
        return "\n".join(lines)

    def _type_name(self, value: Tensor) -> str:
        return str(value.dtype)


class ParameterList(_Keyed):
    """A list whose Tensors are registered as Parameters "0", "1" ... It holds other values too.

    Indexed, sliced and changed like a list. Raises TypeError for values that are not iterable.

    >>> weights = tc.nn.ParameterList([tc.ones(2, 3), tc.zeros(3)])
    >>> [name for name, _ in weights.named_parameters()]
    ['0', '1']
    """

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        self.extend([] if values is None else values)

    def _place(self, index: Any) -> str:
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"index {place} is out of range")
        return str(place % len(self))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._get(self._place(index))

    def __setitem__(self, index: int, value: Any) -> None:
        self._set(self._place(index), value)

    def __iter__(self) -> Iterator[Any]:
        return map(self._get, list(self._values))

    def append(self, value: Any) -> Self:
        """Add a value at the end, and return this list."""
        self._set(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add several values at the end, and return this list. TypeError if they are not iterable."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, but got "
                f"{type(values).__name__}"
            )
        for value in list(values):
            self.append(value)
        return self

    __iadd__ = extend


class ParameterDict(_Keyed):
    """A dictionary whose Tensors are registered as Parameters. It holds other values too.

    Used like a dict with string keys; TypeError for other keys.

    >>> scales = tc.nn.ParameterDict({"x": tc.ones(1)})
    >>> scales["step"] = 3
    >>> list(scales.parameters()), scales.get("step")
    ([Parameter containing:
    tensor([1.], requires_grad=True)], 3)
    """

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None):
        super().__init__()
        self.update({} if parameters is None else parameters)

    def __call__(self, input: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called.")

    def __getitem__(self, key: str) -> Any:
        return self._get(_text(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._set(_text(key), value)

    def __delitem__(self, key: str) -> None:
        self._take(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __or__(self, other: Any) -> ParameterDict:
        return self.copy().__ior__(other)

    def __ror__(self, other: Any) -> Any:
        both = other.copy()  # of the type of `other`
        both.update(self)
        return both

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def _type_name(self, value: Tensor) -> str:
        return value.type()

    def keys(self) -> KeysView[str]:
        """The keys."""
        return self._values.keys()

    def values(self) -> Iterable[Any]:
        """The Parameters and other values."""
        return [self._get(key) for key in self._values]

    def items(self) -> Iterable[tuple[str, Any]]:
        """The pairs of a key and its value."""
        return [(key, self._get(key)) for key in self._values]

    def get(self, key: str, default: Any = None) -> Any:
        """The value under `key`, or `default`."""
        return self._get(key) if key in self._values else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value under `key`; if there is none, `default`, which is stored."""
        if key not in self._values:
            self[key] = default
        return self._get(key)

    def pop(self, key: str) -> Any:
        """Remove the value under `key`, and return it. KeyError if there is none."""
        return self._take(_text(key))

    def popitem(self) -> tuple[str, Any]:
        """Remove the last pair of a key and a value, and return it."""
        key = next(reversed(self._values))
        return key, self._take(key)

    def clear(self) -> None:
        """Remove all values."""
        for key in list(self._values):
            self._take(key)

    def copy(self) -> ParameterDict:
        """A new ParameterDict with the same Parameters."""
        return ParameterDict(dict(self.items()))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new ParameterDict with `default` under each of the keys."""
        return ParameterDict(dict.fromkeys(keys, default))

    def update(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Set the values of a mapping, or of pairs of a key and a value."""
        items: Any = parameters.items() if hasattr(parameters, "items") else parameters
        for key, value in items:
            self[key] = value


def _text(key: Any) -> str:
    """A key of a ParameterDict; TypeError unless it is a string."""
    if not isinstance(key, str):
        raise TypeError(
            "Index given to ParameterDict cannot be used as a key as it is not a string (type is "
            f"'{type(key).__name__}')"
        )
    return key
