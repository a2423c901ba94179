"""The names that a pickle may use. Each stands for a function here that checks its arguments.

A pickle asks for functions and classes by name. It gets an entry of the tables of this file, never
an attribute of a module: so it can call nothing else. `safe_globals` adds the functions and classes
of a program.
"""

from __future__ import annotations

from argparse import Namespace
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from itertools import chain
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from time import thread_time
from typing import Any

import numpy as np

from .. import metadata
from ..engine import Recorded
from . import dtypes, tensors
from .failures import WHOLE_MODEL, refusal, shown
from .files import CheckpointError
from .numpys import Builders
from .structure import Budget, Objects, check_key, visit
from .trusted import Trusted

_SCALARS = (type(None), bool, int, float, complex)
_TEXTS = (str, bytes, bytearray)
_OBJECTS = (
    range, np.ndarray, np.generic, *dtypes.OBJECTS, Recorded, metadata.device, metadata.layout,
    metadata.memory_format, metadata.Size, PurePath,
)  # fmt: skip
_CONTAINERS = (list, tuple, set, frozenset, dict, OrderedDict, Counter, defaultdict)
_DICTS = (dict, OrderedDict, Counter, defaultdict)
_UNFOLDED = 1_000  # the largest size of an object, in multiples of the size of its pickle

_KEYS = 1_000  # that are inserted between two looks at the clock

_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_MODULES = {"numpy.core": "numpy._core", "pathlib._local": "pathlib"}  # of other versions
_PATHS = ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
_FACTORIES = {"list": list, "dict": dict, "int": int, "float": float, "set": set, "str": str}


