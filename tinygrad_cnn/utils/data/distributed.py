"""The sampler that gives each of several processes its part of a data set."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...creation import randperm
from ...random import Generator
from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """The indices of process `rank` of `num_replicas`: every num_replicas-th of all indices.

    All parts have one size: the last indices are dropped with `drop_last`, else the first ones come
    again. `shuffle` draws the order from `seed` plus the number that `set_epoch` sets, so it is the same
    in all processes. By default, `num_replicas` and `rank` are those of `distributed`: ValueError before
    `init_process_group`.

    >>> from tinygrad_cnn.utils.data import DistributedSampler
    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ):
        if num_replicas is None or rank is None:
            from ...distributed.groups import get_rank, get_world_size  # few programs need it

            num_replicas = get_world_size() if num_replicas is None else num_replicas
            rank = get_rank() if rank is None else rank
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last, self.epoch = shuffle, seed, drop_last, 0
        whole = len(dataset) / num_replicas
        self.num_samples = int(whole) if drop_last else math.ceil(whole)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        indices = list(range(n))
        if self.shuffle:
            generator = Generator().manual_seed(self.seed + self.epoch)
            indices = randperm(n, generator=generator).tolist()
        if n and len(indices) < self.total_size:
            indices *= math.ceil(self.total_size / n)
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Set the number of the epoch: another order in each, if it shuffles."""
        self.epoch = epoch


if not TYPE_CHECKING:
    from ...compat.missing import not_here as _not_here

    _not_here(globals())
