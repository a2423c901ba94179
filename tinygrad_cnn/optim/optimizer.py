"""Optimizer: groups of parameters with their settings, the state of each, and steps in place."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np

from .. import kernels
from ..engine import enable_grad, mark_written, wrap
from ..hooks import RemovableHandle
from ..nn.module import clear_gradients
from ..tensor import Tensor

Update = Callable[[Any, Any, Any], None]  # of arrays, scratch arrays, numbers: see `update_of`
Job = tuple[Update, tuple[Any, ...], int, tuple[float, ...]]

# What PyTorch's optimizers take for the choice of their kernels: accepted, without meaning here.
_HINTS = ("foreach", "fused", "capturable")

_SCALARS = ("step", "mu_product")  # state that is one number, float32 whatever the parameter is

required: Any = object()  # the default of a setting that each group must have


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` with the hooks before and after it, and noting that it ran."""

    @functools.wraps(step)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        args = (self, *args)
        for hook in list(self._pre_hooks.values()):
            result = hook(self, args, kwargs)
            if result is None:
                continue
            if not isinstance(result, tuple) or len(result) != 2:
                raise RuntimeError(
                    f"{type(self).__name__}.step: a pre-hook must return None or a tuple of "
                    f"(new_args, new_kwargs), but got {result}."
                )
            args, kwargs = result
        out = step(*args, **kwargs)
        if self._stepped is False:
            self._stepped = True
        for hook in list(self._post_hooks.values()):
            hook(self, args, kwargs)
        return out

    return hooked


class Optimizer:
    """The base of the optimizers.

    `params` are Tensors, pairs of a name and a Tensor, or dicts with "params" and settings of that
    group; `defaults` the settings that a group does not have. `param_groups` is the list of those
    dicts (with "param_names", where there are names), `state` maps each parameter to what the
    optimizer remembers of it.

    A subclass defines `update_of(p, group)`, or `step` altogether. "maximize", "weight_decay" and
    "decoupled_weight_decay" of a group are seen to here, before the update.

    Raises TypeError for what are no Tensors, ValueError for tensors that are no leaves, for an
    empty list, for a parameter in two groups, and where some have names and some have not.
    """

    not_negative: ClassVar[dict[str, str]] = {}  # settings, and what messages call them
    _stepped: bool | None = None  # whether `step` ran, once a scheduler asks

    def __init__(self, params: Any, defaults: dict[str, Any], **hints: Any):
        unknown = hints.keys() - {*_HINTS, "differentiable"}
        if unknown:
            raise TypeError(f"{type(self).__name__} got an unexpected argument {min(unknown)!r}")
        if hints.get("differentiable"):
            raise NotImplementedError(
                f"{type(self).__name__}: differentiable=True is not there: a step writes over the "
                "parameters and records no graph"
            )
        if hints.get("fused") and hints.get("foreach"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type(params).__name__}"
            )
        self.defaults = defaults
        self.state: Any = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._pre_hooks: dict[int, Any] = {}
        self._post_hooks: dict[int, Any] = {}
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = _hooked(cls.step)  # type: ignore[method-assign]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pre_hooks": {}, "_post_hooks": {}}

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
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names and len(names) < len(params):
            raise ValueError(
                "all optimizer params should be with/without names. Some param names are missing"
            )
        params = [p[1] for p in params] if names else params
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is "
                    f"{type(p).__name__}"
                )
            if not p.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor")
        group = {**self.defaults, **param_group, "params": params}
        for name, value in group.items():
            if value is required:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter "
                    f"{name}"
                )
        if names:
            group["param_names"] = names
        named = "param_names" in group
        if any(named != ("param_names" in other) for other in self.param_groups):
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{'with' if named else 'without'} names to the optimizer"
            )
        known = {id(p) for other in self.param_groups for p in other["params"]}
        if not known.isdisjoint(map(id, params)):
            raise ValueError("some parameters appear in more than one parameter group")
        if len(set(map(id, params))) < len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters: each of them will "
                "be updated that many times a step",
                stacklevel=3,
            )
        self.check(group)
        self.param_groups.append(group)

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for settings out of their range."""
        if isinstance(group.get("lr"), Tensor) and group["lr"].numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, text in self.not_negative.items():
            if name == "betas":
                for i, beta in enumerate(group["betas"]):
                    if not 0 <= beta < 1:
                        raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
            elif not group[name] >= 0:  # or nan
                raise ValueError(f"Invalid {text}: {group[name]}")

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

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Before each step call `hook(optimizer, args, kwargs)`; it may return both anew.

        `args` has the optimizer first. The handle's `remove()` takes the hook out.
        """
        return RemovableHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """After each step call `hook(optimizer, args, kwargs)`. As `register_step_pre_hook`."""
        return RemovableHandle(self._post_hooks, hook)

    def update_of(self, p: Any, group: dict[str, Any]) -> Job:
        """What a step does to `p`: an update, its state arrays, how many scratch arrays, and numbers.

        It is called as `update((p, g, *state), scratch, numbers)`, with arrays of one shape, and
        changes p and the state in place, element by element with functions of NumPy, and not the
        gradient g. It may be recorded once and replayed for other numbers: these are for such
        functions to take, and must not decide what is done. (What decides, a flag, belongs to the
        function: to its closure, or to one function each.)
        """
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def next_step(self, p: Any, *names: str, fill: float = 0.0) -> tuple[float, tuple[Any, ...]]:
        """The number of the step that `p` takes now, from 1, and its state arrays of those names.

        What is not there yet is made: the count, and arrays of `fill`.
        """
        state = self.state[p]
        step = state.get("step", 0.0)
        if not isinstance(step, Tensor):  # or a number, out of an old checkpoint
            step = state["step"] = wrap(np.array(step, np.float32))
        for name in names:
            if name not in state:
                state[name] = wrap(np.full_like(p._array, fill))
        step._array += 1
        return float(step._array), tuple([state[name]._array for name in names])

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move each parameter that has a gradient; return what `closure` returns, if given.

        `closure` computes the loss anew, with its gradients. No graph is recorded.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        moved = []
        for group in self.param_groups:
            for p in group["params"]:
                gradient = p.grad
                if gradient is None:
                    continue
                if gradient._array.shape != p._array.shape:
                    raise RuntimeError(
                        f"{type(self).__name__}: a parameter of shape {p._array.shape} has a "
                        f"gradient of shape {gradient._array.shape}"
                    )
                moved.append((group, p, p._array, gradient._array))
        jobs, descends = [], functools.cache(descending)  # one function for all of one kind
        try:
            for group, p, array, g in moved:
                update, state, scratch, numbers = self.update_of(p, group)
                decay, up = group.get("weight_decay") or 0.0, bool(group.get("maximize"))
                if decay or up:
                    apart = bool(decay and group.get("decoupled_weight_decay"))
                    update, scratch = descends(update, bool(decay), apart, up), scratch + 1
                    numbers = (*numbers, 1 - float(group["lr"]) * decay if apart else decay)
                jobs.append((update, (array, g, *state), scratch, tuple(map(float, numbers))))
                mark_written(array)
        finally:  # whose state has gone on moves, also where the next one's settings are an error
            kernels.blockwise(jobs)
        return loss

    step = _hooked(step)

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

        Floating-point state takes the dtype of its parameter, but for counts. Raises ValueError
        where the groups, their sizes or the shapes of the state are not those here; nothing is
        loaded then.
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
    return wrap(array if name in _SCALARS else array.astype(p.dtype))