class Callee:
    """A function of the table that a pickle may call. The pickle cannot look inside."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class Allowed:
    """What the pickle of one file may name, and what it may build. `storage` finds a storage by id.

    `size` is the number of bytes of the pickle: what it builds must be in proportion. `objects`
    counts what the file makes.
    """

    def __init__(
        self, storage: Callable[[Any], tensors.Storage] | None, size: int, objects: Objects
    ) -> None:
        self._trusted = Trusted()
        self.make = objects.make
        self._storage, self._size = storage, size
        self._budget = Budget(size)
        self._numpy = Builders(self._budget)
        self._found: dict[str, Any] = {}
        self._results: dict[int, Any] = {}  # of the functions that the program allows, by their id

    # --- What the interpreter asks for ------------------------------------------------------------

    def find(self, module: str, name: str) -> Any:
        """What a name stands for. CheckpointError for a name that is not allowed."""
        module = _PYTHON_2.get(module, module)
        for old, new in _MODULES.items():
            if module == old or module.startswith(old + "."):
                module = new + module[len(old) :]
        path = f"{module}.{name}"
        if path not in self._found:
            self._found[path] = self._look_up(module, name, path)
        return self._found[path]

    def _look_up(self, module: str, name: str, path: str) -> Any:
        if path in _TABLE:
            return Callee(path)
        if path == "numpy.ndarray":
            return np.ndarray
        if module == "builtins" and name in _FACTORIES:
            return _FACTORIES[name]
        if module in ("torch", "torch.cuda", "torch.storage"):
            dtype = dtypes.of_storage(name)
            if dtype is not None:
                return tensors.StorageClass(dtype)
            dtype = dtypes.named(name) if module == "torch" else None
            if dtype is not None:
                return dtypes.for_users(dtype)
        trusted = self._trusted.find(path)
        if trusted is not None:
            return trusted
        raise CheckpointError(refusal(module, path))

    def persistent(self, pid: Any) -> tensors.Storage:
        """The storage with this id."""
        self.make(1)
        if type(pid) is tuple and pid[:1] == ("module",):
            raise CheckpointError(WHOLE_MODEL)
        if self._storage is None:
            raise ValueError("it refers to another file")
        return self._storage(pid)

    def call(self, function: Any, args: Any) -> Any:
        """The result of an allowed function."""
        self.make()
        if type(args) is not tuple:
            raise ValueError("it calls a function with something else than a tuple")
        if isinstance(function, Callee):
            return _TABLE[function.path](self, *args)
        if self._trusted.knows(function):
            return self._result(function(*args))
        raise ValueError(f"it calls a {type(function).__name__}")

    def new(self, cls: Any, args: Any) -> Any:
        """A new object of a class, for which `__init__` is not called."""
        if isinstance(cls, Callee):
            return self.call(cls, args)
        self.make()
        if type(args) is not tuple or not isinstance(cls, type) or not self._trusted.knows(cls):
            raise ValueError("it makes an object of a class that is not allowed")
        return self._result(cls.__new__(cls, *args))

    def _result(self, made: Any) -> Any:
        self._results[id(made)] = made
        return made

    def build(self, made: Any, state: Any) -> None:
        """Give an object its state."""
        if type(made) in (OrderedDict, Namespace):
            if type(state) is not dict or not all(_is_attribute(name) for name in state):
                raise ValueError(f"the state of a {type(made).__name__} is no dict of attributes")
            self._budget.spend(len(state))
            vars(made).update(state)
        elif self._numpy.build(made, state):
            pass
        elif self._trusted.knows(type(made)):
            _set_state(made, state)
        else:
            raise ValueError(f"it gives a {type(made).__name__} a state")

    def append(self, target: Any, items: list[Any]) -> None:
        """Add items to a list."""
        if type(target) is not list and not (
            isinstance(target, list) and self._trusted.knows(type(target))
        ):
            raise ValueError(f"it appends to a {type(target).__name__}")
        target.extend(items)

    def set_items(self, target: Any, items: list[Any]) -> None:
        """Set items of a dict: keys and values in turn."""
        if type(target) not in _DICTS and not (
            isinstance(target, dict) and self._trusted.knows(type(target))
        ):
            raise ValueError(f"it sets items of a {type(target).__name__}")
        if len(items) % 2:
            raise ValueError("a key of a dict has no value")
        for start in range(0, len(items), 2 * _KEYS):
            part = items[start : start + 2 * _KEYS]
            measured = len(target) > _KEYS and type(target) in _DICTS
            began = thread_time() if measured else 0.0
            for key, value in zip(part[::2], part[1::2], strict=True):
                self._check_key(key)
                target[key] = value
            if measured:
                self._budget.insert(len(part) // 2, thread_time() - began)

    def add(self, target: Any, items: list[Any]) -> None:
        """Add items to a set."""
        if type(target) is not set:
            raise ValueError(f"it adds to a {type(target).__name__}")
        self._budget.spend(len(items))
        for start in range(0, len(items), _KEYS):
            part = items[start : start + _KEYS]
            for item in part:
                self._check_key(item)
            began = thread_time()
            target.update(part)
            self._budget.insert(len(part), thread_time() - began)

    def frozen(self, items: list[Any]) -> frozenset[Any]:
        """A frozenset of the items."""
        return frozenset(self._set(items))

    def check(self, result: Any) -> None:
        """ValueError unless the finished object holds allowed values in a sound structure."""
        size = visit(result, _children, self._leaf)
        if size > _UNFOLDED * max(self._size, 100):
            raise ValueError("its containers refer to each other so often that no one can read it")

    # --- Functions of the table -------------------------------------------------------------------

    def _leaf(self, value: Any) -> int:
        kind = type(value)
        if kind in _TEXTS:
            return 1 + len(value)
        known = kind in _SCALARS or isinstance(value, _OBJECTS) or self._trusted.knows(kind)
        if not known and id(value) not in self._results:
            kind_name = "function or class" if isinstance(value, (Callee, type)) else kind.__name__
            raise ValueError(f"it holds a {kind_name}, which is not part of the data of a model")
        return 1

    def _set(self, items: Any = ()) -> set[Any]:
        if not isinstance(items, (list, tuple, set, frozenset)):
            raise ValueError("a set is made of something else than a list")
        made: set[Any] = set()
        self.add(made, list(items))
        return made

    def _check_key(self, key: Any) -> None:
        """`check_key`. Its steps beyond the first are part of the budget."""
        more = check_key(key, self._trusted.knows)
        if more:
            self._budget.spend(more)

    def _ordered(self, items: Any = ()) -> OrderedDict[Any, Any]:
        made: OrderedDict[Any, Any] = OrderedDict()
        self._budget.spend(len(items))
        for pair in items.items() if isinstance(items, dict) else items:
            if type(pair) not in (list, tuple) or len(pair) != 2:
                raise ValueError("an OrderedDict is made of something else than pairs")
            self.set_items(made, list(pair))
        return made

    def _counter(self, counts: Any = None) -> Counter[Any]:
        if counts is not None and type(counts) is not dict:
            raise ValueError("a Counter is made of something else than a dict")
        self._budget.spend(len(counts or ()))
        return Counter(counts)

    def _default(self, factory: Any = None) -> defaultdict[Any, Any]:
        if factory is not None and not any(factory is known for known in _FACTORIES.values()):
            raise ValueError("a defaultdict makes values of an unknown kind")
        return defaultdict(factory)

    def _encode(self, text: Any, encoding: Any) -> bytes:
        if type(text) is not str or encoding not in ("latin1", "latin-1", b"latin1"):
            raise ValueError(f"it encodes a {type(text).__name__} in another encoding than latin1")
        self._budget.spend(len(text))
        return text.encode("latin1")

    def _byte_string(self, data: Any = b"", encoding: Any = None) -> bytes:
        if encoding is not None:
            return self._encode(data, encoding)
        if not isinstance(data, (bytes, bytearray)):  # bytes(10**12) would be 1 TB
            raise ValueError(f"bytes are made of a {type(data).__name__}")
        self._budget.spend(len(data))
        return bytes(data)

    def _with_state(self, rebuild: Any, cls: Any, args: Any, state: Any) -> Any:
        """A Tensor that has attributes of its user. `rebuild` makes the Tensor from `args`."""
        if not isinstance(rebuild, Callee) or rebuild.path not in _TENSORS:
            raise ValueError("a tensor is made in an unknown way")
        if not isinstance(cls, Callee) or _TABLE[cls.path] is not _not_callable:
            raise ValueError("a subclass of Tensor is not supported")
        return self._attributes(self.call(rebuild, args), state)

    def _parameter(self, data: Any, requires_grad: Any, hooks: Any, state: Any) -> Any:
        """A Parameter that has attributes of its user."""
        return self._attributes(tensors.parameter(data, requires_grad), state)

    def _attributes(self, made: Any, state: Any) -> Any:
        names = tensors.attributes_in(state)
        self._budget.spend(len(names))
        made.__dict__.update(names)
        return made

    def _path(self, kind: str, *parts: Any) -> PurePath:
        """A path. Those of another system are pure here: nothing can be opened by them."""
        if not all(type(part) is str for part in parts):
            raise ValueError("a path is made of something else than texts")
        self._budget.spend(sum(map(len, parts)))
        pure = PureWindowsPath if "Windows" in kind else PurePosixPath
        real = issubclass(type(Path()), pure) and not kind.startswith("Pure")
        return Path(*parts) if real else pure(*parts)

    def _torch_size(self, size: Any = ()) -> metadata.Size:
        if type(size) not in (tuple, list) or not all(type(n) is int for n in size):
            raise ValueError("a torch.Size is made of something else than integers")
        self._budget.spend(len(size))
        return metadata.Size(size)


def _children(value: Any) -> Any:
    if type(value) is Namespace:
        return vars(value).values()
    if isinstance(value, Recorded):
        attributes = tensors.attributes_of(value)  # type: ignore[arg-type]  # they are Tensors
        return attributes.values() if attributes else None
    if type(value) not in _CONTAINERS:
        return None
    if not isinstance(value, dict):
        return value
    return chain(value, value.values(), getattr(value, "__dict__", {}).values())


def _is_attribute(name: Any) -> bool:
    return type(name) is str and not name.startswith("__")


def _set_state(made: Any, state: Any) -> None:
    """Give an object of a trusted class its state, as pickle does."""
    if hasattr(made, "__setstate__"):
        made.__setstate__(state)
        return
    state, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
    for part in (state, slots):
        if part is not None and not (type(part) is dict and all(map(_is_attribute, part))):
            raise ValueError(f"the state of a {type(made).__name__} is no dict of attributes")
    vars(made).update(state or {})
    for name, value in (slots or {}).items():
        setattr(made, name, value)


def _complex(real: Any = 0.0, imag: Any = 0.0) -> complex:
    if not {type(real), type(imag)} <= {int, float}:
        raise ValueError("a complex number is made of something else than numbers")
    return complex(real, imag)


def _range(*args: Any) -> range:
    if not all(type(n) is int for n in args):
        raise ValueError("a range is made of something else than integers")
    return range(*args)


def _namespace() -> Namespace:
    return Namespace()


def _device(*args: Any) -> metadata.device:
    if not args or type(args[0]) is not str or not all(type(n) is int for n in args[1:]):
        raise ValueError(f"a device is made of {shown(args)}")
    return metadata.device(*args)


def _layout(name: Any) -> Any:
    if type(name) is not str or name != "torch.strided":
        raise ValueError(f"the layout {shown(name)} is not supported")
    return metadata.strided


def _not_callable(allowed: Allowed, *args: Any) -> Any:
    raise ValueError("it calls a class that is only named")


def _path_of(kind: str) -> Callable[..., PurePath]:
    return lambda allowed, *parts: allowed._path(kind, *parts)


def _free(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that needs to know nothing of the file."""
    return lambda allowed, *args: function(*args)


