"""The decorator of public functions: PyTorch's keywords, `out=`, and errors for wrong arguments.

    @public
    def exp(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        return ops.exp(input)

The signature is PyTorch's. `public` implements the rest of PyTorch's conventions: NumPy's names for
parameters, `out`, a sequence by keyword for `*size`, and a Tensor where the annotation is `Tensor`.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np

from ..dtypes import shown
from ..engine import Recorded, grad_mode, mark_written, no_grad
from ..engine.dtypes import RANK
from .arguments import kind_of, not_a_tensor

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
ALIASES = {  # NumPy's names, which PyTorch takes too; and a name that Python keeps for itself
    "x": "input", "a": "input", "x1": "input", "x2": "other", "axis": "dim", "keepdims": "keepdim",
    "from": "from_", "ddof": "correction",
}  # fmt: skip


@overload
def public(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def public(*, overloads: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def public(function: Any = None, *, overloads: bool = False) -> Any:
    """A public function of Tensors, made of one with PyTorch's signature.

    `overloads`: PyTorch has several signatures of it, and then other words for wrong arguments.
    The function need not look at its parameter `out`.
    """
    if function is None:
        return functools.partial(public, overloads=overloads)
    return _function(Edge(function, function.__name__, overloads))


def renamed(kwargs: dict[str, Any], names: Sequence[str | None]) -> dict[str, Any]:
    """Keyword arguments with PyTorch's names for NumPy's; `names` are those of the parameters."""
    found = {}
    for name, value in kwargs.items():
        other = ALIASES.get(name, name)
        there = name in names or other not in names or other in kwargs
        found[name if there else other] = value
    return found


def numpys_names(function: Callable[P, R]) -> Callable[P, R]:
    """A function that takes NumPy's names for its parameters too, and checks the rest by itself.

    PyTorch's built-in functions take them, so also those of nn.functional. Layers call the `body`.
    """
    code: Any = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not ALIASES.keys().isdisjoint(kwargs):
            kwargs = renamed(kwargs, names)
        return function(*args, **kwargs)

    call.body = function  # type: ignore[attr-defined]
    return call


def body(function: Callable[P, R]) -> Callable[P, R]:
    """The function under `numpys_names`, which a layer calls by PyTorch's names; others as they are."""
    return getattr(function, "body", function)


def alias(name: str, function: F) -> F:
    """A public function under another of PyTorch's names."""
    edge: Any = function.edge  # type: ignore[attr-defined]
    return _function(Edge(edge.function, name, edge.overloads))


def _function(edge: Edge) -> Any:
    function, checks, least, most = edge.function, edge.checks, edge.least, edge.most

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs or not least <= len(args) <= most:
            return edge.call(args, kwargs)
        for k, kinds in checks:
            if not isinstance(args[k], kinds):
                raise edge.error(k, args, kwargs)
        return function(*args)

    call.__module__, call.__doc__ = function.__module__, function.__doc__
    call.__annotations__ = function.__annotations__
    call.__name__ = call.__qualname__ = edge.name
    vars(call).update(edge=edge, __wrapped__=function)
    return call


def as_method(
    function: Callable[P, R], in_place: Callable[..., Any] | None = None
) -> Callable[P, R]:
    """The method of Tensor that a public function is: its first parameter is the Tensor itself.

    `in_place`: what its in-place form runs instead. That has the name of the function and a `_`.
    """
    if not hasattr(function, "edge"):
        return in_place or function
    edge: Edge = function.edge.of_method(in_place)
    inner, checks, least, most = edge.run, edge.checks[1:], edge.least, edge.most

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs or not least <= len(args) + 1 <= most or not isinstance(self, Recorded):
            return edge.call((self, *args), kwargs)
        for k, kinds in checks:
            if not isinstance(args[k - 1], kinds):
                raise edge.error(k, (self, *args), kwargs)
        return inner(self, *args)

    call.__module__, call.__doc__ = function.__module__, function.__doc__
    if in_place is not None:
        call.__doc__ = in_place_doc(function)
    call.__name__ = call.__qualname__ = edge.name
    call.__wrapped__ = edge  # type: ignore[attr-defined]  # which has the signature
    return call  # type: ignore[return-value]


def in_place_doc(function: Any) -> str:
    """The docstring of the in-place form of a public function."""
    return (
        f"`{function.__name__}` in place: overwrite this Tensor, the input, and return it.\n\n"
        "    RuntimeError for a leaf that requires grad, and for a result of another shape or kind of\n"
        f"    dtype. As a function:\n\n    {function.__doc__}"
    )


NUMBERS = (int, float, np.number, np.bool_)
KINDS: dict[str, Any] = {  # of arguments, by the annotation of their parameter
    "Tensor": Recorded,
    "Tensor | Number": (Recorded, *NUMBERS),
    "Tensor | None": (Recorded, type(None)),
    "Tensor | Number | None": (Recorded, *NUMBERS, type(None)),
    "Tensor | int": (Recorded, int, np.integer),
    "Tensor | int | None": (Recorded, int, np.integer, type(None)),
    "Sequence[Tensor]": (tuple, list),
}


