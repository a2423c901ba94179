"""Learning rates that change from epoch to epoch.

Each rate is made from the one before, as in PyTorch: so schedulers can be chained, and what a user
sets in between is kept. `t` is the epoch, 0 at first, and goes up by one with each `step()`.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from .optimizer import Optimizer

__all__ = [
    "CosineAnnealingLR", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR",
    "MultiStepLR", "StepLR",
]  # fmt: skip


class LRScheduler:
    """The base: sets group["lr"] of each group of `optimizer`, when made and at each `step()`.

    `last_epoch` is -1, or the epoch to go on after: the groups must have `initial_lr` then
    (KeyError), as those of an optimizer whose state was loaded have. A subclass defines
    `next_rate`, or `get_lr` altogether.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming an "
                    "optimizer"
                )
        self.optimizer = optimizer
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        optimizer._stepped = False
        self._last_lr: list[float] = []
        self._advance()

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t` of a group that had `lr` in the epoch before, `base` at first."""
        raise NotImplementedError(f"{type(self).__name__} defines no rates")

    @property
    def _initial(self) -> bool:
        """Whether the rates asked for are those of the beginning, here or after `last_epoch`.

        An optimizer whose state was loaded has its rate already: most schedules leave it alone.
        """
        return self._step_count == 1

    def get_lr(self) -> list[float]:
        """The rates of the groups for `last_epoch`, from those that they have now."""
        return [
            self.next_rate(group["lr"], base, self.last_epoch)
            for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True)
        ]

    def get_last_lr(self) -> list[float]:
        """The rates that were set last, one for each group."""
        return self._last_lr

    def step(self) -> None:
        """Go on to the next epoch: call it after the optimizer's steps of an epoch."""
        plain = type(self.optimizer).step is Optimizer.step
        if self._step_count == 1 and plain and not self.optimizer._stepped:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value "
                "of the learning rate schedule is skipped. Call them in the opposite order",
                stacklevel=2,
            )
        self._advance()

    def _advance(self) -> None:
        self._step_count += 1
        self.last_epoch += 1
        rates = self.get_lr()
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = list(rates)

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


_LRScheduler = LRScheduler  # as older code for PyTorch calls it


class LambdaLR(LRScheduler):
    """base · lr_lambda(t): one function, or one for each group."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Iterable[Callable[[int], float]],
        last_epoch: int = -1,
    ):
        groups = len(optimizer.param_groups)
        lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(lambdas)}")
        self.lr_lambdas: list[Any] = lambdas
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rates of the groups."""
        t = self.last_epoch
        return [base * f(t) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """As the base's; of functions that are objects their attributes, of plain ones None."""
        return {
            **super().state_dict(),
            "lr_lambdas": [
                None if hasattr(f, "__code__") else dict(getattr(f, "__dict__", {}))
                for f in self.lr_lambdas
            ],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As the base's; the functions stay, those that are objects take over their attributes."""
        rest = {name: value for name, value in state_dict.items() if name != "lr_lambdas"}
        super().load_state_dict(rest)
        for f, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes:
                vars(f).update(attributes)


class StepLR(LRScheduler):
    """Times `gamma` every `step_size` epochs.

    >>> import tinygrad_cnn as tc
    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [8.0, 8.0, 4.0, 4.0, 2.0]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return lr * self.gamma if t and t % self.step_size == 0 else lr


class MultiStepLR(LRScheduler):
    """Times `gamma` at each of the epochs `milestones` (twice where one stands twice)."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ):
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        times = bisect_right(self.milestones, t) - bisect_left(self.milestones, t)
        return lr * self.gamma**times


class ExponentialLR(LRScheduler):
    """Times `gamma` every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return lr if self._initial else lr * self.gamma


class LinearLR(LRScheduler):
    """base · f, f going in equal steps from start_factor to end_factor at epoch `total_iters`."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if not 0 < start_factor <= 1:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to "
                "1."
            )
        if not 0 <= end_factor <= 1:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, t: int) -> float:
        return self.start_factor + (self.end_factor - self.start_factor) * t / self.total_iters

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        if t == 0:
            return lr * self.start_factor
        if self._initial or t > self.total_iters:
            return lr
        return lr * self._factor(t) / self._factor(t - 1)


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base - eta_min) (1 + cos(π t / T_max)) / 2: Loshchilov and Hutter 2017.

    After T_max epochs at `eta_min` it goes up again, in another T_max to base.
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _height(self, t: int) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        if self._initial:
            return lr
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # from eta_min a ratio leads nowhere
            return lr + (base - self.eta_min) * self._height(t) / 2
        return self.eta_min + (lr - self.eta_min) * self._height(t) / self._height(t - 1)
