"""Schedules whose rate is a simple function of the epoch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, state_of_function


class _ByFunctions(LRScheduler):
    """`lr_lambda` is one function of the epoch, or a list of one for each group."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Iterable[Callable[[int], float]],
        last_epoch: int = -1,
    ):
        groups = len(optimizer.param_groups)
        lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(lambdas) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(lambdas)}")
        for function in lambdas:
            if not callable(function):
                raise TypeError(
                    f"lr_lambda should be a function, but got {type(function).__name__}"
                )
        self.lr_lambdas: list[Any] = lambdas
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """As the base's; of functions that are objects their attributes, of plain ones None."""
        return {
            **super().state_dict(),
            "lr_lambdas": [state_of_function(function) for function in self.lr_lambdas],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As the base's; the functions stay, those that are objects take over their attributes."""
        rest = {name: value for name, value in state_dict.items() if name != "lr_lambdas"}
        super().load_state_dict(rest)
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes:
                vars(function).update(attributes)


class LambdaLR(_ByFunctions):
    """base · lr_lambda(t): one function, or one for each group."""

    def get_lr(self) -> list[float]:
        """The rates of the groups."""
        t = self.last_epoch
        return [base * f(t) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(_ByFunctions):
    """Times lr_lambda(t) every epoch after the first: one function, or one for each group."""

    def get_lr(self) -> list[float]:
        """The rates of the groups."""
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial:
            return rates
        return [lr * f(self.last_epoch) for lr, f in zip(rates, self.lr_lambdas, strict=True)]


class StepLR(LRScheduler):
    """Times `gamma` every `step_size` epochs.

    >>> import tinygrad_cnn as tc
    >>> from tinygrad_cnn.optim.lr_scheduler import StepLR
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

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """Times `gamma` at each of the epochs `milestones` (twice where one stands twice)."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ):
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return lr * self.gamma ** self.milestones.get(t, 0)

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return base * self.gamma ** sum(n for at, n in self.milestones.items() if at <= t)


class ConstantLR(LRScheduler):
    """base · factor until epoch `total_iters`, base from then on."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if not 0 <= factor <= 1:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        if t == 0:
            return lr * self.factor
        return lr / self.factor if t == self.total_iters else lr

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return base if t >= self.total_iters else base * self.factor


class ExponentialLR(LRScheduler):
    """Times `gamma` every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return lr if self._is_initial else lr * self.gamma

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return base * self.gamma**t


class PolynomialLR(LRScheduler):
    """base · (1 - t / total_iters)^power, and 0 after that."""

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        if self._is_initial or t > self.total_iters:
            return lr
        left = (1 - t / self.total_iters) / (1 - (t - 1) / self.total_iters)
        return lr * left**self.power

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return base * (1 - min(t, self.total_iters) / self.total_iters) ** self.power


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
        if self._is_initial or t > self.total_iters:
            return lr
        return lr * self._factor(t) / self._factor(t - 1)

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return base * self._factor(min(t, self.total_iters))


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
        if self._is_initial:
            return lr
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # from eta_min a ratio leads nowhere
            return lr + (base - self.eta_min) * self._height(t) / 2
        return self.eta_min + (lr - self.eta_min) * self._height(t) / self._height(t - 1)

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t`."""
        return self.eta_min + (base - self.eta_min) * self._height(t) / 2
