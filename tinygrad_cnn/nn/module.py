"""Module: a tree of parameters, buffers and other modules, and a forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from ..engine import mark_written
from ..hooks import RemovableHandle
from ..metadata import target
from ..tensor import Tensor
from .hooks import Hooks
from .parameter import Parameter
from .state import Stateful

__all__ = ["Module"]

M = TypeVar("M", bound="Module")

# Where the three kinds of parts are kept, and how messages call them.
_KINDS = {
    "_parameters": ("parameter", "parameters", "nn.Parameter"),
    "_modules": ("child module", "module", "nn.Module"),
    "_buffers": ("buffer", "buffer", "Tensor"),
}


class Module(Stateful):
    """The base of all layers and models.

    Call `super().__init__()` first. Parameters and Modules given to attributes are registered
    under the attribute's name, in that order; `forward` computes, and calling the module runs it
    (with its hooks, where it has any).

    >>> import tinygrad_cnn as tc
    >>> from tinygrad_cnn import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = nn.Linear(3, 2)
    ...
    ...     def forward(self, x):
    ...         return self.fc(x).relu()
    >>> net = Net()
    >>> net(tc.ones(4, 3)).shape == (4, 2)
    True
    >>> [name for name, _ in net.named_parameters()]
    ['fc.weight', 'fc.bias']
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _not_persistent: set[str]
    _hooks: Hooks | None = None  # an attribute of the instance once it has hooks
    _may_be_missing: frozenset[str] = frozenset()  # what a state_dict need not have

    forward: Callable[..., Any]

    def __init__(self) -> None:
        self.__dict__.update(
            training=True, _parameters={}, _buffers={}, _modules={}, _not_persistent=set()
        )

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[no-redef]
        """What the module computes; subclasses define it."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooks is None:
            return self.forward(*args, **kwargs)
        return self._hooks.call(self, args, kwargs)

    # --- Attributes -----------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
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
        raise AttributeError(
            f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self
        )

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            registry = "_parameters"
        elif isinstance(value, Module):
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
        """Enter a part under its name, if it may have that name."""
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
        """Make `param` the parameter `name`; None keeps the name for one that is not there.

        Raises KeyError for a name that is taken, empty or has a dot, TypeError for what is no
        Parameter.
        """
        if not (param is None or isinstance(param, Parameter)):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                "(nn.Parameter or None required)"
            )
        self._register("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Make `tensor` the buffer `name`: state that is not trained, such as a running mean.

        One that is not persistent is left out of `state_dict`. Raises as `register_parameter`.
        """
        if not (tensor is None or isinstance(tensor, Tensor)):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' "
                "(Tensor or None required)"
            )
        self._register("_buffers", name, tensor)
        (self._not_persistent.discard if persistent else self._not_persistent.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Make `module` the child `name`. Raises as `register_parameter`."""
        if not (module is None or isinstance(module, Module)):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._register("_modules", name, module)

    register_module = add_module

    # --- The tree -------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it with their names, parents before children."""
        memo = set() if memo is None else memo
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if remove_duplicate:
                if module in memo:
                    continue
                memo.add(module)
            yield name, module
            dot = "." if name else ""
            children = reversed(module._modules.items())
            stack += [(f"{name}{dot}{key}", child) for key, child in children if child is not None]

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, each once unless told."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one with their names, each once."""
        seen: set[Any] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        for _, module in self.named_children():
            yield module

    def _named_tensors(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else [(prefix, self)]
        )
        for name, module in modules:
            for key, tensor in module.__dict__[registry].items():
                if tensor is not None and id(tensor) not in seen:
                    if remove_duplicate:
                        seen.add(id(tensor))
                    yield (f"{name}.{key}" if name else key), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their names, in the order of registration; shared ones once."""
        return self._named_tensors("_parameters", prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their names, in the order of registration; shared ones once."""
        return self._named_tensors("_buffers", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, in the order of registration, each once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, in the order of registration, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Any:
        """The module of that dotted name, "" this one. AttributeError if there is none."""
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` in the place of that dotted name, which with `strict` must be there.

        Raises AttributeError for a path that is not there, ValueError for an empty one.
        """
        path, _, name = target.rpartition(".")
        if not name:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            self.get_submodule(target)
        setattr(parent, name, module)

    def _get_tensor(self, target: str, registry: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if module.__dict__[registry].get(name) is None:
            raise AttributeError(f"`{name}` is not {what}")
        return module.__dict__[registry][name]

    def get_parameter(self, target: str) -> Any:
        """The parameter of that dotted name. AttributeError if there is none."""
        return self._get_tensor(target, "_parameters", "an nn.Parameter")

    def get_buffer(self, target: str) -> Any:
        """The buffer of that dotted name. AttributeError if there is none."""
        return self._get_tensor(target, "_buffers", "a buffer")

    # --- Everything below at once ---------------------------------------------------------------

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call `fn` on each module, children before their parents; return this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Put this module and all below it in training mode, or out of it; return it."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Put this module and all below it in evaluation mode; return it."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Let all parameters ask for their gradients, or none; return this module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or to zeros."""
        clear_gradients(self.parameters(), set_to_none)

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Turn floating-point parameters and buffers into another type, in place; return this.

        Takes what `Tensor.to` takes: a dtype, the device "cpu", both, or another Tensor. The
        Parameters stay the same objects. Raises TypeError for a dtype that is not floating point.
        """
        dtype, _ = target("to", *args, **kwargs)
        if dtype is None:
            return self
        if dtype.kind != "f":
            raise TypeError(
                f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}"
            )
        for tensor in (*self.parameters(), *self.buffers()):
            gradient = tensor.grad
            if tensor.is_floating_point() and tensor.dtype != dtype:
                tensor.data = tensor.detach().to(dtype)
                if gradient is not None:
                    tensor.grad = gradient.to(dtype)
        return self

    def float(self: M) -> M:
        """Floating-point parameters and buffers in float32."""
        return self.to(np.float32)

    def double(self: M) -> M:
        """Floating-point parameters and buffers in float64."""
        return self.to(np.float64)

    def half(self: M) -> M:
        """Floating-point parameters and buffers in float16."""
        return self.to(np.float16)

    def type(self: M, dst_type: Any) -> M:
        """Floating-point parameters and buffers in that type."""
        return self.to(dst_type)

    def cpu(self: M) -> M:
        """This module: it is on the CPU."""
        return self

    def cuda(self: M, device: Any = None) -> M:
        """Raises RuntimeError: the only device is the CPU."""
        return self.to("cuda" if device is None else device)

    def share_memory(self: M) -> M:
        """This module: threads share it anyway."""
        return self

    # --- Hooks ----------------------------------------------------------------------------------

    def _add_hook(self, kind: str, hook: Any, **options: bool) -> RemovableHandle:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks.add(kind, hook, **options)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Before each forward call `hook(module, args)`; what it returns replaces the args.

        With `with_kwargs` it is `hook(module, args, kwargs)`, which returns None or both.
        """
        return self._add_hook("before", hook, prepend=prepend, with_kwargs=with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:  # fmt: skip
        """After each forward call `hook(module, args, output)`; what it returns replaces output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`. With `always_call` it is called
        where forward raised too (output None); the exception goes on then.
        """
        return self._add_hook(
            "after", hook, prepend=prepend, with_kwargs=with_kwargs, always=always_call
        )

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Before the module's backward call `hook(module, grad_output)`, a tuple of one Tensor.

        What it returns replaces `grad_output`. For the modules of `register_full_backward_hook`.
        """
        return self._add_hook("before_backward", hook, prepend=prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Before this module's part of `state_dict` call `hook(module, prefix, keep_vars)`."""
        return self._add_hook("before_save", hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """After `state_dict` call `hook(module, state_dict, prefix, local_metadata)`."""
        return self._add_hook("after_save", hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Before `load_state_dict` looks at this module call `hook(module, state_dict, prefix, ..)`.

        The rest are local_metadata, strict, missing_keys, unexpected_keys and error_msgs. The hook
        may change the keys of state_dict, which is a copy.
        """
        return self._add_hook("before_load", hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """After `load_state_dict` call `hook(module, incompatible_keys)`, whose lists it may change."""
        return self._add_hook("after_load", hook)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """In backward call `hook(module, grad_input, grad_output)`, both tuples of Tensors.

        What it returns replaces `grad_input`, which has None for arguments that need no gradient.
        For modules of at most one Tensor argument that requires grad and with a Tensor as output;
        NotImplementedError, at the call, for others.
        """
        return self._add_hook("backward", hook, prepend=prepend)

    # --- Text -----------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the brackets of the representation; subclasses define it."""
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


def clear_gradients(parameters: Any, set_to_none: bool) -> None:
    """Set the gradient of each parameter to None; or, where it has one, to zeros in place."""
    for parameter in parameters:
        gradient = None if set_to_none else parameter.grad
        if gradient is None:
            parameter.grad = None
        elif gradient._node is not None:  # of create_graph: others may hold it
            parameter.grad = gradient.detach() * 0
        else:
            gradient._array.fill(0)
            mark_written(gradient._array)
