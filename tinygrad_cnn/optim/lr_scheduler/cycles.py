"""Schedules that rise and fall: warm restarts, cycles, one cycle. Most move at each batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, checked, common, for_groups, set_rate


class CosineAnnealingWarmRestarts(LRScheduler):
    """eta_min + (base − eta_min) (1 + cos(π T_cur / T_i)) / 2: Loshchilov and Hutter 2017.

    T_cur counts the epochs since the last restart. The first restart comes after T_i = T_0 epochs,
    each next one after `T_mult` times as many. Raises ValueError where T_0 or T_mult is not a
    positive integer.

    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=8.0)
    >>> scheduler = tc.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [8.0, 4.0, 8.0, 4.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ):
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(
                f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}"
            )
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self.T_i: int = T_0
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def next_rate(self, lr: float, base: float, t: int) -> float:
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return self.eta_min + (base - self.eta_min) * height / 2

    def step(self, epoch: float | None = None) -> None:
        """Move to the next epoch, or to `epoch`, which may be fractional: i + batch / batches.

        Raises ValueError for a negative epoch.
        """
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            self._at(self.last_epoch + 1, self.T_cur + 1, self.T_i)
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        else:
            self._at(epoch, epoch, self.T_0)

    def _at(self, epoch: float, since: float, period: int) -> None:
        """Move to `epoch`, `since` epochs after the start of a period of `period` epochs."""
        while since >= period:
            since -= period
            period *= self.T_mult
        self.T_cur, self.T_i, self.last_epoch = since, period, math.floor(epoch)
        self._set()


class _WithMomentum(LRScheduler):
    """A schedule that lowers the momentum, or Adam's β₁, while the rate rises."""

    cycle_momentum: bool

    def _begin_momentum(
        self,
        optimizer: Optimizer,
        low: float | list[float],
        high: float | list[float],
        fresh: bool,
    ) -> None:
        if not self.cycle_momentum:
            return
        if not {"momentum", "betas"} & optimizer.defaults.keys():
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        self.use_beta1 = "betas" in optimizer.defaults
        self.max_momentums = for_groups("max_momentum", optimizer, high)
        self.base_momentums = for_groups("base_momentum", optimizer, low)
        momenta = zip(self.base_momentums, self.max_momentums, strict=True)
        if fresh:
            for group, (least, most) in zip(optimizer.param_groups, momenta, strict=True):
                group |= {"max_momentum": most, "base_momentum": least}
                self._set_momentum(group, most)

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_WithMomentum):
    """Cycles from base_lr to max_lr in `step_size_up` steps, and back in `step_size_down`: Smith 2017.

    The height of the cycles is constant in the mode "triangular", halves with each cycle in
    "triangular2", and is gamma^t in "exp_range". Or it is `scale_fn` of the number of the cycle,
    from 1; with `scale_mode="iterations"` of t. With `cycle_momentum` the momentum falls from
    max_momentum to base_momentum while the rate rises. Rates and momenta may be lists with one value
    for each group. Raises ValueError for an unknown mode, and for an optimizer without momentum.

    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], momentum=0.9)
    >>> scheduler = tc.optim.lr_scheduler.CyclicLR(optimizer, 0.0, 8.0, step_size_up=2)
    >>> rates = []
    >>> for step in range(5):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [0.0, 4.0, 8.0, 4.0, 0.0]
    """

    _by_group = ("base_lrs", "max_lrs", "base_momentums", "max_momentums")
    _functions = "_scale_fn_custom"

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ):
        base_lrs = for_groups("base_lr", checked(optimizer), base_lr)
        self.max_lrs = for_groups("max_lr", optimizer, max_lr)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_rate(group, lr)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode, self.cycle_momentum = scale_mode, cycle_momentum
        self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch == -1)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of cycle (or step) `x`, as a fraction of the first."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 2.0 ** (1 - x) if self.mode == "triangular2" else self.gamma**x

    def get_lr(self) -> list[float]:
        """The rate of each group. It also sets their momenta."""
        t = self.last_epoch
        cycle = math.floor(1 + t / self.total_size)
        x = 1 + t / self.total_size - cycle  # position in the cycle, from 0 to 1
        up = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height = up * self.scale_fn(cycle if self.scale_mode == "cycle" else t)
        if self.cycle_momentum:
            momenta = zip(self.base_momentums, self.max_momentums, strict=False)
            for group, (low, high) in zip(self.optimizer.param_groups, momenta, strict=False):
                self._set_momentum(group, high - (high - low) * height)
        rates = zip(self.optimizer.param_groups, self.base_lrs, self.max_lrs, strict=False)
        return [low + (high - low) * height for _, low, high in rates]

    def _of_new(self, name: str, values: list[Any], group: dict[str, Any]) -> Any:
        """A new group takes part in the cycle of the others."""
        return common(name, values)


