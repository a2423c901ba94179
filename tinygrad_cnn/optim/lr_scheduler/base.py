"""LRScheduler: what all schedules are."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ...tensor import Tensor
from ..optimizer import Optimizer


class LRScheduler:
    """The base: sets group["lr"] of each group of `optimizer`, when made and at each `step()`.

    `last_epoch` is -1, or the epoch to go on after: the groups must have `initial_lr` then
    (KeyError), as those of an optimizer whose state was loaded have. A subclass defines
    `next_rate`, or `get_lr` altogether.
    """

    _is_initial = False  # whether the rates asked for are those that the schedule begins with
    _get_lr_called_within_step = True  # schedulers written for PyTorch ask, to warn if not
    rate_at: Callable[[float, Any], float] | None = None  # (base, t): the rate in closed form

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

    def _begin(self) -> None:
        """Set the rates of the first epoch.

        An optimizer whose state was loaded has its rate already: most schedules leave it alone.
        """
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def _undo(self) -> None:
        """Go back to before `_begin`, but for the rates."""
        self.last_epoch -= 1

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t` of a group that had `lr` in the epoch before, `base` at first."""
        raise NotImplementedError(f"{type(self).__name__} defines no rates")

    def get_lr(self) -> list[float]:
        """The rates of the groups for `last_epoch`, from those that they have now."""
        return [
            self.next_rate(_number(group["lr"]), base, self.last_epoch)
            for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        ]

    def get_last_lr(self) -> list[float]:
        """The rates that were set last, one for each group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch: call it after the optimizer's steps of an epoch.

        `epoch` jumps to that one, by the closed form of the rate where there is one (deprecated).
        """
        if self._step_count == 1 and self.optimizer._stepped is False:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value "
                "of the learning rate schedule is skipped. Call them in the opposite order",
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(
                "The epoch parameter in `scheduler.step()` was not necessary and is being "
                "deprecated: call step() without it",
                stacklevel=2,
            )
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if epoch is not None and self.rate_at is not None:
            self._set([self.rate_at(base, epoch) for base in self.base_lrs])
        else:
            self._set(self.get_lr())

    def _set(self, rates: list[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_rate(group, lr)
        self._last_lr = [_number(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is, without the optimizer, and without plain functions."""
        return {
            name: value
            for name, value in self.__dict__.items()
            if name != "optimizer" and not callable(value)
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go to where `state_dict` was taken. The optimizer's state holds the rates themselves."""
        self.__dict__.update(state_dict)


def checked(optimizer: Any) -> Any:
    """`optimizer`; TypeError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def _number(lr: Any) -> Any:
    return lr.item() if isinstance(lr, Tensor) else lr


def set_rate(group: dict[str, Any], lr: float) -> None:
    """Set the rate of a group, inside its Tensor where it is one."""
    if isinstance(group["lr"], Tensor):
        group["lr"].data.fill_(lr)
    else:
        group["lr"] = lr


def for_groups(name: str, optimizer: Any, value: Any) -> list[Any]:
    """`value` for each group: one for all, or a list. ValueError for one of another length."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"{name} must have the same length as optimizer.param_groups")
    return list(value)


def state_of_function(function: Any) -> dict[str, Any] | None:
    """What is saved of a function: the attributes of one that is an object, of a plain one None."""
    return None if hasattr(function, "__code__") else dict(getattr(function, "__dict__", {}))
