"""Writes objects as pickles of protocol 2, which PyTorch's `load(weights_only=True)` reads."""

from __future__ import annotations

import copyreg
import functools
import struct
from argparse import Namespace
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any, TypeAlias

import numpy as np

from .. import metadata
from ..nn.parameter import Parameter
from ..tensor import Tensor
from . import dtypes, numpys
from .structure import visit
from .tensors import Place, Stored, attributes_of, places_of
from .trusted import Trusted

_STORAGE, _CPU, _LATIN1 = "storage", "cpu", "latin1"  # one object each: the memo knows them by id
_BATCH = 1_000  # items of a list or a dict between two marks


def pickled(obj: Any, id_of: Callable[[Stored, tuple[Any, ...]], tuple[Any, ...]]) -> bytes:
    """The pickle of `obj`. `id_of` completes the beginning of the id of a storage.

    TypeError for an object that cannot be saved, before anything is written.
    """
    pickler = _Pickler(id_of)
    pickler.prepare(obj)
    pickler.out += b"\x80\x02"
    pickler.save(obj)
    return bytes(pickler.out + b".")


class _Global:
    """A name for a function or class, written once."""

    def __init__(self, module: str, name: str) -> None:
        self.code = f"c{module}\n{name}\n".encode()


def _torch(name: str) -> _Global:
    module, _, name = name.rpartition(".")
    return _Global(f"torch.{module}" if module else "torch", name)


_ORDERED = _Global("collections", "OrderedDict")
_COUNTER = _Global("collections", "Counter")
_ENCODE = _Global("_codecs", "encode")
_TENSOR = _torch("_utils._rebuild_tensor_v2")
_TENSOR_OF_DTYPE = _torch("_utils._rebuild_tensor_v3")
_TENSOR_WITH_STATE = _torch("_tensor._rebuild_from_type_v2")
_TENSOR_CLASS = _torch("Tensor")
_PARAMETER = _torch("_utils._rebuild_parameter")
_PARAMETER_WITH_STATE = _torch("_utils._rebuild_parameter_with_state")
_SIZE, _DEVICE = _torch("Size"), _torch("device")
_LAYOUT = _torch("serialization._get_layout")
_DTYPE, _ARRAY = _Global("numpy", "dtype"), _Global("numpy", "ndarray")
_SCALAR = _Global("numpy._core.multiarray", "scalar")
_RECONSTRUCT = _Global("numpy._core.multiarray", "_reconstruct")
_NAMESPACE = _Global("argparse", "Namespace")
_BUILTINS = {
    name: _Global("__builtin__", name)
    for name in ("set", "frozenset", "bytearray", "complex", "xrange")
}


_PLAIN = (list, tuple, dict, OrderedDict, set, frozenset)
_SIMPLE = {type(None), bool, int, float, complex, str, bytes}
_LEAVES = (
    bool, int, float, complex, str, bytes, bytearray, range, metadata.Size, metadata.device,
    metadata.layout, Tensor, PurePath,
)  # fmt: skip
_Parts: TypeAlias = tuple[Any, Any, Any, Any, Any]


