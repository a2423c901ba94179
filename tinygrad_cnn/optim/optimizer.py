"""Optimizer: groups of parameters with their settings, the state of each, and steps in place."""

from __future__ import annotations

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np

from .. import kernels
from ..atomic import Change
from ..engine import enable_grad, mark_written, wrap
from ..hooks import RemovableHandle
from ..nn.module import clear_gradients
from ..tensor import Tensor
from .updates import Job, assign, descending

Params: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
F = TypeVar("F", bound=Callable[..., Any])

# State that is one number: float32, whatever the dtype of the parameter
_SCALARS = ("step", "mu_product")

# Settings of most optimizers that must not be negative
NOT_NEGATIVE = ("lr", "eps", "weight_decay")

required: Any = object()  # the default of a setting that each group must have


def group_defaults(arguments: dict[str, Any]) -> dict[str, Any]:
    """The settings of a group among `locals()` of the `__init__` of an optimizer.

    `foreach`, `fused` and `capturable` choose PyTorch's kernels: they have no effect here. Raises
    NotImplementedError for `differentiable`, RuntimeError for `fused` together with `foreach`.
    """
    settings = {
        name: value
        for name, value in arguments.items()
        if name not in ("self", "params", "__class__")
    }
    hints = ("foreach", "fused", "capturable", "differentiable")
    foreach, fused, _, differentiable = (settings.pop(name, None) for name in hints)
    if differentiable:
        raise NotImplementedError(
            f"{type(arguments['self']).__name__}: differentiable=True is not supported: a step "
            "overwrites the parameters and records no graph"
        )
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    return settings


def _hooked(step: F) -> F:
    """`step` with the hooks before and after it. It also notes that it ran, for schedulers."""

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

    return hooked  # type: ignore[return-value]


