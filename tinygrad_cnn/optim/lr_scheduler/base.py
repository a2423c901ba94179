"""LRScheduler: the base of all schedules."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any, ClassVar, TypeVar

from ...atomic import Change, together
from ...tensor import Tensor
from ..optimizer import Optimizer

F = TypeVar("F", bound=Callable[..., Any])


def _whole(step: F) -> F:
    """`step`, but if an exception such as an interrupt ends it, the schedule and the rates of the
    groups are as before.
    """

    @functools.wraps(step)
    def whole(self: Any, *args: Any, **kwargs: Any) -> Any:
        undo: list[Change] = []
        for state in (*self.optimizer.param_groups, *_states(self)):
            undo += partial(state.update, dict(state)), *map(_restoring, state.values())
        try:
            return step(self, *args, **kwargs)
        except BaseException:
            together(undo)
            raise

    return whole  # type: ignore[return-value]


def _states(scheduler: Any) -> list[dict[str, Any]]:
    """The attributes of a schedule and of the schedules that it is made of."""
    inner = [_states(part) for part in getattr(scheduler, "_schedulers", ())]
    return [vars(scheduler), *chain(*inner)]


def _restoring(value: Any) -> Change:
    """The change that gives a Tensor, such as a rate, its present value again."""
    if isinstance(value, Tensor) and value.numel() == 1:
        return partial(value._array.__setitem__, ..., value._array.copy())
    return tuple


class LRScheduler:
    """Sets group["lr"] of each group of `optimizer`: when it is created, and at each `step()`.

    A group that is added later joins at the next step, from its own rate, which becomes its first.
    `last_epoch` is −1, or the epoch after which to continue. Then each group must have
    "initial_lr" (KeyError otherwise), as after loading the state of an optimizer. A subclass defines
    `next_rate`, or `get_lr` itself.

    >>> class Halving(tc.optim.lr_scheduler.LRScheduler):
    ...     def next_rate(self, lr, base, t):
    ...         return lr / 2 if t else lr
    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = Halving(optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [4.0]
    """

    optimizer: Optimizer
    base_lrs: list[float]
    last_epoch: int
    rate_at: Callable[[float, Any], float] | None = None  # (base, t): the rate in closed form
    _by_group: ClassVar[tuple[str, ...]] = ("base_lrs",)  # lists with a value for each group
    _functions: ClassVar[str] = ""  # the attribute that holds a user's function, or several
    _is_initial = False  # whether `get_lr` is asked for the first rates
    _get_lr_called_within_step = True  # PyTorch's schedulers of users read it

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        self.optimizer = checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _number(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    "scheduler with last_epoch >= 0: load the state of the optimizer first"
                )
        self.base_lrs = [_number(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        if optimizer._stepped is None:
            optimizer._stepped = False
        self._begin()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = _whole(cls.step)  # type: ignore[method-assign]

    def _begin(self) -> None:
        """Set the rates of the first epoch.

        Most schedules leave them unchanged: after loading a state, the optimizer has them already.
        """
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def _undo(self) -> None:
        """Undo `_begin`, but not its rates."""
        self.last_epoch -= 1

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`, from the rate `lr` of the epoch before and the first rate `base`."""
        raise NotImplementedError(f"{type(self).__name__} defines no rates")

    def get_lr(self) -> list[float]:
        """The rate of each group in `last_epoch`, from its current rate."""
        return [
            self.next_rate(_number(group["lr"]), base, self.last_epoch)
            for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=False)
        ]

    def get_last_lr(self) -> list[float]:
        """The rate of each group that was set last."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Move to the next epoch. Call it after the optimizer's steps of an epoch.

        `epoch` (deprecated) jumps to that epoch, by the closed form of the rate if there is one.
        """
        if self._step_count == 1 and self.optimizer._stepped is False:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value "
                "of the learning rate schedule is skipped. Call them in the opposite order",
                stacklevel=2,
            )
        if epoch is not None:
            warnings.warn(
                "The epoch parameter in `scheduler.step()` was not necessary and is being "
                "deprecated: call step() without it",
                stacklevel=2,
            )
        self._step_count += 1
        self._update_lr(epoch)

    step = _whole(step)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set(None if self.rate_at is None else epoch)

    def _set(self, epoch: int | None = None) -> None:
        """Set the rates of `last_epoch`; those of `epoch`, if given, in closed form."""
        groups = self.optimizer.param_groups
        for name in self._by_group:
            if name in self.__dict__ and len(self.__dict__[name]) < len(groups):
                self._join(name, groups)
        if epoch is None or self.rate_at is None:
            rates = self.get_lr()
        else:
            rates = [self.rate_at(base, epoch) for base in self.base_lrs[: len(groups)]]
        for group, lr in zip(groups, rates, strict=True):
            set_rate(group, lr)
        self._last_lr = [_number(group["lr"]) for group in groups]

    def _join(self, name: str, groups: list[dict[str, Any]]) -> None:
        """Extend the list `name` by values for the groups that were added since.

        It becomes another list: a saved state keeps the old one.
        """
        values = self.__dict__[name]
        new = [self._of_new(name, values, group) for group in groups[len(values) :]]
        self.__dict__[name] = [*values, *new]

    def _of_new(self, name: str, values: list[Any], group: dict[str, Any]) -> Any:
        """The value for a new group: its own rate; of other settings the one of all groups."""
        if name == "base_lrs":
            return group.setdefault("initial_lr", _number(group["lr"]))
        return common(name, values)

    def state_dict(self) -> dict[str, Any]:
        """The attributes of the schedule, without the optimizer and its rates.

        A user's function that is an object is saved by its attributes, a plain function as None.
        """
        state = {
            name: value
            for name, value in self.__dict__.items()
            if name != "optimizer" and not callable(value)
        }
        if self._functions:
            held = getattr(self, self._functions)
            states = list(map(_state_of, held)) if isinstance(held, list) else _state_of(held)
            state[self._functions] = states
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the attributes of `state_dict`. Functions stay, and get their attributes."""
        rest = dict(state_dict)
        if self._functions:
            held, states = getattr(self, self._functions), rest.pop(self._functions)
            pairs = zip(held, states, strict=False) if isinstance(held, list) else [(held, states)]
            for function, attributes in pairs:
                if attributes:
                    vars(function).update(attributes)
        self.__dict__.update(rest)


def checked(optimizer: Optimizer) -> Optimizer:
    """`optimizer`; TypeError if it is not an Optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def _number(lr: Any) -> Any:
    return lr.item() if isinstance(lr, Tensor) else lr


def set_rate(group: dict[str, Any], lr: float) -> None:
    """Set the rate of a group; a rate that is a Tensor is changed in place."""
    if isinstance(group["lr"], Tensor):
        group["lr"].data.fill_(lr)
    else:
        group["lr"] = lr


def for_groups(name: str, optimizer: Optimizer, value: float | Sequence[float]) -> list[float]:
    """A value for each group, from one value or a list. ValueError for a list of another length."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups  # type: ignore[list-item]  # a number
    if len(value) != groups:
        raise ValueError(f"{name} must have the same length as optimizer.param_groups")
    return list(value)


def common(name: str, values: list[Any]) -> Any:
    """The one value of all groups, for a group that is added. RuntimeError if they differ."""
    if any(value != values[0] for value in values):
        raise RuntimeError(
            f"a param group was added to the optimizer, and its {name} is unknown, since it "
            f"differs between the other {len(values)} groups: set its own in the scheduler or group"
        )
    return values[0]


def _state_of(function: Any) -> dict[str, Any] | None:
    plain = function is None or hasattr(function, "__code__")
    return None if plain else dict(getattr(function, "__dict__", {}))