class _Pickler:
    def __init__(self, id_of: Callable[[Stored, tuple[Any, ...]], tuple[Any, ...]]) -> None:
        self.out = bytearray()
        self._id_of = id_of
        self._memo: dict[int, int] = {}
        self._kept: list[Any] = []  # objects whose ids are in a dict, so that these stay theirs
        self._trusted = Trusted()
        self._parts: dict[int, _Parts] = {}  # of the objects of trusted classes
        self._tensors: dict[int, Tensor] = {}
        self._places: dict[int, Place] = {}
        self._trusted_globals: dict[str, _Global] = {}

    # --- First: look at all that is to be saved ---------------------------------------------------

    def prepare(self, obj: Any) -> None:
        """Find the places of all Tensors. TypeError for an object that cannot be saved."""
        try:
            visit(obj, self._children, lambda value: self._check(value, obj))
        except ValueError as error:
            raise TypeError(f"save: the object cannot be saved: {error}") from None
        refuse = functools.partial(_refusal, whole=obj)
        self._places = places_of(self._tensors.values(), refuse)

    def _children(self, value: Any) -> Iterable[Any] | None:
        if type(value) in _SIMPLE:
            return None
        if isinstance(value, Tensor):
            self._tensors[id(value)] = value
            attributes = attributes_of(value)
            return attributes.values() if attributes else None
        if type(value) not in _PLAIN and self._trusted.knows(type(value)):
            return self._parts_of(value)[1:]
        if isinstance(value, metadata.Size):
            return None
        if type(value) is Namespace:
            return vars(value).values()
        if isinstance(value, dict):
            return [*value, *value.values(), *_attributes_of_dict(value).values()]
        return value if isinstance(value, (list, tuple, set, frozenset)) else None

    def _parts_of(self, value: Any) -> _Parts:
        """An object of a trusted class: function or class, arguments, state, items, pairs."""
        if id(value) not in self._parts:
            reduced = value.__reduce_ex__(2)
            if not isinstance(reduced, tuple):
                raise TypeError(f"save: a {type(value).__name__} gives no parts that can be saved")
            function, args, state, items, pairs = (*reduced, None, None, None)[:5]
            items = None if items is None else list(items)
            pairs = None if pairs is None else [part for pair in pairs for part in pair]
            self._parts[id(value)] = function, args, state, items, pairs
            self._kept.append(value)
        return self._parts[id(value)]

    def _check(self, value: Any, whole: Any) -> int:
        """TypeError for an object without children that cannot be saved."""
        if type(value) in _SIMPLE:
            fine = True
        elif isinstance(value, (np.ndarray, np.generic)):
            fine = numpys.can_be_saved(value.dtype)
        elif isinstance(value, np.dtype):
            fine = dtypes.name_of(value) is not None or numpys.can_be_saved(value)
        else:
            fine = value is None or isinstance(value, _LEAVES) or self._trusted.knows(value)
            fine = fine or dtypes.name_of(value) is not None
        if not fine:
            raise _refusal(value, whole)
        return 1

    # --- Then: write it ---------------------------------------------------------------------------

    def save(self, value: Any) -> None:
        """Write the instructions that build `value`."""
        if value is None or value is True or value is False:
            self.out += {None: b"N", True: b"\x88", False: b"\x89"}[value]
        elif id(value) in self._memo:
            place = self._memo[id(value)]
            self.out += b"h%c" % place if place < 256 else b"j" + place.to_bytes(4, "little")
        elif isinstance(value, _Global):
            self.out += value.code
            self._remember(value)
        elif self._trusted.knows(value):
            self.save(self._trusted_global(value))
        elif type(value) not in _PLAIN and self._trusted.knows(type(value)):
            self._object(value)
        else:
            kind: Any = type(value)
            method = _method_of(kind)
            if method is None:
                self.save(_named(dtypes.name_of(value) or ""))  # a dtype
            else:
                method(self, value)

    def _remember(self, value: Any) -> None:
        """Give `value`, which is on the top of the stack, a place in the memo."""
        place = len(self._memo)
        self._memo[id(value)] = place
        self._kept.append(value)
        self.out += b"q%c" % place if place < 256 else b"r" + place.to_bytes(4, "little")

    def _call(self, function: _Global, *args: Any) -> None:
        self.save(function)
        self.save(args)
        self.out += b"R"

    def _made(self, value: Any, function: _Global, *args: Any) -> None:
        """`value`, as the result of a function."""
        self._call(function, *args)
        self._remember(value)

    # --- Numbers, texts, and what programs keep beside weights ---

    def _int(self, value: int) -> None:
        value = int(value)
        if 0 <= value < 256:
            self.out += b"K%c" % value
        elif 0 <= value < 65536:
            self.out += b"M" + value.to_bytes(2, "little")
        elif -(2**31) <= value < 2**31:
            self.out += b"J" + value.to_bytes(4, "little", signed=True)
        else:
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            short = len(data) < 256
            self.out += (
                b"\x8a%c" % len(data) if short else b"\x8b" + len(data).to_bytes(4, "little")
            )
            self.out += data

    def _float(self, value: float) -> None:
        self.out += b"G" + struct.pack(">d", value)

    def _complex(self, value: complex) -> None:
        self._made(value, _BUILTINS["complex"], value.real, value.imag)

    def _str(self, value: str) -> None:
        data = value.encode("utf-8", "surrogatepass")
        self.out += b"X" + len(data).to_bytes(4, "little") + data
        self._remember(value)

    def _bytes(self, value: bytes) -> None:
        self._made(value, _ENCODE, value.decode("latin1"), _LATIN1)

    def _bytearray(self, value: bytearray) -> None:
        self._made(value, _BUILTINS["bytearray"], *([bytes(value)] if value else []))

    def _range(self, value: range) -> None:
        self._made(value, _BUILTINS["xrange"], value.start, value.stop, value.step)

    def _path(self, value: PurePath) -> None:
        self._made(value, _named_path(type(value).__name__), *value.parts)

    def _namespace(self, value: Namespace) -> None:
        self.save(_NAMESPACE)
        self.save(())
        self.out += b"\x81"
        self._remember(value)
        self.save(vars(value))
        self.out += b"b"

    # --- Containers ---

    def _tuple(self, value: tuple[Any, ...]) -> None:
        if not value:
            self.out += b")"
            return
        if len(value) > 3:
            self.out += b"("
        for item in value:
            self.save(item)
        self.out += {1: b"\x85", 2: b"\x86", 3: b"\x87"}.get(len(value), b"t")
        self._remember(value)

    def _list(self, value: list[Any]) -> None:
        self.out += b"]"
        self._remember(value)
        self._batches(value, 1, b"a", b"e")

    def _set(self, value: Any) -> None:
        kind = "set" if isinstance(value, set) else "frozenset"
        self._made(value, _BUILTINS[kind], list(value))

    def _dict(self, value: dict[Any, Any]) -> None:
        if type(value) is Counter:
            self._made(value, _COUNTER, dict(value))
            return
        if isinstance(value, OrderedDict):
            self._made(value, _ORDERED)
        else:
            self.out += b"}"
            self._remember(value)
        self._batches([part for pair in value.items() for part in pair], 2, b"s", b"u")
        attributes = _attributes_of_dict(value)
        if attributes:
            self.save(attributes)
            self.out += b"b"

    def _batches(self, items: list[Any], width: int, one: bytes, many: bytes) -> None:
        """Add `width` objects at a time to the container on the top of the stack."""
        for start in range(0, len(items), _BATCH * width):
            batch = items[start : start + _BATCH * width]
            single = len(batch) == width
            self.out += b"" if single else b"("
            for item in batch:
                self.save(item)
            self.out += one if single else many

    # --- Tensors ---

    def _tensor(self, value: Tensor) -> None:
        attributes = attributes_of(value)
        if isinstance(value, Parameter):
            data = value.detach()
            self._places[id(data)] = self._places[id(value)]
            whole: tuple[Any, ...] = (data, value.requires_grad, OrderedDict())
            if attributes:
                self._made(value, _PARAMETER_WITH_STATE, *whole, attributes)
            else:
                self._made(value, _PARAMETER, *whole)
            return
        place = self._places[id(value)]
        kind = dtypes.storage_of(place.storage.dtype)
        args: tuple[Any, ...] = (
            place, place.offset, place.size, place.stride, value.requires_grad, OrderedDict()
        )  # fmt: skip
        function = _TENSOR
        if kind is None:
            function, args = _TENSOR_OF_DTYPE, (*args, _named(place.storage.dtype.name))
        if attributes:
            self._made(value, _TENSOR_WITH_STATE, function, _TENSOR_CLASS, args, attributes)
        else:
            self._made(value, function, *args)

    def _storage(self, place: Place) -> None:
        stored = place.storage
        kind = dtypes.storage_of(stored.dtype)
        cls = _named("storage.UntypedStorage" if kind is None else kind)
        self.save(self._id_of(stored, (_STORAGE, cls, _CPU, stored.count)))
        self.out += b"Q"

    def _size(self, value: metadata.Size) -> None:
        self._made(value, _SIZE, tuple(value))

    def _device(self, value: metadata.device) -> None:
        self._made(
            value, _DEVICE, *([value.type] if value.index is None else [value.type, value.index])
        )

    def _layout(self, value: metadata.layout) -> None:
        self._made(value, _LAYOUT, "torch.strided")

    # --- NumPy ---

    def _dtype(self, value: np.dtype[Any]) -> None:
        name = dtypes.name_of(value)
        self.save(_named(name) if name else _numpy_type(value))

    def _numpy_type(self, value: _NumPyType) -> None:
        self._made(value, _DTYPE, value.dtype.str[1:], False, True)
        self.save(numpys.state_of(value.dtype))
        self.out += b"b"

    def _scalar(self, value: np.generic) -> None:
        self._made(value, _SCALAR, _numpy_type(value.dtype), value.tobytes())

    def _array(self, value: np.ndarray) -> None:
        self._made(value, _RECONSTRUCT, _ARRAY, (0,), b"b")
        fortran = value.flags.f_contiguous and not value.flags.c_contiguous
        data = value.tobytes("F" if fortran else "C")
        self.save((1, value.shape, _numpy_type(value.dtype), fortran, data))
        self.out += b"b"

    # --- Objects of trusted classes ---

    def _trusted_global(self, value: Any) -> _Global:
        path = self._trusted.path(value)
        if path not in self._trusted_globals:
            self._trusted_globals[path] = _Global(*path.rsplit(".", 1))
        return self._trusted_globals[path]

    def _object(self, value: Any) -> None:
        function, args, state, items, pairs = self._parts_of(value)
        new = function is copyreg.__newobj__  # type: ignore[attr-defined]
        called, args = (args[0], args[1:]) if new else (function, args)
        if not self._trusted.knows(called):
            raise TypeError(
                f"save: a {type(value).__name__} needs {called!r}, which is not allowed"
            )
        self.save(self._trusted_global(called))
        self.save(args)
        self.out += b"\x81" if new else b"R"
        self._remember(value)
        self._batches(items or [], 1, b"a", b"e")
        self._batches(pairs or [], 2, b"s", b"u")
        if state is not None:
            self.save(state)
            self.out += b"b"


