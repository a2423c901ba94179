"""FunctionModule: a module that is a function and its settings.

    class LeakyReLU(FunctionModule, function=F.leaky_relu):
        negative_slope: float = 0.01
        inplace: bool = False

The annotated names of the body are the settings. They are the parameters of the constructor in that
order, attributes of each instance, keyword arguments of the function, and the text of `repr`. Type
checkers read them like the fields of a dataclass.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

from ..functions.public import body
from ..tensor import Tensor
from ..types import Ints
from .module import Module

_REQUIRED = Parameter.empty


def per_axis(value: Ints, n: int) -> tuple[int, ...]:
    """A setting with a value for each axis: an integer n times, a sequence as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n  # type: ignore[return-value]


class _SignatureOfSettings:
    """The `__signature__` of a class, made at first use. Its instances have none."""

    def __get__(self, instance: Any, owner: type[FunctionModule]) -> Signature:
        if instance is not None:  # its call has another signature
            raise AttributeError("__signature__")
        types: dict[str, Any] = {}
        for cls in reversed(owner.__mro__):
            types |= get_annotations(cls)
        return Signature(
            [
                Parameter(name, owner._kind, default=default, annotation=types[name])
                for name, default in owner._settings.items()
            ]
        )


@dataclass_transform(eq_default=False)
class FunctionModule(Module):
    """Base of layers without parameters: `forward(input)` is `function(input, **settings)`.

    A class with `function=` lists its settings, after those of its bases. A class without it keeps
    both from its base. `shown` names the settings that `repr` shows; by default all of them, but
    `inplace` only where it is True. `kw_only` makes the settings keyword-only. A class may define
    `__post_init__`, which runs when the settings are set.
    """

    _function: ClassVar[Callable[..., Any]]
    _settings: ClassVar[dict[str, Any]] = {}  # with their defaults
    _kind: ClassVar[Any] = Parameter.POSITIONAL_OR_KEYWORD
    _shown: ClassVar[tuple[str, ...] | None] = None
    __signature__: ClassVar[Any] = _SignatureOfSettings()

    def __init_subclass__(
        cls,
        *,
        function: Callable[..., Any] | None = None,
        shown: tuple[str, ...] | None = None,
        kw_only: bool = False,
        **kwargs: Any,
    ):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__signature__ = None  # inspect then reads __init__
        elif function is not None:
            cls.__signature__ = _SignatureOfSettings()
        if function is None:
            return
        cls._function = staticmethod(body(function))
        cls._shown = cls._shown if shown is None else shown
        cls._kind = Parameter.KEYWORD_ONLY if kw_only else cls._kind
        cls._settings = dict(cls._settings)
        for name in get_annotations(cls):
            if not name.startswith("_"):  # which is a ClassVar
                cls._settings[name] = vars(cls).get(name, _REQUIRED)
                if name in vars(cls):
                    delattr(cls, name)  # instances alone have it

    if TYPE_CHECKING:  # of a class without settings: mypy makes one for the others

        def __init__(self) -> None: ...
    else:

        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__()
            for name, value in _bound(type(self), args, kwargs).items():
                setattr(self, name, value)
            self.__post_init__()

    def __post_init__(self) -> None:
        """Check or change the settings."""

    def forward(self, input: Tensor) -> Tensor:
        """The function of the input, with the settings."""
        if not self._settings:
            return self._function(input)
        own = self.__dict__
        return self._function(input, **{name: own[name] for name in self._settings})

    def extra_repr(self) -> str:
        """The settings."""
        shown = self._shown
        if shown is None:
            shown = tuple(n for n in self._settings if n != "inplace" or self.inplace)
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)


def _bound(
    cls: type[FunctionModule], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The value of each setting. TypeError in Python's words for arguments that do not fit."""
    settings = cls._settings
    places = [] if cls._kind is Parameter.KEYWORD_ONLY else list(settings)
    required = [name for name, default in settings.items() if default is _REQUIRED]
    given = dict(zip(places, args, strict=False))
    error = None
    if len(args) > len(places):
        least, most = 1 + len(required), 1 + len(places)
        takes = f"from {least} to {most}" if least < most else str(most)
        error = (
            f"takes {takes} positional argument{'s' * (most > 1)} but {len(args) + 1} were given"
        )
    for name in kwargs:
        if name not in settings:
            error = f"got an unexpected keyword argument '{name}'"
        elif name in given:
            error = f"got multiple values for argument '{name}'"
    given |= kwargs
    missing = [repr(name) for name in required if name not in given]
    if missing and not error:
        plural = "s" * (len(missing) > 1)
        error = (
            f"missing {len(missing)} required positional argument{plural}: {' and '.join(missing)}"
        )
    if error:
        raise TypeError(f"{cls.__name__}.__init__() {error}")
    return {**settings, **given}
