"""The state of a module, saved and loaded.

Loading first looks at the whole state and then copies all of it, or nothing.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import shown, supported
from ..engine import mark_written, wrap
from ..tensor import Tensor
from .parameter import NO_SHAPE, Parameter, is_lazy


class IncompatibleKeys(NamedTuple):
    """The keys that `load_state_dict` missed, and those that the module has no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"_IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


_EXTRA = "_extra_state"


def _own(module: Any) -> dict[str, tuple[str, Any]]:
    """The state of `module` without its children: key → (registry, tensor)."""
    return {
        key: (registry, tensor)
        for registry in ("_parameters", "_buffers")
        for key, tensor in module.__dict__[registry].items()
        if tensor is not None and key not in module._not_persistent
    }


class Stateful:
    """The part of `Module` that saves and loads: parameters, buffers and extra state."""

    _version: int = 1  # of the form of the state; a subclass that changes it reads older ones too

    def state_dict(
        self,
        *args: Any,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """Parameters and persistent buffers under their dotted names, as a dict.

        The Tensors are detached and share the memory of the module's own; with `keep_vars` they are
        the module's own. A shared parameter has an entry under each of its names. The value of
        `get_extra_state`, where a subclass defines it, is under "_extra_state". `destination` is a
        dict to add to, `prefix` is prepended to each name. The attribute `_metadata` of the result
        holds the version of each module's state.

        >>> list(tc.nn.Sequential(tc.nn.Linear(2, 3)).state_dict())
        ['0.weight', '0.bias']
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead.",
                FutureWarning,
                stacklevel=2,
            )
            given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
            return self.state_dict(**given)
        if destination is None:
            made: Any = OrderedDict()
            made._metadata = OrderedDict()
            destination = made
        _save(self, destination, prefix, keep_vars)
        return destination

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy Tensors or arrays into the parameters and buffers with those names.

        Returns `missing_keys` and `unexpected_keys`; with `strict` both must be empty. With `assign`
        the given Tensors replace those of the module. Raises one RuntimeError that lists everything
        wrong: different shapes, and with `strict` missing and unexpected keys. Nothing is loaded
        then. (PyTorch copies the rest before it raises.)

        >>> layer = tc.nn.Linear(1, 1, bias=False)
        >>> layer.load_state_dict({"weight": tc.ones(1, 1)})
        <All keys matched successfully>
        >>> layer(tc.tensor([3.0])).item()
        3.0
        """
        return _load(self, state_dict, strict, assign)

    def get_extra_state(self) -> Any:
        """State other than Tensors, for `state_dict`. A subclass that has some defines it."""
        raise RuntimeError("get_extra_state: subclasses that have extra state define this")

    def set_extra_state(self, state: Any) -> None:
        """Restore the value of `get_extra_state`. A subclass that has extra state defines it."""
        raise RuntimeError("set_extra_state: subclasses that have extra state define this")

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Add this module's own state, without its children's. Subclasses may extend it."""
        for key, (_, tensor) in _own(self).items():
            destination[prefix + key] = tensor if keep_vars else tensor.detach()
        if _overrides(self, "get_extra_state"):
            destination[prefix + _EXTRA] = self.get_extra_state()

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool,
        missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Plan the loading of this module's own state. Subclasses may extend it.

        It adds to the three lists, and copies nothing before all modules were asked. `state_dict` is
        a copy, whose keys may be changed.
        """
        rest = (strict, missing_keys, unexpected_keys, error_msgs)
        _plan_own(self, state_dict, prefix, local_metadata, missing_keys, error_msgs, rest)


def _overrides(module: Any, method: str) -> bool:
    """Whether a subclass defines the method. (`Module` has a copy of it: see `naming`.)"""
    own = getattr(type(module), method)
    return getattr(own, "__code__", None) is not getattr(Stateful, method).__code__


def _save(module: Any, destination: Any, prefix: str, keep_vars: bool) -> None:
    """Add the state of a module and of all below it, with the hooks of each."""
    stack: list[tuple[Any, str, dict[str, Any] | None]] = [(module, prefix, None)]
    while stack:
        part, start, metadata = stack.pop()
        if metadata is not None:  # all below is done
            part._hooks.run("after_save", part, destination, start, metadata)
            continue
        if part is not module and _overrides(part, "state_dict"):
            part.state_dict(destination=destination, prefix=start, keep_vars=keep_vars)
            continue
        metadata = {"version": part._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[start[:-1]] = metadata
        if part._hooks:
            part._hooks.run("before_save", part, start, keep_vars)
            stack.append((part, start, metadata))
        part._save_to_state_dict(destination, start, keep_vars)
        children = reversed(part._modules.items())
        stack += [(child, f"{start}{name}.", None) for name, child in children if child is not None]


def _load(
    module: Any, state_dict: Mapping[str, Any], strict: bool, assign: bool
) -> IncompatibleKeys:
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    given = OrderedDict(state_dict)
    versions = getattr(state_dict, "_metadata", None)
    plan: list[Callable[[], None]] = []
    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []
    named = module.named_modules(remove_duplicate=False)
    parts = [(name + "." if name else "", part) for name, part in named]
    for name, part in parts:
        metadata = {
            **_metadata_of(versions, name),
            "assign_to_params_buffers": assign,
            "plan": plan,
        }
        part._load_from_state_dict(given, name, metadata, True, missing, unexpected, errors)
    known = {name + key for name, part in parts for key in _own(part)}
    known |= {name + _EXTRA for name, part in parts if _overrides(part, "set_extra_state")}
    unexpected += [name for name in given if name not in known]
    found = IncompatibleKeys(missing, unexpected)
    for _, part in reversed(parts):
        if part._hooks:
            part._hooks.run("after_load", part, found)
    if strict and unexpected:
        errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
    if strict and missing:
        errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
    if errors:
        raise RuntimeError(
            f"Error(s) in loading state_dict for {type(module).__name__}:\n\t" + "\n\t".join(errors)
        )
    for step in plan:
        step()
    return found


def _metadata_of(versions: Any, prefix: str) -> Mapping[str, Any]:
    """The metadata of one module: an empty dict in states that have none, such as plain dicts."""
    found = versions.get(prefix[:-1]) if isinstance(versions, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _plan_own(
    module: Any, state_dict: Any, prefix: str, metadata: Any, missing: list[str], errors: list[str],
    hook_arguments: tuple[Any, ...],
) -> None:  # fmt: skip
    """Add the steps that load this module's own state to the plan in `metadata`."""
    if module._hooks:
        module._hooks.run("before_load", module, state_dict, prefix, metadata, *hook_arguments)
    assign = metadata.get("assign_to_params_buffers", False)
    steps: list[Callable[[], None]] = []
    for key, (registry, tensor) in _own(module).items():
        name = prefix + key
        if name not in state_dict:
            missing.append(name)
            continue
        value = state_dict[name]
        error = _misfit(name, tensor, value, assign)
        if error:
            errors.append(error)
        elif assign:
            steps.append(partial(_assign, module.__dict__[registry], key, tensor, value))
        else:
            steps.append(partial(_copy, tensor, value))
    if _overrides(module, "set_extra_state"):
        if prefix + _EXTRA in state_dict:
            steps.append(partial(module.set_extra_state, state_dict[prefix + _EXTRA]))
        else:
            missing.append(prefix + _EXTRA)
    if "plan" in metadata:
        metadata["plan"] += steps
    elif not errors:  # a user called _load_from_state_dict
        for step in steps:
            step()


def _assign(registry: dict[str, Any], key: str, tensor: Tensor, value: Any) -> None:
    registry[key] = _like(tensor, value)


def _copy(tensor: Tensor, value: Any) -> None:
    np.copyto(tensor._array, getattr(value, "_array", value), casting="unsafe")
    mark_written(tensor._array)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _misfit(name: str, tensor: Tensor, value: Any, assign: bool) -> str | None:
    """Why `value` cannot become `tensor`, or None."""
    if not isinstance(value, (Tensor, np.ndarray)):
        return (
            f'While copying the parameter named "{name}", expected a Tensor or an array from '
            f"checkpoint but received {type(value)}"
        )
    if is_lazy(value):
        return f'While copying the parameter named "{name}": {NO_SHAPE}'
    array: Any = getattr(value, "_array", value)
    if array.shape != tensor._array.shape:
        return (
            f"size mismatch for {name}: copying a param with shape {list(array.shape)} from "
            f"checkpoint, the shape in current model is {list(tensor._array.shape)}."
        )
    if not supported(array.dtype):
        return f'While copying the parameter named "{name}": it is of dtype {shown(array.dtype)}'
    if not assign and not tensor._array.flags.writeable:
        return f'While copying the parameter named "{name}": the memory of the model is read-only'
    return None


def _like(tensor: Tensor, value: Any) -> Tensor:
    """`value`, on its own memory, as a Parameter or a plain Tensor like `tensor`."""
    value = value if isinstance(value, Tensor) else wrap(value)
    if not isinstance(tensor, Parameter):
        return value.detach()
    if isinstance(value, Parameter):
        return value
    return Parameter(value, requires_grad=tensor.requires_grad)