_TENSORS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _free(tensors.tensor),
    "torch._utils._rebuild_tensor_v2": _free(tensors.tensor),
    "torch._utils._rebuild_tensor_v3": _free(tensors.tensor_of_dtype),
}
_TABLE: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": Allowed._ordered,
    "collections.Counter": Allowed._counter,
    "collections.defaultdict": Allowed._default,
    "builtins.set": Allowed._set,
    "builtins.frozenset": lambda allowed, *items: frozenset(allowed._set(*items)),
    "builtins.bytes": Allowed._byte_string,
    "builtins.bytearray": lambda allowed, *args: bytearray(allowed._byte_string(*args)),
    "builtins.complex": _free(_complex),
    "builtins.range": _free(_range),
    "builtins.xrange": _free(_range),
    "argparse.Namespace": _free(_namespace),
    **{f"pathlib.{kind}": _path_of(kind) for kind in _PATHS},
    "_codecs.encode": Allowed._encode,
    "torch.Size": Allowed._torch_size,
    "torch.device": _free(_device),
    "torch.serialization._get_layout": _free(_layout),
    **_TENSORS,
    "torch._utils._rebuild_parameter": _free(tensors.parameter),
    "torch._utils._rebuild_parameter_with_state": Allowed._parameter,
    "torch.nn.parameter.Parameter": _free(tensors.parameter),
    "torch._tensor._rebuild_from_type_v2": Allowed._with_state,
    "torch.Tensor": _not_callable,
    "torch.nn.parameter.Buffer": _not_callable,
    "numpy.dtype": lambda allowed, *args: allowed._numpy.dtype(*args),
    "numpy._core.multiarray.scalar": lambda allowed, *args: allowed._numpy.scalar(*args),
    "numpy._core.multiarray._reconstruct": lambda allowed, *args: allowed._numpy.array(*args),
    "numpy._core.numeric._frombuffer": lambda allowed, *args: allowed._numpy.from_buffer(*args),
}
