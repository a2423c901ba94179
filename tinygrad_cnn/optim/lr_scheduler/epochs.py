"""Schedules whose rate is a simple function of the epoch `t`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler


class _ByFunctions(LRScheduler):
    """`lr_lambda` is one function of the epoch for all groups, or a list with one for each."""

    _by_group = ("base_lrs", "lr_lambdas")
    _functions = "lr_lambdas"

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
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


class LambdaLR(_ByFunctions):
    """base · lr_lambda(t).

    `lr_lambda` is one function for all groups, or a list with one for each. Raises ValueError for a
    list of another length, TypeError for an entry that is not a function.

    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> rates = []
    >>> for epoch in range(3):
    ...     rates.append(round(scheduler.get_last_lr()[0], 3))
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [8.0, 4.0, 2.667]
    """

    def get_lr(self) -> list[float]:
        values = zip(self.optimizer.param_groups, self.base_lrs, self.lr_lambdas, strict=False)
        return [base * f(self.last_epoch) for _, base, f in values]


class MultiplicativeLR(_ByFunctions):
    """Multiplies the rate by lr_lambda(t) at each epoch after the first.

    `lr_lambda` is one function for all groups, or a list with one for each. Raises ValueError for a
    list of another length, TypeError for an entry that is not a function.

    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda t: 1 / t)
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates.append(round(scheduler.get_last_lr()[0], 3))
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [8.0, 8.0, 4.0, 1.333]
    """

    def get_lr(self) -> list[float]:
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial:
            return rates
        return [lr * f(self.last_epoch) for lr, f in zip(rates, self.lr_lambdas, strict=False)]


class StepLR(LRScheduler):
    """Multiplies the rate by `gamma` every `step_size` epochs.

    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
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
        return lr * self.gamma if t and t % self.step_size == 0 else lr

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t` in closed form."""
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """Multiplies the rate by `gamma` at each of the epochs `milestones`, twice for a repeated one.


    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [8.0, 4.0, 4.0, 2.0]
    """

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
        return lr * self.gamma ** self.milestones.get(t, 0)

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t` in closed form."""
        return base * self.gamma ** sum(n for at, n in self.milestones.items() if at <= t)


class ConstantLR(LRScheduler):
    """base · factor before epoch `total_iters`, base from then on.

    Raises ValueError for a factor outside [0, 1].

    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.ConstantLR(optimizer, 0.5, total_iters=2)
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [4.0, 4.0, 8.0, 8.0]
    """

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
        if t == 0:
            return lr * self.factor
        return lr / self.factor if t == self.total_iters else lr

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t` in closed form."""
        return base if t >= self.total_iters else base * self.factor


class ExponentialLR(LRScheduler):
    """Multiplies the rate by `gamma` every epoch.


    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    >>> rates = []
    >>> for epoch in range(3):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [8.0, 4.0, 2.0]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        return lr if self._is_initial else lr * self.gamma

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t` in closed form."""
        return base * self.gamma**t


class PolynomialLR(LRScheduler):
    """base · (1 − t / total_iters)^power, and 0 from epoch `total_iters` on.


    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=2)
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [8.0, 4.0, 0.0, 0.0]
    """

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
        if self._is_initial or t > self.total_iters:
            return lr
        left = (1 - t / self.total_iters) / (1 - (t - 1) / self.total_iters)
        return lr * left**self.power

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t` in closed form."""
        return base * (1 - min(t, self.total_iters) / self.total_iters) ** self.power


class LinearLR(LRScheduler):
    """base · f, with f in equal steps from start_factor to end_factor at epoch `total_iters`.

    Raises ValueError for a start_factor outside (0, 1], or an end_factor outside [0, 1].

    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.LinearLR(optimizer, 0.5, total_iters=2)
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [4.0, 6.0, 8.0, 8.0]
    """

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
        if t == 0:
            return lr * self.start_factor
        if self._is_initial or t > self.total_iters:
            return lr
        return lr * self._factor(t) / self._factor(t - 1)

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t` in closed form."""
        return base * self._factor(min(t, self.total_iters))


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base − eta_min) (1 + cos(π t / T_max)) / 2: Loshchilov and Hutter 2017.

    The rate reaches eta_min at epoch T_max, and base again T_max epochs later.

    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates.append(round(scheduler.get_last_lr()[0], 3))
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [8.0, 4.0, 0.0, 4.0, 8.0]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _height(self, t: int) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        if self._is_initial:
            return lr
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # at eta_min, where a ratio would be 0 / 0
            return lr + (base - self.eta_min) * self._height(t) / 2
        return self.eta_min + (lr - self.eta_min) * self._height(t) / self._height(t - 1)

    def rate_at(self, base: float, t: int) -> float:
        """The rate of epoch `t` in closed form."""
        return self.eta_min + (base - self.eta_min) * self._height(t) / 2