class Optimizer:
    """The base of the optimizers.

    `params` are Tensors, pairs of a name and a Tensor, or dicts with "params" and the settings of
    that group; `defaults` are the settings that a group leaves out. `param_groups` is the list of
    these dicts, with "param_names" where there are names. `state` has a dict for each parameter.

    A subclass defines `update_of(p, group)`, or `step` itself. `step` applies "maximize",
    "weight_decay" and "decoupled_weight_decay" of the group before the update.

    Raises TypeError for objects that are not Tensors; ValueError for Tensors that are not leaves, an
    empty list, a parameter in two groups, and names for some parameters only.

    >>> class SignDescent(tc.optim.Optimizer):
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p.data -= group["lr"] * p.grad.sign()
    >>> x = tc.tensor([1.0, -5.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> SignDescent([x], {"lr": 0.1}).step()
    >>> x
    tensor([ 0.9000, -4.9000], requires_grad=True)
    """

    defaults: dict[str, Any]
    state: defaultdict[Tensor, dict[str, Any]]
    param_groups: list[dict[str, Any]]
    not_negative: ClassVar[tuple[str, ...]] = ()  # settings that `check` looks at
    _stepped: bool | None = None  # whether `step` ran, once a scheduler asks

    def __init__(self, params: Params, defaults: dict[str, Any]):
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type(params).__name__}"
            )
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        self._pre_hooks: dict[int, Any] = {}
        self._post_hooks: dict[int, Any] = {}
        groups: list[Any] = list(params)
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
        """Add a group: a dict with "params", a Tensor or several, and its own settings.

        Raises as the constructor.

        >>> x, y = tc.zeros(1, requires_grad=True), tc.zeros(1, requires_grad=True)
        >>> optimizer = tc.optim.SGD([x], lr=0.1)
        >>> optimizer.add_param_group({"params": y, "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
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
        """Raise ValueError for settings out of range. Subclasses may extend it."""
        if isinstance(group.get("lr"), Tensor) and group["lr"].numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        texts = {"lr": "learning rate", "eps": "epsilon value"}
        for name in self.not_negative:
            if not group[name] >= 0:  # or NaN
                raise ValueError(f"Invalid {texts.get(name, f'{name} value')}: {group[name]}")

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])

    # --- A step ---------------------------------------------------------------------------------

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or with `set_to_none=False` to zeros."""
        clear_gradients((p for group in self.param_groups for p in group["params"]), set_to_none)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step. It may return new args and kwargs.

        `args` starts with the optimizer. `remove()` of the returned handle removes the hook.
        """
        return RemovableHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step. See `register_step_pre_hook`."""
        return RemovableHandle(self._post_hooks, hook)

    def update_of(self, p: Tensor, group: dict[str, Any]) -> Job:
        """The next update of `p`: see `updates`. Subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def next_step(
        self, p: Tensor, *names: str, fill: float = 0.0
    ) -> tuple[float, tuple[Any, ...], Change]:
        """The number of the next step of `p`, from 1, the arrays of its state `names`, and the change
        that counts the step.

        A missing array is created, filled with `fill`.
        """
        state = self.state[p]
        step = state.get("step", 0.0)
        if not isinstance(step, Tensor):  # the first step, or a number from an old checkpoint
            step = state["step"] = wrap(np.array(step, np.float32))
        for name in names:
            if name not in state:
                state[name] = wrap(np.full_like(p._array, fill))
        t = float(step._array) + 1
        return t, tuple([state[name]._array for name in names]), assign(step, t)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update each parameter that has a gradient, in place and unrecorded.

        `closure`, where given, computes the loss and its gradients first; `step` returns its result.
        Raises RuntimeError for a gradient whose shape is not that of its parameter. An exception on the
        way, such as KeyboardInterrupt, leaves the weight and the state of each parameter at one step:
        some parameters may have moved and others not.
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
        jobs, descends = [], functools.cache(descending)  # one function for equal choices
        try:
            for group, p, array, g in moved:
                update, state, scratch, numbers, *changes = self.update_of(p, group)
                decay, up = group.get("weight_decay") or 0.0, bool(group.get("maximize"))
                if decay or up:
                    apart = bool(decay and group.get("decoupled_weight_decay"))
                    update, scratch = descends(update, bool(decay), apart, up), scratch + 1
                    numbers = (*numbers, 1 - float(group["lr"]) * decay if apart else decay)
                jobs.append(
                    (update, (array, g, *state), scratch, tuple(map(float, numbers)), *changes)
                )
                mark_written(array)
        finally:  # parameters before the one whose update_of raised move, as in PyTorch
            kernels.blockwise(jobs)
        return loss

    step = _hooked(step)

    # --- State ----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The state and the groups in PyTorch's layout, with a number for each parameter.

        The Tensors are those of the optimizer, not copies.

        >>> x = tc.zeros(1, requires_grad=True)
        >>> tc.optim.SGD([x], lr=0.1).state_dict()["param_groups"][0]["params"]
        [0]
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
        """Replace state and settings by a copy of `state_dict`, from an optimizer of like parameters.

        Floating-point state takes the dtype of its parameter, except for counts. Raises ValueError
        where the groups, their sizes or the shapes of the state differ; nothing is loaded then.
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
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, values in state_dict["state"].items():
            p = owner.get(key, key)
            state[p] = {name: self.fitted(name, value, p) for name, value in values.items()}
        self.state = state
        self.param_groups = [
            {**here, **deepcopy({**there, "params": None}), "params": here["params"]}
            for here, there in zip(groups, saved, strict=True)
        ]

    def fitted(self, name: str, value: Any, p: Any) -> Any:
        """A copy of a loaded value as state of `p`."""
        if not isinstance(value, (Tensor, np.ndarray)) or not isinstance(p, Tensor):
            return deepcopy(value)
        array = np.array(getattr(value, "_array", value))
        if array.ndim and array.shape != p.shape:
            raise ValueError(
                f"loaded state dict has {name} of shape {array.shape} for a parameter of shape "
                f"{tuple(p.shape)}"
            )
        return wrap(array if name in _SCALARS else array.astype(p.dtype))