class Edge:
    """The checks and changes of the arguments of one public function, or of its method.

    `checks`: the places of the required arguments that must be Tensors, with the types that are
    taken. A call with `least` to `most` positional arguments and no keywords needs no other check.
    """

    method = False
    numpys: Callable[..., Any] | None = None  # what NumPy's function of this name does, if another

    def __init__(self, function: Any, name: str, overloads: bool):
        self.function, self.name, self.overloads = function, name, overloads
        self.run = function  # what is called in the end
        code, annotations = function.__code__, function.__annotations__
        count, named = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
        self.names: tuple[str, ...] = code.co_varnames[:named]
        several = code.co_flags & inspect.CO_VARARGS
        self.several = code.co_varnames[named] if several else None  # `size` of `*size`
        self.kinds = {
            k: KINDS[annotations[n]]
            for k, n in enumerate(self.names)
            if annotations.get(n) in KINDS and n != "out"
        }
        self.lists = {n for n in self.names if annotations.get(n) == "Sequence[Tensor]"}
        required = count - len(function.__defaults__ or ())
        self.checks = [(k, kinds) for k, kinds in self.kinds.items() if k < required]
        self.least = required
        optional = [k for k in self.kinds if required <= k < count]
        self.most = min(optional) if optional else 1 << 30 if several else count
        self.takes_out = "out" in self.names

    def of_method(self, in_place: Callable[..., Any] | None = None) -> Edge:
        """That of the method, which takes no `out`; or of its in-place form, which runs `in_place`."""
        edge = Edge.__new__(Edge)
        vars(edge).update(vars(self), method=True, takes_out=False)
        if self.kinds.get(0, Recorded) is not Recorded:  # the function takes a number there
            edge.kinds = {**self.kinds, 0: Recorded}
        if in_place is not None:
            edge.name, edge.run = self.name + "_", in_place
        return edge

    @property
    def __signature__(self) -> inspect.Signature:
        """The signature of a method, with `self` as the first parameter. Made at first use."""
        signature = inspect.signature(self.function)
        own, *others = signature.parameters.values()
        others = [p for p in others if p.name != "out"]
        return signature.replace(parameters=[own.replace(name="self"), *others])

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the function with arguments that may need a change, or be wrong."""
        if not ALIASES.keys().isdisjoint(kwargs):
            kwargs = renamed(kwargs, (*self.names, self.several))
        if self.several in kwargs:
            if len(args) > self.function.__code__.co_argcount:
                raise TypeError(f"{self.name}() got multiple values for argument '{self.several}'")
            args = (*args, kwargs.pop(self.several))
        by_place = len(args)
        for k, kinds in self.kinds.items():
            if k < by_place:
                value = args[k]
            elif self.names[k] in kwargs:
                value = kwargs[self.names[k]]
            else:
                continue
            if not isinstance(value, kinds):
                raise self.error(k, args, kwargs)
        if "out" in kwargs:
            if self.method:
                return self.for_numpy(args, kwargs)
            if self.takes_out:
                out = kwargs.pop("out")
                if out is not None:
                    return self.into(out, args, kwargs)
        try:
            return self.run(*args, **kwargs)
        except TypeError:
            wrong = self.mismatch(args, kwargs)
            if wrong is None:
                raise
            raise wrong from None

    def for_numpy(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call of a method by a function of NumPy, which passes all that it has: np.mean(x) calls
        x.mean(axis=None, dtype=None, out=None).
        """
        if kwargs.pop("out") is not None or "out" not in self.names or self.name.endswith("_"):
            raise TypeError(f"{self.name}() got an unexpected keyword argument 'out'")
        if "dtype" not in self.names and kwargs.get("dtype", ...) is None:
            del kwargs["dtype"]
        return (self.numpys or self.run)(*args, **kwargs)

    def error(self, k: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
        """The error for parameter k, whose argument is not of the annotated kind."""
        name, given = self.name, args[1:] if self.method else args
        if self.method and k == 0:
            return TypeError(
                f"descriptor '{name}' for 'Tensor' objects doesn't apply to a '{kind_of(args[0])}' "
                "object"
            )
        if self.overloads:
            return self.no_combination(given, kwargs)
        argument = self.names[k]
        value = args[k] if k < len(args) else kwargs[argument]
        wanted = "tuple of Tensors" if argument in self.lists else "Tensor"
        return not_a_tensor(name, argument, value, k if self.method else k + 1, wanted)

    def no_combination(self, given: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
        """The error for arguments that fit none of several signatures."""
        kinds = [*map(kind_of, given), *(f"{n}={kind_of(v)}" for n, v in kwargs.items())]
        return TypeError(
            f"{self.name}() received an invalid combination of arguments - got ({', '.join(kinds)}), but "
            f"expected one of:\n * {self.expected()}\n"
        )

    def mismatch(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError | None:
        """The error for arguments that do not fit the signature, if they do not."""
        code, own = self.function.__code__, int(self.method)
        count = code.co_argcount
        required = self.names[own : count - len(self.function.__defaults__ or ())]
        missing = [n for n in required if n not in (*self.names[: len(args)], *kwargs)]
        unknown = [n for n in kwargs if n not in self.names]
        surplus = len(args) > count and not self.several
        if not (missing or unknown or surplus):
            return None
        if self.overloads:
            return self.no_combination(args[own:], kwargs)
        name = self.name
        if unknown:
            return TypeError(f"{name}() got an unexpected keyword argument '{unknown[0]}'")
        if missing:
            names = ", ".join(f'"{n}"' for n in missing)
            return TypeError(
                f"{name}() missing {len(missing)} required positional arguments: {names}"
            )
        most, least = count - own, len(required)
        takes = f"from {least} to {most}" if least < most else str(most)
        plural = "s" if most != 1 else ""
        return TypeError(
            f"{name}() takes {takes} positional argument{plural} but {len(args) - own} were given"
        )

    def wants_tensor(self, a: Any, b: Any) -> None:
        """TypeError if both operands are numbers."""
        if not isinstance(a, Recorded) and not isinstance(b, Recorded):
            raise self.error(0, (a, b), {})

    def expected(self) -> str:
        """The signature, in one line."""
        signature = self.__signature__ if self.method else inspect.signature(self.function)
        return str(signature).split(" -> ")[0].replace("'", "")

    # --- out= -----------------------------------------------------------------------------------

    def into(self, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Copy what the function returns into the Tensor `out`, or into several."""
        name = self.name
        outs = tuple(out) if isinstance(out, (tuple, list)) else (out,)
        for x in outs:
            if not isinstance(x, Recorded):
                raise TypeError(f"{name}(): argument 'out' must be Tensor, not {kind_of(x)}")
        if grad_mode.enabled and any(map(_requires_grad, (*outs, *args, *kwargs.values()))):
            raise RuntimeError(
                f"{name}(): functions with out=... arguments don't support automatic "
                "differentiation, but one of the arguments requires grad."
            )
        if "dtype" in self.names and len(outs) == 1:
            args, kwargs = self.in_dtype_of(out, args, kwargs)
        with no_grad():
            result = self.function(*args, **kwargs)
        results: Sequence[Any] = result if isinstance(result, tuple) else (result,)
        if len(results) != len(outs):
            raise TypeError(f"{name}(): out must be {len(results)} Tensors, got {len(outs)}")
        for target, y in zip(outs, results, strict=True):
            _check_out(name, target, y._array)
        for target, y in zip(outs, results, strict=True):
            _copy(target, y._array)
            if y._node is not None:  # made with requires_grad=True
                target.requires_grad = True
        return type(result)(*outs) if isinstance(result, tuple) else out

    def in_dtype_of(
        self, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, with the dtype of `out` for `dtype`. RuntimeError if they have another."""
        given = inspect.signature(self.function).bind(*args, **kwargs)
        dtype, own = given.arguments.get("dtype"), out._array.dtype
        if dtype is not None and dtype != own:
            raise RuntimeError(
                f"{self.name}(): Expected out tensor to have dtype {shown(np.dtype(dtype))}, but "
                f"got {shown(own)} instead"
            )
        given.arguments["dtype"] = own
        return given.args, given.kwargs


def _requires_grad(x: Any) -> bool:
    several = x if isinstance(x, (tuple, list)) else (x,)
    return any(isinstance(v, Recorded) and v._node is not None for v in several)


def _check_out(name: str, out: Any, y: np.ndarray) -> None:
    if RANK[y.dtype.kind] > RANK[out._array.dtype.kind]:
        raise RuntimeError(
            f"{name}(): result type {shown(y.dtype)} can't be cast to the desired output type "
            f"{out.dtype}"
        )
    if not out._array.flags.writeable:
        raise RuntimeError(f"{name}(): the memory of out is read-only: clone() it first")
    if out._array.shape != y.shape and hasattr(out, "_base"):
        raise RuntimeError(
            f"{name}(): out is a view of shape {out._array.shape}, which cannot be resized to "
            f"{y.shape}"
        )


def _copy(out: Any, y: np.ndarray) -> None:
    if out._array.shape == y.shape:
        np.copyto(out._array, y, casting="unsafe")
    else:
        if out._array.size:
            warnings.warn(
                "An output with one or more elements was resized since it had shape "
                f"{list(out._array.shape)}, which does not match the required output shape "
                f"{list(y.shape)}. Give an out of that shape, or an empty one",
                stacklevel=5,
            )
        out._array = y.astype(out._array.dtype)
    mark_written(out._array)
