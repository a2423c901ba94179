"""Module: a tree of parameters, buffers and other modules, with a forward computation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, Self, overload

from ..atomic import Change, together
from ..dtypes import bfloat16, dtype_of_type, shown
from ..engine import mark_written
from ..engine.dtypes import FLOATING, float16, float32, float64
from ..metadata import target
from ..tensor import Tensor
from ..types import Device, DType
from .hooks import Hookable
from .state import Stateful
from .tree import Tree

__all__ = ["Module"]


class Module(Hookable, Stateful, Tree["Module"]):
    """The base of all layers and models.

    A subclass calls `super().__init__()` first. A Parameter or a Module that is assigned to an
    attribute is registered under its name. `forward` defines the computation; a call of the module
    runs it, with the hooks around it.

    >>> from tinygrad_cnn import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = nn.Linear(3, 2)
    ...
    ...     def forward(self, x):
    ...         return self.fc(x).relu()
    >>> net = Net()
    >>> net(tc.ones(4, 3)).shape
    torch.Size([4, 2])
    >>> [name for name, _ in net.named_parameters()]
    ['fc.weight', 'fc.bias']
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:
            name = f"{type(self).__name__}.__init__()"
            if kwargs:
                raise TypeError(f"{name} got an unexpected keyword argument '{next(iter(kwargs))}'")
            raise TypeError(f"{name} takes 1 positional argument but {len(args) + 1} were given")
        super().__init__()

    if TYPE_CHECKING:
        forward: Callable[..., Any]  # a subclass may have any parameters
    else:

        def forward(self, *input: Any) -> Any:
            """The computation of a call. Every subclass defines it, with parameters of its own."""
            raise NotImplementedError(
                f'Module [{type(self).__name__}] is missing the required "forward" function'
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooks is None:
            return self.forward(*args, **kwargs)
        return self._hooks.call(self, args, kwargs)

    # --- All modules below at once --------------------------------------------------------------

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on each module, children before parents, and return this module.

        >>> def reset(module):
        ...     if isinstance(module, tc.nn.Linear):
        ...         tc.nn.init.ones_(module.weight)
        >>> tc.nn.Sequential(tc.nn.Linear(2, 1)).apply(reset)[0].weight.tolist()
        [[1.0, 1.0]]
        """
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set the training mode of this module and all below it, and return this module.

        Dropout and batch normalisation behave differently in training. Raises ValueError for a mode
        that is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set the evaluation mode: `train(False)`.

        >>> tc.nn.Dropout().eval()(tc.ones(2))
        tensor([1., 1.])
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set `requires_grad` of all parameters, and return this module.

        >>> tc.nn.Linear(1, 1).requires_grad_(False).weight.requires_grad
        False
        """
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or with `set_to_none=False` to zeros."""
        clear_gradients(self.parameters(), set_to_none)

    # --- Dtype and device -----------------------------------------------------------------------

    @overload
    def to(
        self, device: Device = None, dtype: DType | None = None, non_blocking: bool = False
    ) -> Self: ...
    @overload
    def to(self, dtype: DType, non_blocking: bool = False) -> Self: ...
    @overload
    def to(self, tensor: Tensor, non_blocking: bool = False) -> Self: ...
    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating-point parameters and buffers to another dtype, and return this module.

        The arguments are those of `Tensor.to`: a dtype, the device "cpu", both, or another Tensor.
        The Parameters stay the same objects, and their gradients are converted too. Raises TypeError
        for a dtype that is not floating point, RuntimeError for another device.

        >>> tc.nn.Linear(1, 1).to(tc.float64).weight.dtype
        torch.float64
        """
        if "tensor" in kwargs:
            kwargs["other"] = kwargs.pop("tensor")
        dtype, _ = target("to", *args, **kwargs)
        if dtype is None:
            return self
        if dtype.kind not in FLOATING:
            raise TypeError(
                f"nn.Module.to only accepts floating point dtypes, but got desired "
                f"dtype={shown(dtype)}"
            )
        for tensor in (*self.parameters(), *self.buffers()):
            gradient = tensor.grad
            if tensor.is_floating_point() and tensor.dtype != dtype:
                tensor.data = tensor.detach().to(dtype)
                if gradient is not None:
                    tensor.grad = gradient.to(dtype)
        return self

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self.to(float64)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self.to(float16)

    def bfloat16(self) -> Self:
        """Convert floating-point parameters and buffers to bfloat16.

        ImportError without the package ml_dtypes.
        """
        return self.to(bfloat16)

    def type(self, dst_type: DType | type | str) -> Self:
        """Convert floating-point parameters and buffers to a dtype, or to `torch.DoubleTensor` ...

        Takes what `Tensor.type` takes. TypeError for a dtype that is not of floating point.
        """
        return self.to(dtype_of_type(dst_type))

    def cpu(self) -> Self:
        """Return this module: it is on the CPU."""
        return self

    def cuda(self, device: Device = None) -> Self:
        """Raise RuntimeError: the only device is the CPU."""
        return self.to("cuda" if device is None else device)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: nothing is compiled."""

    def share_memory(self) -> Self:
        """Move parameters and buffers to memory that processes share. See `Tensor.share_memory_`."""
        for tensor in (*self.parameters(), *self.buffers()):
            tensor.share_memory_()
        return self

    # --- Text -----------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """The text between the brackets of `repr`. Subclasses define it."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def _child_lines(self) -> list[str]:
        """One entry for each child, of one line or more."""
        return [f"({name}): {module!r}" for name, module in self._modules.items()]

    def __repr__(self) -> str:
        extra, children = self.extra_repr(), self._child_lines()
        if not children and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        lines = "\n".join([*([extra] if extra else []), *children]).replace("\n", "\n  ")
        return f"{self._get_name()}(\n  {lines}\n)"


def clear_gradients(parameters: Iterable[Tensor], set_to_none: bool) -> None:
    """Set the gradient of each parameter to None; otherwise set each that exists to 0 in place."""
    parameters = list(parameters)
    if set_to_none:
        deque(map(setattr, parameters, repeat("_grad"), repeat(None)), 0)
        return
    changes: list[Change] = []
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is None:
            continue
        if gradient._node is not None:  # recorded by create_graph: others may hold it
            changes.append(partial(setattr, parameter, "_grad", gradient.detach() * 0))
        else:
            mark_written(gradient._array)
            changes.append(partial(gradient._array.fill, 0))
    together(changes)
