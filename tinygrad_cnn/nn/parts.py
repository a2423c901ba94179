"""Parts: the parameters, buffers and child modules of a module, as its attributes."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from ..compat.missing import ROOT, hints, missing
from ..tensor import Tensor
from .parameter import Parameter

M = TypeVar("M")  # the class of modules, which is made of these parts
# The dict of each kind of part, with three texts of messages: the kind, its plural, its type.
_KINDS = {
    "_parameters": ("parameter", "parameters", "nn.Parameter"),
    "_modules": ("child module", "module", "nn.Module"),
    "_buffers": ("buffer", "buffer", "Tensor"),
}


def _says(owner: str, name: str) -> str:
    """The message for a missing attribute, with what to do instead for one of PyTorch's modules."""
    if f"nn.Module.{name}" in hints():
        return missing(f"{ROOT}.nn.Module.{name}", owner)
    return f"'{owner}' object has no attribute '{name}'"


class Parts(Generic[M]):
    """The part of `Module` that registers attributes, each under its name and in order."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, M | None]
    _not_persistent: set[str]  # names of buffers that the state leaves out

    def __init__(self) -> None:
        self.__dict__.update(
            training=True, _parameters={}, _buffers={}, _modules={}, _not_persistent=set()
        )

    def __getattr__(self, name: str) -> Tensor | M:
        own = self.__dict__
        if "_parameters" in own:
            parts = own["_parameters"]
            if name in parts:
                return parts[name]
            parts = own["_modules"]
            if name in parts:
                return parts[name]
            parts = own["_buffers"]
            if name in parts:
                return parts[name]
        raise AttributeError(_says(type(self).__name__, name), name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            registry = "_parameters"
        elif isinstance(value, Parts):
            registry = "_modules"
        else:
            for registry, (kind, _, wanted) in _KINDS.items():
                if name not in own.get(registry, ()):
                    continue
                if value is not None and not (registry == "_buffers" and isinstance(value, Tensor)):
                    raise TypeError(
                        f"cannot assign '{type(value).__name__}' as {kind} '{name}' "
                        f"({wanted} or None expected)"
                    )
                own[registry][name] = value
                return
            object.__setattr__(self, name, value)
            return
        if registry in own and name not in own[registry]:
            for place in (own, *(own[r] for r in _KINDS if r != registry)):
                place.pop(name, None)
            self._not_persistent.discard(name)
        self._register(registry, name, value)

    def __delattr__(self, name: str) -> None:
        for registry in _KINDS:
            if name in self.__dict__.get(registry, ()):
                del self.__dict__[registry][name]
                self._not_persistent.discard(name)
                return
        if name not in self.__dict__:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        parts = (name for registry in _KINDS for name in self.__dict__.get(registry, ()))
        return sorted({*object.__dir__(self), *(name for name in parts if name.isidentifier())})

    def _register(self, registry: str, name: str, value: Any) -> None:
        """Enter a part under its name, after checking the name."""
        if registry not in self.__dict__:
            raise AttributeError(
                f"cannot assign {_KINDS[registry][1]} before Module.__init__() call"
            )
        kind = _KINDS[registry][0].split()[-1]
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        parts = self.__dict__[registry]
        if name not in parts and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")
        parts[name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register `param` as the parameter `name`. None reserves the name.

        Raises KeyError for a name that exists, is empty or contains a dot, TypeError for an object
        that is not a Parameter.

        >>> module = tc.nn.Module()
        >>> module.register_parameter("scale", tc.nn.Parameter(tc.ones(1)))
        >>> module.scale
        Parameter containing:
        tensor([1.], requires_grad=True)
        """
        if not (param is None or isinstance(param, Parameter)):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                "(nn.Parameter or None required)"
            )
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register `tensor` as the buffer `name`: state that is not trained, like a running mean.

        A buffer that is not persistent is not in `state_dict`. Raises as `register_parameter`.

        >>> module = tc.nn.Module()
        >>> module.register_buffer("mean", tc.zeros(1))
        >>> list(module.state_dict()), list(module.parameters())
        (['mean'], [])
        """
        if not (tensor is None or isinstance(tensor, Tensor)):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' "
                "(Tensor or None required)"
            )
        self._register("_buffers", name, tensor)
        (self._not_persistent.discard if persistent else self._not_persistent.add)(name)

    def add_module(self, name: str, module: M | None) -> None:
        """Register `module` as the child `name`. Raises as `register_parameter`.

        >>> net = tc.nn.Module()
        >>> net.add_module("act", tc.nn.ReLU())
        >>> net.act
        ReLU()
        """
        if not (module is None or isinstance(module, Parts)):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._register("_modules", name, module)

    def register_module(self, name: str, module: M | None) -> None:
        """Another name of `add_module`."""
        self.add_module(name, module)
