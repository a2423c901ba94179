"""Averages of the parameters of a model over training: stochastic weight averaging, moving averages.

Izmailov et al. (2018), "Averaging weights leads to wider optima and better generalization".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ..atomic import together
from ..creation import tensor
from ..engine import no_grad
from ..engine.dtypes import int64
from ..nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, Module
from ..tensor import Tensor
from .lr_scheduler import LRScheduler
from .optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn",
    "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip

Average = Callable[[Tensor, Tensor, Any], Tensor]
Averages = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """A function of an average, a value and a count: decay · average + (1 − decay) · value.

    ValueError for a decay outside of [0, 1].

    >>> tc.optim.swa_utils.get_ema_avg_fn(0.5)(tc.ones(1), tc.zeros(1), 3)
    tensor([0.5000])
    """
    _check_decay(decay)

    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """`get_ema_avg_fn` of lists of Tensors: the averages are overwritten. Integers are rounded down.

    >>> averages = [tc.ones(1)]
    >>> tc.optim.swa_utils.get_ema_multi_avg_fn(0.5)(averages, [tc.zeros(1)], 3)
    >>> averages
    [tensor([0.5000])]
    """
    _check_decay(decay)

    def ema_update(
        ema_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], _: Any
    ) -> None:
        with no_grad():
            for average, value in zip(ema_param_list, current_param_list, strict=True):
                if average.is_floating_point():
                    average.lerp_(value, 1 - decay)
                else:
                    average.copy_(average * decay + value * (1 - decay))

    return ema_update


def get_swa_avg_fn() -> Average:
    """A function of the average of n values, a value, and n: the average of n + 1 values.

    >>> tc.optim.swa_utils.get_swa_avg_fn()(tc.ones(1), tc.zeros(1), 3)
    tensor([0.7500])
    """

    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        with no_grad():
            return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_swa_multi_avg_fn() -> Averages:
    """`get_swa_avg_fn` of lists of Tensors: the averages are overwritten.

    >>> averages = [tc.ones(1)]
    >>> tc.optim.swa_utils.get_swa_multi_avg_fn()(averages, [tc.zeros(1)], 3)
    >>> averages
    [tensor([0.7500])]
    """
    average_of = get_swa_avg_fn()

    def swa_update(
        averaged_param_list: Sequence[Tensor],
        current_param_list: Sequence[Tensor],
        num_averaged: Any,
    ) -> None:
        with no_grad():
            for average, value in zip(averaged_param_list, current_param_list, strict=True):
                average.copy_(average_of(average, value, num_averaged))

    return swa_update


class AveragedModel(Module):
    """A copy of `model` whose parameters are averages of those of the model.

    `update_parameters(model)` takes the parameters into the averages: the first call copies them. The
    averages are plain ones, or those of `avg_fn(average, value, count)`, or of `multi_avg_fn` for lists
    of Tensors; `get_ema_multi_avg_fn` makes a moving average. Buffers are copied, or with `use_buffers`
    averaged too. ValueError if both functions are given.

    >>> model = tc.nn.Linear(2, 1)
    >>> averaged = tc.optim.swa_utils.AveragedModel(model)
    >>> averaged.update_parameters(model)
    >>> averaged.n_averaged
    tensor(1)
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The output of the averaged model."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of `model` into the averages: all of them, or none after an exception."""
        averages: list[Tensor] = [p.detach() for p in self.module.parameters()]
        values: list[Tensor] = [p.detach() for p in model.parameters()]
        copied = list(zip(self.module.buffers(), model.buffers(), strict=True))
        if self.use_buffers:
            averages += [a for a, _ in copied]
            values += [b for _, b in copied]
            copied = []
        written = [x._array for x in (*averages, *(a for a, _ in copied), self.n_averaged)]
        undo = [partial(array.__setitem__, ..., array.copy()) for array in written]
        try:
            with no_grad():
                if self.n_averaged == 0:
                    copied += list(zip(averages, values, strict=True))
                elif self.avg_fn is not None:
                    for average, value in zip(averages, values, strict=True):
                        average.copy_(self.avg_fn(average, value, self.n_averaged))
                else:
                    (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, values, self.n_averaged)
                for average, value in copied:
                    average.copy_(value)
                self.n_averaged += 1
        except BaseException:
            together(undo)
            raise


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of batch normalisation anew, as averages over `loader`.

    It gives batches, or tuples or lists with the batch in front. Only for models with such layers.

    >>> model = tc.nn.BatchNorm1d(1)
    >>> tc.optim.swa_utils.update_bn([tc.tensor([[0.0], [2.0]]), tc.tensor([[4.0], [6.0]])], model)
    >>> model.running_mean
    tensor([3.])
    """
    kinds = (BatchNorm1d, BatchNorm2d, BatchNorm3d)
    layers: Any = [m for m in model.modules() if isinstance(m, kinds)]
    momenta = [layer.momentum for layer in layers]
    if not layers:
        return
    was_training = model.training
    model.train()
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
        for batch in loader:
            x = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(x if device is None else x.to(device))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """Changes the rate of each group to `swa_lr` within `anneal_epochs` epochs, and keeps it there.

    `swa_lr` is one rate or a list with one for each group; `anneal_strategy` is "cos" or "linear". It
    may run beside another schedule. ValueError for other values.

    >>> optimizer = tc.optim.SGD([tc.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = tc.optim.swa_utils.SWALR(optimizer, 0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ):
        groups = optimizer.param_groups
        rates = list(swa_lr) if isinstance(swa_lr, (list, tuple)) else [swa_lr] * len(groups)
        if len(rates) != len(groups):
            raise ValueError(
                "swa_lr must have the same length as optimizer.param_groups. swa_lr has "
                f"{len(rates)} values, param_groups has {len(groups)}."
            )
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for rate, group in zip(rates, groups, strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """The share of swa_lr in the rate after so many epochs, from 0 to 1."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[float]:
        """The rate of each group, from its current one, which another schedule may have changed."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, share = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            goal, lr = group["swa_lr"], float(group["lr"])
            start = goal if before == 1 else (lr - before * goal) / (1 - before)
            rates.append(goal * share + start * (1 - share))
        return rates


if not TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    _not_here(globals())