class OneCycleLR(_WithMomentum):
    """One cycle: from max_lr / div_factor up to max_lr, then down to the first rate / final_div_factor.

    It has `total_steps` steps, or epochs · steps_per_epoch; the fraction `pct_start` of them goes up
    (Smith and Topin 2019). `anneal_strategy` is "cos" or "linear". With `three_phase` the rate first
    falls to the first rate, in as many steps as it rose, then to the end. With `cycle_momentum` the
    momentum goes from max_momentum to base_momentum and back. A first phase of one step starts at
    max_lr. Raises ValueError for settings out of
    range, for an optimizer without momentum, and for a step after the last.

    >>> from tinygrad_cnn.optim.lr_scheduler import OneCycleLR
    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], momentum=0.9)
    >>> scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=5, anneal_strategy="linear",
    ...                        pct_start=0.4)
    >>> rates = []
    >>> for step in range(5):
    ...     rates.append(round(scheduler.get_last_lr()[0], 3))
    ...     optimizer.step()
    ...     if step < 4:
    ...         scheduler.step()
    >>> rates
    [0.04, 1.0, 0.667, 0.333, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ):
        checked(optimizer)
        if total_steps is not None:
            self.total_steps = _positive("total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            self.total_steps = _positive("epochs", epochs) * _positive(
                "steps_per_epoch", steps_per_epoch
            )
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        up = pct_start * self.total_steps  # the number of steps that go up
        last, first, most, least = self.total_steps - 1, "initial_lr", "max_lr", "min_lr"
        strong, weak = "max_momentum", "base_momentum"
        phases = [(up - 1, first, most, strong, weak), (last, most, least, weak, strong)]
        if three_phase:
            phases[1:] = [
                (2 * up - 2, most, first, weak, strong),
                (last, first, least, strong, strong),
            ]
        names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
        self._schedule_phases: list[Any] = [dict(zip(names, p, strict=True)) for p in phases]
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, cycle_momentum
        max_lrs = for_groups("max_lr", optimizer, max_lr)
        self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch == -1)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, max_lrs, strict=True):
                low = lr / div_factor
                group |= {"initial_lr": low, "max_lr": lr, "min_lr": low / final_div_factor}
        super().__init__(optimizer, last_epoch)

    def _of_new(self, name: str, values: list[Any], group: dict[str, Any]) -> Any:
        """A new group takes part in the cycle of the others. Its settings are in the group."""
        begun = [other for other in self.optimizer.param_groups if "max_lr" in other]
        for key in ("initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum"):
            if key in begun[0] and key not in group:
                group[key] = common(key, [other[key] for other in begun])
        return group["initial_lr"]

    def _between(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "linear":
            return start + (end - start) * part
        return end + (start - end) / 2 * (1 + math.cos(math.pi * part))

    def get_lr(self) -> list[float]:
        """The rate of each group. It also sets their momenta."""
        t, start = self.last_epoch, 0.0
        if t > self.total_steps:
            raise ValueError(
                f"Tried to step {t} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        for phase in self._schedule_phases[:-1]:
            if t <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        length, rates = phase["end_step"] - start, []
        part = (t - start) / length if length else 1.0  # a phase of one step is at its end
        for group in self.optimizer.param_groups:
            if "max_lr" not in group:
                self._of_new("base_lrs", self.base_lrs, group)
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, self._between(*ends, part))
        return rates


def _positive(name: str, count: Any) -> int:
    if not isinstance(count, int) or count <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {count}")
    return count
