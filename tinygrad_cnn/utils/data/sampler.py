"""Samplers: orders of indices, and lists of indices for batches.

The state of the generator at `iter()` alone decides the order. It is `generator=` where that is given,
otherwise the default generator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from ...random import Generator, source
from ...tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """An order of indices. A subclass defines `__iter__`, and `__len__` if it is known.

    `Sampler[T]` yields values of type T: indices, or lists of indices for a `batch_sampler`.

    >>> class Backwards(tc.utils.data.Sampler[int]):
    ...     def __init__(self, n):
    ...         self.n = n
    ...
    ...     def __iter__(self):
    ...         return iter(range(self.n - 1, -1, -1))
    >>> list(Backwards(3))
    [2, 1, 0]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__")


class SequentialSampler(Sampler[int]):
    """The indices of a data set in order: 0, 1, 2 ...

    >>> list(tc.utils.data.SequentialSampler(["a", "b"]))
    [0, 1]
    """

    data_source: Sized

    def __init__(self, data_source: Sized):
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices of a data set in random order.

    By default each index comes once. `num_samples` is how many come: more than there are start the
    next random order. With `replacement` each is drawn independently. Raises ValueError where
    num_samples is not a positive integer, TypeError where replacement is not a bool.

    >>> sorted(tc.utils.data.RandomSampler(["a", "b", "c"]))
    [0, 1, 2]
    """

    data_source: Sized

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ):
        self.data_source, self.replacement = data_source, replacement
        self._num_samples, self.generator = num_samples, generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got {replacement=}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                "num_samples should be a positive integer value, but got "
                f"num_samples={self.num_samples}"
            )

    @property
    def num_samples(self) -> int:
        """The number of indices in one pass."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        seed = int(source(self.generator).integers(2**63))  # the indices are drawn later
        return self._numbers(Generator().manual_seed(seed).numpy)

    def _numbers(self, draw: np.random.Generator) -> Iterator[int]:
        n, left = len(self.data_source), self.num_samples
        if self.replacement:
            yield from draw.integers(0, n, left).tolist()
            return
        while left > 0:
            yield from draw.permutation(n)[:left].tolist()
            left -= n

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order, each once.

    >>> sorted(tc.utils.data.SubsetRandomSampler([5, 3, 9]))
    [3, 5, 9]
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None):
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        order = source(self.generator).permutation(len(self.indices)).tolist()
        return iter([self.indices[i] for i in order])

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices, drawn with probabilities in proportion to `weights`.

    There is one weight for each sample. Without `replacement` no index comes twice. Raises ValueError
    for settings of another type or range; and RuntimeError at `iter()` for weights that are negative
    or not finite, and for too few positive ones.

    >>> list(tc.utils.data.WeightedRandomSampler([0.0, 1.0], 3))
    [1, 1, 1]
    """

    weights: np.ndarray

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ):
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(
                f"num_samples should be a positive integer value, but got {num_samples=}"
            )
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got {replacement=}")
        array = weights.detach().numpy() if isinstance(weights, Tensor) else weights
        self.weights = np.array(array, np.float64)
        if self.weights.ndim != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {self.weights.shape}"
            )
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        w, k, draw = self.weights, self.num_samples, source(self.generator)
        if not (np.isfinite(w).all() and (w >= 0).all()):
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        if not w.any():
            raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
        if not self.replacement and k > np.count_nonzero(w):
            raise RuntimeError(
                "invalid multinomial distribution (with replacement=False, not enough non-negative "
                f"category to sample: {k} wanted of {np.count_nonzero(w)})"
            )
        return iter(draw.choice(len(w), k, self.replacement, w / w.sum()).tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler. The last one may be shorter, or is dropped.

    Raises ValueError where batch_size is not a positive integer, or drop_last not a bool.

    >>> list(tc.utils.data.BatchSampler(range(5), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    sampler: Sampler[int] | Iterable[int]

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool):
        _check_batch_size(batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got {drop_last=}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        return self._batches(iter(self.sampler))

    def _batches(self, numbers: Iterator[int]) -> Iterator[list[int]]:
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n, size = len(self.sampler), self.batch_size  # type: ignore[arg-type]  # if it is known
        return n // size if self.drop_last else -(-n // size)


def _check_batch_size(batch_size: Any) -> None:
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
        raise ValueError(f"batch_size should be a positive integer value, but got {batch_size=}")
