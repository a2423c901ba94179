"""Modules that are a function and its settings.

    class ELU(FunctionOf, function=F.elu): ...

takes as settings the arguments of the function after its input, with their names and defaults, and

    class Dropout(FunctionModule, function=F.dropout):
        '''...'''

        p: float = 0.5
        inplace: bool = False

those that its body lists. They are what the class takes, in that order, the attributes of its
instances, the keyword arguments of the function, and what the representation shows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter, Signature, get_annotations
from typing import Any, dataclass_transform

from .module import Module


class FunctionOf(Module):
    """Base of layers without parameters; `forward` is `function(*inputs, **settings)`.

    Of the function's arguments, those after the first `inputs` are settings, or those that
    `settings` names. `shown` names the ones that the representation has: all unless told,
    `inplace` where True. A class with a function and no settings has those of the class above.
    """

    _function: Callable[..., Any]
    _settings: tuple[str, ...] = ()
    _takes = Signature()
    _shown: tuple[str, ...] | None = None

    def __init_subclass__(
        cls,
        function: Callable[..., Any] | None = None,
        shown: tuple[str, ...] | None = None,
        inputs: int = 1,
        settings: tuple[str, ...] | None = None,
        **kwargs: Any,
    ):
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__signature__ = None  # type: ignore[attr-defined]  # of that, not of the class above
        if function is None:
            return  # all else is as in the class above
        cls._function = staticmethod(function)
        own = {name: cls.__dict__.get(name, Parameter.empty) for name in get_annotations(cls)}
        if not issubclass(cls, FunctionModule):
            arguments = list(inspect.signature(function).parameters.values())[inputs:]
            own = {p.name: p.default for p in arguments if settings is None or p.name in settings}
        elif cls._settings and not own:
            return
        cls._settings, cls._shown = tuple(own), shown
        cls._takes = Signature(
            [Parameter(n, Parameter.POSITIONAL_OR_KEYWORD, default=v) for n, v in own.items()]
        )
        cls.__signature__ = cls._takes  # type: ignore[attr-defined]
        if cls.__doc__ is None:
            cls.__doc__ = (function.__doc__ or "").partition(">>>")[0].rstrip()
        for name in own:
            if name in cls.__dict__:
                delattr(cls, name)  # a default is of the signature, not an attribute of the class

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()
        try:
            given = self._takes.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        given.apply_defaults()
        for name, value in given.arguments.items():
            setattr(self, name, value)

    def forward(self, input: Any) -> Any:
        """The function of the input, by the settings."""
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


@dataclass_transform()
class FunctionModule(FunctionOf):
    """A `FunctionOf` whose settings are listed in its body."""
