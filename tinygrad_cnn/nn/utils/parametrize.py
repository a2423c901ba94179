"""Parameters computed from others by modules: `module.weight` is what a chain of them makes."""

from __future__ import annotations

from typing import Any

from ...tensor import Tensor
from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList", "is_parametrized", "register_parametrization", "remove_parametrizations"
]  # fmt: skip


class ParametrizationList(ModuleList):
    """The modules that make one parameter, one after another, of `original`.

    Where the first one's `right_inverse` returns several tensors they are `original0` ...
    """

    def __init__(self, modules: Any, weight: Any):
        super().__init__(modules)
        made = weight
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                made = module.right_inverse(made)
        several = isinstance(made, (tuple, list))
        self._originals = [f"original{i}" for i in range(len(made))] if several else ["original"]
        for name, tensor in zip(self._originals, made if several else [made], strict=True):
            own = tensor if isinstance(tensor, Parameter) else None
            if own is None:
                own = Parameter(tensor.detach(), requires_grad=weight.requires_grad)
            self.register_parameter(name, own)

    def forward(self) -> Any:
        """The parameter."""
        first, *rest = self
        y = first(*(getattr(self, name) for name in self._originals))
        for module in rest:
            y = module(y)
        return y


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let `module.<tensor_name>`, a parameter, be `parametrization(original)`; return the module.

    The original is the parameter `parametrizations.<tensor_name>.original`; a `right_inverse` of
    the parametrization gives its first value. A second one is applied after the first.
    Raises ValueError where there is no such parameter, and, unless `unsafe`, where what comes out
    has another shape or dtype.

    >>> from tinygrad_cnn import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return (x + x.T) / 2
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> layer.weight.equal(layer.weight.T), [name for name, _ in layer.named_parameters()]
    (True, ['bias', 'parametrizations.weight.original'])
    """
    if is_parametrized(module, tensor_name):
        made = module.parametrizations[tensor_name]
        _check(module, tensor_name, parametrization(getattr(module, tensor_name)), unsafe)
        made.append(parametrization)
        return module
    weight = module._parameters.get(tensor_name)
    if weight is None:
        raise ValueError(f"Module '{module}' does not have a parameter with name {tensor_name!r}")
    made = ParametrizationList([parametrization], weight)
    _check(module, tensor_name, made(), unsafe)
    del module._parameters[tensor_name]
    if not is_parametrized(module):
        own = type(module)
        module.__class__ = type(f"Parametrized{own.__name__}", (own,), {"__reduce_ex__": _reduce})
        module.parametrizations = ModuleDict()
    cls: Any = type(module)
    setattr(cls, tensor_name, _computed(tensor_name))
    module.parametrizations[tensor_name] = made
    return module


def _computed(name: str) -> property:
    return property(lambda self: self.parametrizations[name]())


def _check(module: Module, name: str, y: Any, unsafe: bool) -> None:
    x = getattr(module, name)
    if unsafe:
        return
    if not isinstance(y, Tensor) or (y.shape, y.dtype) != (x.shape, x.dtype):
        raise ValueError(
            f"Registering a parametrization may not change the shape or dtype of the tensor: {name} is "
            f"{x.dtype} {x.shape}, got {getattr(y, 'dtype', type(y).__name__)} "
            f"{getattr(y, 'shape', '')}"
        )


def _reduce(self: Any, protocol: Any) -> Any:
    """Copies and pickles: the class is made anew."""
    return _rebuild, (type(self).__mro__[1], list(self.parametrizations)), vars(self)


def _rebuild(own: Any, names: list[str]) -> Any:
    made = {name: _computed(name) for name in names}
    return object.__new__(
        type(f"Parametrized{own.__name__}", (own,), {"__reduce_ex__": _reduce, **made})
    )


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the module has parametrizations, or one of that parameter."""
    found = module._modules.get("parametrizations")
    return isinstance(found, ModuleDict) and (tensor_name is None or tensor_name in found)


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Make a parameter of what is computed now, or of the original; return the module.

    Raises ValueError where the parameter is not parametrized.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    made = module.parametrizations[tensor_name]
    if not leave_parametrized and len(made._originals) > 1:
        raise ValueError("Cannot leave unparametrized a tensor made of several: leave_parametrized")
    if leave_parametrized:
        weight = Parameter(
            made().detach(), requires_grad=any(p.requires_grad for p in made.parameters())
        )
    else:
        weight = made.original
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    module.register_parameter(tensor_name, weight)
    if not len(module.parametrizations):
        del module.parametrizations
        module.__class__ = type(module).__mro__[1]
    return module
