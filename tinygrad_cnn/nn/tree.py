"""Tree: the walks over a module and the modules below it, and the search by dotted name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..tensor import Tensor
from .parameter import Parameter
from .parts import M, Parts


class Tree(Parts[M]):
    """The part of `Module` that knows the modules below it."""

    def named_modules(
        self, memo: set[M] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, M]]:
        """This module and all below it with their dotted names, parents before children.

        `memo` holds the modules already seen. A shared module comes once, unless `remove_duplicate`
        is False.

        >>> [name for name, _ in tc.nn.Sequential(tc.nn.Sequential(tc.nn.ReLU())).named_modules()]
        ['', '0', '0.0']
        """
        memo = set() if memo is None else memo
        stack: list[tuple[str, Any]] = [(prefix, self)]
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

    def modules(self, remove_duplicate: bool = True) -> Iterator[M]:
        """This module and all below it, parents before children."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, M]]:
        """The modules directly below this one with their names, each once."""
        seen: set[M] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[M]:
        """The modules directly below this one, each once."""
        for _, module in self.named_children():
            yield module

    def _named_tensors(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules: Any = (
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
        """The parameters with their dotted names, in the order of registration.

        A shared parameter comes once, unless `remove_duplicate` is False. `recurse=False` leaves out
        the modules below. `prefix` is prepended to each name.

        >>> [name for name, _ in tc.nn.Sequential(tc.nn.Linear(2, 3)).named_parameters()]
        ['0.weight', '0.bias']
        """
        return self._named_tensors("_parameters", prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names. The arguments are those of `named_parameters`.

        >>> [name for name, _ in tc.nn.BatchNorm1d(3).named_buffers()]
        ['running_mean', 'running_var', 'num_batches_tracked']
        """
        return self._named_tensors("_buffers", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, in the order of registration, each once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, in the order of registration, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    # --- By name --------------------------------------------------------------------------------

    def get_submodule(self, target: str) -> M:
        """The module with that dotted name; "" is this one. AttributeError if there is none.

        >>> tc.nn.Sequential(tc.nn.Sequential(tc.nn.ReLU())).get_submodule("0.0")
        ReLU()
        """
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Tree):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: M, strict: bool = False) -> None:
        """Replace the module with that dotted name, or with `strict=False` also add one.

        Raises AttributeError for a path that does not exist, ValueError for an empty one.

        >>> net = tc.nn.Sequential(tc.nn.ReLU())
        >>> net.set_submodule("0", tc.nn.Tanh())
        >>> net[0]
        Tanh()
        """
        path, _, name = target.rpartition(".")
        if not name:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Tree):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            self.get_submodule(target)
        setattr(parent, name, module)

    def _get_tensor(self, target: str, registry: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        module: Any = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if module.__dict__[registry].get(name) is None:
            raise AttributeError(f"`{name}` is not {what}")
        return module.__dict__[registry][name]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with that dotted name. AttributeError if there is none.

        >>> tc.nn.Sequential(tc.nn.Linear(2, 3)).get_parameter("0.bias").shape
        torch.Size([3])
        """
        return self._get_tensor(target, "_parameters", "an nn.Parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with that dotted name. AttributeError if there is none.

        >>> tc.nn.Sequential(tc.nn.BatchNorm1d(2)).get_buffer("0.running_var")
        tensor([1., 1.])
        """
        return self._get_tensor(target, "_buffers", "a buffer")
