"""Optimizer: groups of parameters with their settings, the state of each, and steps in place."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from ..graph import mark_written, wrap
from ..modes import enable_grad
from ..nn.module import clear_gradients
from ..tensor import Tensor

Update = Callable[..., None]

# What PyTorch's optimizers take for the choice of their kernels: accepted, without meaning here.
_HINTS = ("foreach", "fused", "capturable")

BLOCK = 1 << 15  # elements: all that a step touches of a block stays in the cache


class Optimizer:
    """The base of the optimizers.

    `params` are Tensors, or dicts with "params" and settings of that group; `defaults` the settings
    that a group does not have. `param_groups` is the list of those dicts, `state` maps each
    parameter to what the optimizer remembers of it.

    A subclass defines `update_of(p, group)`, or `step` altogether.

    Raises TypeError for what are no Tensors, ValueError for tensors that are no leaves, for an
    empty list, and for a parameter in two groups.
    """

    def __init__(self, params: Any, defaults: dict[str, Any], **hints: Any):
        unknown = hints.keys() - {*_HINTS, "differentiable"}
        if unknown:
            raise TypeError(f"{type(self).__name__} got an unexpected argument {min(unknown)!r}")
        if hints.get("differentiable"):
            raise NotImplementedError(f"{type(self).__name__}: differentiable=True is not there")
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type(params).__name__}"
            )
        self.defaults = defaults
        self.state: Any = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._stepped = False
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dict of "params" (a Tensor or several) and settings of its own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group).__name__}")
        params = param_group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering "
                "of tensors in sets will change between runs. Please use a list instead."
            )
        params = [params] if isinstance(params, Tensor) else list(params)
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is "
                    f"{type(p).__name__}"
                )
            if not p.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor")
        known = {id(p) for group in self.param_groups for p in group["params"]}
        if not known.isdisjoint(map(id, params)):
            raise ValueError("some parameters appear in more than one parameter group")
        if len(set(map(id, params))) < len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters: each of them will "
                "be updated that many times a step",
                stacklevel=3,
            )
        group = {**self.defaults, **param_group, "params": params}
        self.check(group)
        self.param_groups.append(group)

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for settings out of their range."""

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])

    # --- A step ---------------------------------------------------------------------------------

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or to zeros."""
        clear_gradients((p for group in self.param_groups for p in group["params"]), set_to_none)

    def update_of(self, p: Any, group: dict[str, Any]) -> tuple[Update, tuple[Any, ...], int]:
        """What a step does to `p`: an update, the state arrays and how many scratch arrays it takes.

        The update is an elementwise function of arrays of one shape, `update(p, g, *state,
        *scratch)`, which changes p and the state in place, and not the gradient g.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move each parameter that has a gradient; return what `closure` returns, if given.

        `closure` computes the loss anew, with its gradients. No graph is recorded.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._stepped = True
        with np.errstate(all="ignore"):
            for group in self.param_groups:
                for p in group["params"]:
                    gradient = p.grad
                    if gradient is None:
                        continue
                    array, g = p._array, gradient._array
                    if g.shape != array.shape:
                        raise RuntimeError(
                            f"{type(self).__name__}: a parameter of shape {array.shape} has a "
                            f"gradient of shape {g.shape}"
                        )
                    update, state, scratch = self.update_of(p, group)
                    in_blocks(update, (array, g, *state), scratch)
                    mark_written(array)
        return loss

    # --- State ----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state and the groups, with each parameter as its number: as PyTorch lays it out.

        The tensors are the optimizer's own, not copies.
        """
        number = self._numbers()
        return {
            "state": {number[id(p)]: dict(s) for p, s in self.state.items() if id(p) in number},
            "param_groups": [
                {
                    **{name: value for name, value in group.items() if name != "params"},
                    "params": [number[id(p)] for p in group["params"]],
                }
                for group in self.param_groups
            ],
        }

    def _numbers(self) -> dict[int, int]:
        numbers: dict[int, int] = {}
        for group in self.param_groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
        return numbers

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a copy of a state from `state_dict`, of an optimizer of like parameters.

        Floating-point state takes the dtype of its parameter. Raises ValueError where the groups,
        their sizes or the shapes of the state are not those here; nothing is loaded then.
        """
        groups, saved = self.param_groups, state_dict["param_groups"]
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        owner = {
            number: p
            for here, there in zip(groups, saved, strict=True)
            for number, p in zip(there["params"], here["params"], strict=True)
        }
        state: Any = defaultdict(dict)
        for key, values in state_dict["state"].items():
            p = owner.get(key, key)
            state[p] = {name: _fitted(name, value, p) for name, value in values.items()}
        self.state = state
        self.param_groups = [
            {**here, **deepcopy({**there, "params": None}), "params": here["params"]}
            for here, there in zip(groups, saved, strict=True)
        ]


def _fitted(name: str, value: Any, p: Any) -> Any:
    """A copy of the loaded `value`, as the state of `p` is kept."""
    if not isinstance(value, (Tensor, np.ndarray)) or not isinstance(p, Tensor):
        return deepcopy(value)
    array = np.array(getattr(value, "_array", value))
    if array.ndim and array.shape != p.shape:
        raise ValueError(
            f"loaded state dict has {name} of shape {array.shape} for a parameter of shape "
            f"{tuple(p.shape)}"
        )
    return wrap(array.astype(p.dtype) if array.ndim or name != "step" else array)


def in_blocks(update: Update, arrays: tuple[np.ndarray, ...], scratch: int) -> None:
    """Call `update` on the arrays, of one shape, and that many scratch arrays.

    Large arrays are gone through in blocks, so that memory is read and written once for all the
    passes of an update, and the scratch is small.
    """
    p = arrays[0]
    if p.size <= BLOCK:
        if scratch == 1:
            update(*arrays, np.empty(p.shape, p.dtype))
        else:
            update(*arrays, *[np.empty(p.shape, p.dtype) for _ in range(scratch)])
        return
    arrays = (p, np.asarray(arrays[1], order="C"), *arrays[2:])  # g as its vjp laid it out
    if not all(array.flags.c_contiguous for array in arrays):
        update(*arrays, *(np.empty_like(p) for _ in range(scratch)))
        return
    flat = [array.reshape(-1) for array in arrays]
    spare = [np.empty(BLOCK, p.dtype) for _ in range(scratch)]
    for begin in range(0, p.size, BLOCK):
        blocks = [array[begin : begin + BLOCK] for array in flat]
        update(*blocks, *(array[: len(blocks[0])] for array in spare))


def ascent(p: np.ndarray, g: np.ndarray, group: dict[str, Any], out: np.ndarray) -> np.ndarray:
    """The gradient with `maximize` and the (coupled) weight decay of the group: g, or `out`."""
    decay = group["weight_decay"]
    if decay:
        np.multiply(p, -decay if group["maximize"] else decay, out=out)
        out += g
        g = out
    return np.negative(g, out=out) if group["maximize"] else g


def check_not_negative(group: dict[str, Any], **names: str) -> None:
    """Raise ValueError for a setting below 0 (or nan); the keywords say what to call it."""
    for name, text in names.items():
        if not group[name] >= 0:
            raise ValueError(f"Invalid {text}: {group[name]}")
