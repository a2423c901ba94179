"""Parametrizations: `module.weight` is computed by a chain of modules from other parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ...tensor import Tensor
from ..containers import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList", "is_parametrized", "register_parametrization", "remove_parametrizations"
]  # fmt: skip

M = TypeVar("M", bound=Module)


class ParametrizationList(ModuleList):
    """The modules that compute one parameter, one after another, from the parameter `original`.

    Where the `right_inverse` of the first module returns several Tensors, they are `original0`,
    `original1` ... The call takes no arguments and returns the parameter. Raises ValueError, unless
    `unsafe`, where the parameter has another shape or dtype than the given `original`.

    >>> ParametrizationList([tc.nn.ReLU()], tc.tensor([-1.0, 2.0], requires_grad=True))().detach()
    tensor([0., 2.])
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False):
        super().__init__(modules)
        made: Any = original
        for module in reversed(list(self)):
            inverse: Any = getattr(module, "right_inverse", None)
            if inverse is not None:
                made = inverse(made)
        several = isinstance(made, (tuple, list))
        self._originals = [f"original{i}" for i in range(len(made))] if several else ["original"]
        for name, tensor in zip(self._originals, made if several else [made], strict=True):
            own = tensor if isinstance(tensor, Parameter) else None
            if own is None:
                own = Parameter(tensor.detach(), requires_grad=original.requires_grad)
            self.register_parameter(name, own)
        if not unsafe:
            _check(original, self())

    def forward(self) -> Tensor:
        """The parameter."""
        first, *rest = self
        y = first(*(getattr(self, name) for name in self._originals))
        for module in rest:
            y = module(y)
        return y


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """Make the parameter `module.<tensor_name>` the output of `parametrization`; return the module.

    Its input is the new parameter `parametrizations.<tensor_name>.original`, whose first value is
    `parametrization.right_inverse(old value)` where that is defined, otherwise the old value. A
    second parametrization is applied after the first. Raises ValueError where there is no such
    parameter and, unless `unsafe`, where the output has another shape or dtype.

    >>> from tinygrad_cnn import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return (x + x.T) / 2
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> layer.weight.equal(layer.weight.T), [name for name, _ in layer.named_parameters()]
    (True, ['bias', 'parametrizations.weight.original'])
    """
    if is_parametrized(module, tensor_name):
        value = getattr(module, tensor_name)
        if not unsafe:
            _check(value, parametrization(value))
        _lists(module)[tensor_name].append(parametrization)
        return module
    weight = module._parameters.get(tensor_name)
    if weight is None:
        raise ValueError(f"Module '{module}' does not have a parameter with name {tensor_name!r}")
    made = ParametrizationList([parametrization], weight, unsafe)
    del module._parameters[tensor_name]
    if not is_parametrized(module):
        own = type(module)
        module.__class__ = type(f"Parametrized{own.__name__}", (own,), {"__reduce_ex__": _reduce})
        module.parametrizations = ModuleDict()
    cls: Any = type(module)
    setattr(cls, tensor_name, _computed(tensor_name))
    _lists(module)[tensor_name] = made
    return module


def _lists(module: Module) -> Any:
    """The ModuleDict of the parametrizations of a module: name → ParametrizationList."""
    return module.parametrizations


def _computed(name: str) -> property:
    return property(lambda self: self.parametrizations[name]())


def _check(x: Tensor, y: Any) -> None:
    if not isinstance(y, Tensor) or (y.shape, y.dtype) != (x.shape, x.dtype):
        raise ValueError(
            f"Registering a parametrization may not change the shape or dtype of the tensor: it is "
            f"{x.dtype} {x.shape}, got {getattr(y, 'dtype', type(y).__name__)} "
            f"{getattr(y, 'shape', '')}"
        )


def _reduce(self: Any, protocol: Any) -> Any:
    """For copies and pickles: its class is created again."""
    return _rebuild, (type(self).__mro__[1], list(self.parametrizations)), vars(self)


def _rebuild(own: Any, names: list[str]) -> Any:
    made = {name: _computed(name) for name in names}
    return object.__new__(
        type(f"Parametrized{own.__name__}", (own,), {"__reduce_ex__": _reduce, **made})
    )


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the module has a parametrization: of that parameter, or of any.

    >>> layer = register_parametrization(tc.nn.Linear(1, 1), "bias", tc.nn.Identity())
    >>> is_parametrized(layer, "bias"), is_parametrized(layer, "weight"), is_parametrized(layer)
    (True, False, True)
    """
    found = module._modules.get("parametrizations")
    return isinstance(found, ModuleDict) and (tensor_name is None or tensor_name in found)


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Remove the parametrizations of a parameter, and return the module.

    The parameter keeps its computed value, or with `leave_parametrized=False` becomes the original.
    Raises ValueError where it is not parametrized, or has several originals to become.

    >>> layer = register_parametrization(tc.nn.Linear(1, 1), "bias", tc.nn.Identity())
    >>> is_parametrized(remove_parametrizations(layer, "bias"))
    False
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    lists = _lists(module)
    made = lists[tensor_name]
    if not leave_parametrized and len(made._originals) > 1:
        raise ValueError("Cannot leave unparametrized a tensor made of several: leave_parametrized")
    if leave_parametrized:
        weight = Parameter(
            made().detach(), requires_grad=any(p.requires_grad for p in made.parameters())
        )
    else:
        weight = made.original
    delattr(type(module), tensor_name)
    del lists[tensor_name]
    module.register_parameter(tensor_name, weight)
    if not len(lists):
        del module.parametrizations
        module.__class__ = type(module).__mro__[1]
    return module
