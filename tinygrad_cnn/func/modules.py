"""Modules as functions of their parameters and buffers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import functions
from ..nn import Module
from ..tensor import Tensor

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """The output of `module` with other parameters and buffers, by their dotted names.

    The module is the same afterwards, also if the call raises; no other thread may use it meanwhile. A
    buffer that the call changes in place is changed in the dict. `args` is the argument, or a tuple.
    With `tie_weights`, a Tensor for one name of a shared parameter is used for all of its names;
    ValueError for two. With `strict`, RuntimeError unless the names are exactly the module's.

    >>> layer = tc.nn.Linear(2, 1)
    >>> weights = {"weight": tc.tensor([[1.0, 2.0]]), "bias": tc.zeros(1)}
    >>> tc.func.functional_call(layer, weights, tc.tensor([3.0, 4.0]))
    tensor([11.])
    """
    given = _merged(parameter_and_buffer_dicts)
    own = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    if strict:
        _check_names(module, own, given)
    if tie_weights:
        given = _tied(own, given)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    places = [(name, *_place(module, name)) for name in given if name in own]
    before = [(parts, key, parts[key]) for _, parts, key in places]
    try:
        for name, parts, key in places:
            parts[key] = given[name]
        return module(*args, **(kwargs or {}))
    finally:
        for parts, key, value in before:
            parts[key] = value


def _merged(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, Mapping):
        dicts = [dicts]
    if not isinstance(dicts, (list, tuple)) or not all(isinstance(d, Mapping) for d in dicts):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(dicts)}"
        )
    names = [name for d in dicts for name in d]
    twice = [name for k, name in enumerate(names) if name in names[:k]] if len(dicts) > 1 else []
    if twice:
        raise ValueError(
            f"{twice} appeared in multiple dictionaries; behavior of functional call is ambiguous"
        )
    given = {name: value for d in dicts for name, value in d.items()}
    for value in given.values():
        if not isinstance(value, Tensor):
            raise TypeError(f"{value} is not an instance of torch.Tensor")
    return given


def _check_names(module: Module, own: dict[str, Any], given: dict[str, Any]) -> None:
    lines = []
    for kind, names in (("Unexpected", given.keys() - own), ("Missing", own.keys() - given)):
        if names:
            listed = ", ".join(f"'{name}'" for name in sorted(names))
            lines.append(f"\n\t{kind} key(s): {listed}.")
    if lines:
        raise RuntimeError(
            f"Error(s) in reparametrizing for {type(module).__name__}:{''.join(lines)}"
        )


def _tied(own: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The given Tensors, for all names of shared parameters."""
    groups: dict[int, list[str]] = {}
    for name, value in own.items():
        groups.setdefault(id(value), []).append(name)
    found = dict(given)
    for names in groups.values():
        values = {id(given[name]): given[name] for name in names if name in given}
        if len(values) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {names}, which are tied. Consider "
                "using tie_weights=False"
            )
        for value in values.values():
            found.update(dict.fromkeys(names, value))
    return found


def _place(module: Module, name: str) -> tuple[Any, str]:
    """The dict that holds a parameter or buffer, and its key there."""
    path, _, key = name.rpartition(".")
    owner: Any = module.get_submodule(path) if path else module
    return (owner._parameters if key in owner._parameters else owner._buffers), key


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of several modules of one class, stacked along a new axis 0.

    The stacked parameters are leaves that require grad. RuntimeError for no modules, and for
    modules of different classes or modes.

    >>> parameters, buffers = tc.func.stack_module_state([tc.nn.Linear(2, 1) for _ in range(3)])
    >>> parameters["weight"].shape
    torch.Size([3, 1, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({(type(m), m.training) for m in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to be of the same class and in the same "
            "training/eval mode."
        )
    parameters, buffers = (
        {
            name: functions.stack([dict(s)[name].detach() for s in states])
            for name in dict(states[0])
        }
        for states in (
            [list(m.named_parameters()) for m in models],
            [list(m.named_buffers()) for m in models],
        )
    )
    for name, parameter in models[0].named_parameters():
        parameters[name].requires_grad_(parameter.requires_grad)
    return parameters, buffers