# --- What updates are made of: all in place, `s` is scratch -------------------------------------


def descending(update: Update, decay: bool, apart: bool, up: bool) -> Update:
    """`update` after weight decay and `maximize`: it takes a scratch array and a number more, as the last.

    Coupled, g ← ±g + decay · p, and the number is the decay; apart (Loshchilov and Hutter 2019),
    p ← p - lr · decay · p, and the number is 1 - lr · decay.
    """

    def descend(arrays: Any, scratch: Any, numbers: Any) -> None:
        (p, g, *state), s, number = arrays, scratch[-1], numbers[-1]
        if apart:
            np.multiply(p, number, out=p)
        elif decay:
            np.multiply(p, number, out=s)
            g = np.subtract(s, g, out=s) if up else np.add(s, g, out=s)
        if up and (apart or not decay):
            g = np.negative(g, out=s)
        update((p, g, *state), scratch[:-1], numbers[:-1])

    return descend


def average(m: Any, x: Any, weight: float, s: Any) -> None:
    """m ← m + weight · (x - m): the running average."""
    np.subtract(x, m, out=s)
    np.multiply(s, weight, out=s)
    np.add(m, s, out=m)


def average_square(v: Any, x: Any, beta: float, rest: float, s: Any) -> None:
    """v ← β v + (1 - β) x², given both numbers."""
    np.multiply(v, beta, out=v)
    np.multiply(x, x, out=s)
    np.multiply(s, rest, out=s)
    np.add(v, s, out=v)


def subtract_ratio(p: Any, rate: float, x: Any, d: Any, s: Any) -> None:
    """p ← p - rate · x / d; `s` may be d."""
    np.divide(x, d, out=s)
    np.multiply(s, rate, out=s)
    np.subtract(p, s, out=p)
