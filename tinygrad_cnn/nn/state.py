"""Loading a module's state: look at all of it first, then copy all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..graph import mark_written, wrap
from ..tensor import Tensor
from .parameter import Parameter


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find, and what it had no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"_IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


def entries(module: Any) -> dict[str, tuple[Any, str, str, Any]]:
    """What the state of `module` consists of: name → (its module, registry, key, tensor)."""
    found = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        prefix += "." if prefix else ""
        for registry in ("_parameters", "_buffers"):
            for key, tensor in part.__dict__[registry].items():
                if tensor is not None and key not in part._not_persistent:
                    found[prefix + key] = (part, registry, key, tensor)
    return found


def load(module: Any, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> Any:
    """`Module.load_state_dict`."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    places = entries(module)
    missing = [
        name
        for name, (part, _, key, _) in places.items()
        if name not in state_dict and key not in part._may_be_missing
    ]
    unexpected = [name for name in state_dict if name not in places]
    errors = []
    if strict and missing:
        errors.append(f"Missing key(s) in state_dict: {_quoted(missing)}. ")
    if strict and unexpected:
        errors.append(f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
    plan = []
    for name, (part, registry, key, tensor) in places.items():
        if name in state_dict:
            value = state_dict[name]
            error = _misfit(name, tensor, value, assign)
            if error:
                errors.append(error)
            plan.append((part, registry, key, tensor, value))
    if errors:
        raise RuntimeError(
            f"Error(s) in loading state_dict for {type(module).__name__}:\n\t" + "\n\t".join(errors)
        )
    for part, registry, key, tensor, value in plan:
        if assign:
            part.__dict__[registry][key] = _like(tensor, value)
        else:
            np.copyto(tensor._array, getattr(value, "_array", value), casting="unsafe")
            mark_written(tensor._array)
    return IncompatibleKeys(missing, unexpected)


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _misfit(name: str, tensor: Tensor, value: Any, assign: bool) -> str | None:
    """Why `value` cannot become `tensor`, or None."""
    if not isinstance(value, (Tensor, np.ndarray)):
        return (
            f'While copying the parameter named "{name}", expected a Tensor or an array from '
            f"checkpoint but received {type(value)}"
        )
    array = getattr(value, "_array", value)
    if array.shape != tensor._array.shape:
        return (
            f"size mismatch for {name}: copying a param with shape {list(array.shape)} from "
            f"checkpoint, the shape in current model is {list(tensor._array.shape)}."
        )
    if array.dtype.kind not in "fiub":
        return f'While copying the parameter named "{name}": it is of dtype {array.dtype}'
    if not assign and not tensor._array.flags.writeable:
        return f'While copying the parameter named "{name}": the memory of the model is read-only'
    return None


def _like(tensor: Tensor, value: Any) -> Any:
    """`value` as the same kind of tensor as `tensor`, on the memory of `value`."""
    value = value if isinstance(value, Tensor) else wrap(value)
    if not isinstance(tensor, Parameter):
        return value.detach()
    if isinstance(value, Parameter):
        return value
    return Parameter(value, requires_grad=tensor.requires_grad)