class _NumPyType:
    """NumPy's dtype as the part of an array, where PyTorch's name of the dtype must not stand."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype


@functools.cache
def _named(name: str) -> _Global:
    """The global of a class of storages or of a dtype."""
    return _torch(name)


@functools.cache
def _named_path(kind: str) -> _Global:
    return _Global("pathlib", kind)


@functools.cache
def _numpy_type(dtype: np.dtype[Any]) -> _NumPyType:
    return _NumPyType(dtype)


_METHODS: list[tuple[Any, Callable[[_Pickler, Any], None]]] = [  # the first that fits
    (Tensor, _Pickler._tensor),
    (Place, _Pickler._storage),
    (np.ndarray, _Pickler._array),
    (np.generic, _Pickler._scalar),
    (np.dtype, _Pickler._dtype),
    (_NumPyType, _Pickler._numpy_type),
    (int, _Pickler._int),
    (float, _Pickler._float),
    (complex, _Pickler._complex),
    (str, _Pickler._str),
    (bytes, _Pickler._bytes),
    (bytearray, _Pickler._bytearray),
    (range, _Pickler._range),
    (PurePath, _Pickler._path),
    (Namespace, _Pickler._namespace),
    (metadata.Size, _Pickler._size),
    (metadata.device, _Pickler._device),
    (metadata.layout, _Pickler._layout),
    (tuple, _Pickler._tuple),
    (list, _Pickler._list),
    ((set, frozenset), _Pickler._set),
    (dict, _Pickler._dict),
]


@functools.cache
def _method_of(kind: type) -> Callable[[_Pickler, Any], None] | None:
    return next((method for kinds, method in _METHODS if issubclass(kind, kinds)), None)


def _attributes_of_dict(value: dict[Any, Any]) -> dict[str, Any]:
    """The attributes of an OrderedDict, such as the `_metadata` of a state dict."""
    return vars(value) if type(value) is OrderedDict else {}


def _refusal(value: Any, whole: Any) -> TypeError:
    """The error for a part of `whole` that cannot be saved."""
    kind = (
        f"array of dtype {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
    )
    hint = ""
    if hasattr(value, "state_dict"):
        hint = ": save its state_dict()"
    elif not isinstance(value, (Tensor, np.ndarray, np.generic)):
        hint = ": save its parts, or allow its class by serialization.safe_globals"
    article = "an" if kind[0] in "aeiou" else "a"
    return TypeError(
        f"save: {_where(value, whole)} is {article} {kind}, which cannot be saved{hint}"
    )


def _where(wanted: Any, whole: Any) -> str:
    """The path from the object to a part of it, as Python would write it."""
    stack = [("the object", whole)]
    while stack:
        path, value = stack.pop()
        if value is wanted:
            return path
        if isinstance(value, dict):
            stack += [(f"a key of {path}", key) for key in value]
            stack += [(f"{path}[{key!r}]", item) for key, item in value.items()]
        elif isinstance(value, (list, tuple)):
            stack += [(f"{path}[{k}]", item) for k, item in enumerate(value)]
    return "a part of the object"
