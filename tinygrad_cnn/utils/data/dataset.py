"""Data sets: samples by index, or one after another."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from types import GenericAlias
from typing import Any, Generic, TypeVar

import numpy as np

from ...engine import wrap
from ...random import Generator, source
from ...tensor import Tensor

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples by index. A subclass defines `__getitem__(index)` and `__len__()`.

    `Dataset[T]` is the type of a data set with samples of type T. The sum of two is a ConcatDataset.

    >>> class Squares(tc.utils.data.Dataset[int]):
    ...     def __getitem__(self, index):
    ...         return index**2
    ...
    ...     def __len__(self):
    ...         return 4
    >>> len(Squares() + Squares()), (Squares() + Squares())[6]
    (8, 4)
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__")

    def __add__(self, other: Dataset[T_co]) -> ConcatDataset[T_co]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Samples one after another. A subclass defines `__iter__`, and `__len__` if it is known.

    The sum of two is a ChainDataset.

    >>> class Stream(tc.utils.data.IterableDataset[int]):
    ...     def __iter__(self):
    ...         return iter(range(3))
    >>> list(Stream() + Stream())
    [0, 1, 2, 0, 1, 2]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__")

    def __add__(self, other: Dataset[T_co]) -> ChainDataset[T_co]:  # type: ignore[override]
        return ChainDataset([self, other])  # type: ignore[list-item]  # checked there


class ChainDataset(IterableDataset[T_co]):
    """The samples of several IterableDatasets, one data set after another.

    Raises TypeError for a data set of another kind.

    >>> class Stream(tc.utils.data.IterableDataset[int]):
    ...     def __iter__(self):
    ...         return iter(range(2))
    >>> list(tc.utils.data.ChainDataset([Stream(), Stream()]))
    [0, 1, 0, 1]
    """

    datasets: list[IterableDataset[T_co]]

    def __init__(self, datasets: Iterable[IterableDataset[T_co]]):
        self.datasets = list(datasets)
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise TypeError("ChainDataset only supports IterableDataset")

    def __iter__(self) -> Iterator[T_co]:
        return chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(map(len, self.datasets))  # type: ignore[arg-type]


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples (x[i], y[i], ..) of Tensors or arrays that have the same size of axis 0.

    Raises TypeError for objects of other types and for 0-d Tensors, ValueError for different sizes.

    >>> tc.utils.data.TensorDataset(tc.tensor([1.0, 2.0]), tc.tensor([0, 1]))[1]
    (tensor(2.), tensor(1))
    """

    tensors: tuple[Tensor, ...]
    __class_getitem__: Any = classmethod(GenericAlias)  # for annotations that name the sample type

    def __init__(self, *tensors: Tensor):
        given = tuple(wrap(t) if isinstance(t, np.ndarray) else t for t in tensors)
        if not given or any(not isinstance(t, Tensor) or t.ndim == 0 for t in given):
            raise TypeError("TensorDataset: wanted one or more Tensors with a first axis")
        if len({len(t) for t in given}) > 1:
            shapes = ", ".join(str(tuple(t.shape)) for t in given)
            raise ValueError(f"Size mismatch between tensors: {shapes}")
        self.tensors = given

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset[T_co]):
    """The samples of `dataset` with these indices, in this order.

    >>> data = tc.utils.data.TensorDataset(tc.arange(5))
    >>> tc.utils.data.Subset(data, [3, 1])[0]
    (tensor(3),)
    """

    dataset: Dataset[T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        """A list of samples, or the result of `__getitems__` of the data set."""
        fetch = getattr(self.dataset, "__getitems__", None)
        if fetch is None or type(self).__getitem__ is not Subset.__getitem__:
            return [self[i] for i in indices]
        return fetch([self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T_co]):
    """The samples of several data sets, one data set after another.

    Raises ValueError for no data set, TypeError for an IterableDataset.

    >>> parts = [tc.utils.data.TensorDataset(tc.arange(n)) for n in (2, 3)]
    >>> data = tc.utils.data.ConcatDataset(parts)
    >>> len(data), data[2]
    (5, (tensor(0),))
    """

    datasets: list[Dataset[T_co]]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Dataset[T_co]]):
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise TypeError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(accumulate(map(len, self.datasets)))  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> T_co:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} samples")
        index %= len(self)
        k = bisect_right(self.cumulative_sizes, index)
        return self.datasets[k][index - (self.cumulative_sizes[k - 1] if k else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def random_split(
    dataset: Dataset[T], lengths: Sequence[float], generator: Generator | None = None
) -> list[Subset[T]]:
    """Disjoint random Subsets of these lengths.

    The lengths may be fractions with sum 1: they are rounded down, and the samples that are left go
    to the first Subsets, one each. Raises ValueError where the lengths do not add up. Warns of an
    empty Subset.

    >>> data = tc.utils.data.TensorDataset(tc.arange(10))
    >>> [len(part) for part in tc.utils.data.random_split(data, [0.75, 0.25])]
    [8, 2]
    """
    n = len(dataset)  # type: ignore[arg-type]  # PyTorch's Dataset has no __len__ either
    counts = [int(length) for length in lengths]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1 + 1e-9:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1")
        counts = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(counts)):
            counts[i % len(counts)] += 1
        for i, count in enumerate(counts):
            if count == 0:
                warnings.warn(
                    f"Length of split at index {i} is 0. This might result in an empty dataset.",
                    stacklevel=2,
                )
    elif any(length < 0 or length != int(length) for length in lengths):
        raise ValueError(f"random_split: wanted counts or fractions of sum 1, got {list(lengths)}")
    if sum(counts) != n:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"Got {list(lengths)} for {n} samples"
        )
    order = source(generator).permutation(n).tolist()
    ends = list(accumulate(counts))
    return [
        Subset(dataset, order[end - count : end]) for count, end in zip(counts, ends, strict=True)
    ]
