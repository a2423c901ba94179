"""Data sets, samplers, and the loader that makes batches of them.

The order of the samples is a function of the generator's state alone: of `generator=` where it is
given, else of the default generator.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import Any

import numpy as np

from .. import functions
from ..graph import wrap
from ..modes import is_grad_enabled, set_grad_enabled
from ..random import Generator, source
from ..tensor import Tensor

__all__ = [
    "BatchSampler", "ConcatDataset", "DataLoader", "Dataset", "RandomSampler", "Sampler",
    "SequentialSampler", "Subset", "TensorDataset", "default_collate", "random_split",
]  # fmt: skip


# --- Data sets ----------------------------------------------------------------------------------


class Dataset:
    """Samples by number: a subclass defines `__getitem__(index)` and `__len__()`."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class TensorDataset(Dataset):
    """Samples (x[i], y[i], ..) of Tensors (or arrays) with one length. ValueError for several.

    >>> import tinygrad_cnn as tc
    >>> TensorDataset(tc.tensor([1.0, 2.0]), tc.tensor([0, 1]))[1]
    (tensor(2.), tensor(1))
    """

    tensors: tuple[Any, ...]

    def __init__(self, *tensors: Any):
        tensors = tuple(wrap(t) if isinstance(t, np.ndarray) else t for t in tensors)
        if not tensors or any(not isinstance(t, Tensor) or t.ndim == 0 for t in tensors):
            raise TypeError("TensorDataset: wanted one or more Tensors with a first axis")
        if len({len(t) for t in tensors}) > 1:
            shapes = ", ".join(str(tuple(t.shape)) for t in tensors)
            raise ValueError(f"Size mismatch between tensors: {shapes}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset):
    """The samples of `dataset` with the numbers `indices`, in that order."""

    def __init__(self, dataset: Any, indices: Sequence[int]):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset):
    """The samples of several data sets, one set after another."""

    def __init__(self, datasets: Iterable[Any]):
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("datasets should not be an empty iterable")
        self.cumulative_sizes = list(accumulate(len(d) for d in self.datasets))

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} samples")
        index %= len(self)
        k = bisect_right(self.cumulative_sizes, index)
        return self.datasets[k][index - (self.cumulative_sizes[k - 1] if k else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


def random_split(
    dataset: Any, lengths: Sequence[float], generator: Generator | None = None
) -> list[Subset]:
    """Subsets of those lengths, in random order, no sample in two of them.

    Fractions with sum 1 are lengths too: rounded down, and what is left over goes to the first ones,
    one each. Raises ValueError where the lengths do not add up.

    >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    n = len(dataset)
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


# --- Samplers -----------------------------------------------------------------------------------


class Sampler:
    """An order of samples: a subclass defines `__iter__`, and `__len__` where it is known."""

    def __init__(self, data_source: Any = None):
        pass

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__")


class SequentialSampler(Sampler):
    """0, 1, 2 .. to the last."""

    def __init__(self, data_source: Any):
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """All samples in random order, each once; or `num_samples` of them, drawn anew each time.

    More than there are go through all of them again and again. With `replacement` each number is
    drawn independently. Raises ValueError or TypeError for settings that make no sense.
    """

    def __init__(
        self,
        data_source: Any,
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
        """How many numbers one pass gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, left, draw = len(self.data_source), self.num_samples, source(self.generator)
        if self.replacement:
            yield from draw.integers(0, n, left).tolist()
            return
        while left > 0:
            yield from draw.permutation(n)[:left].tolist()
            left -= n

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of `batch_size` numbers of another sampler; the last is shorter, or dropped."""

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool):
        _check_batch_size(batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got {drop_last=}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n, size = len(self.sampler), self.batch_size
        return n // size if self.drop_last else -(-n // size)


def _check_batch_size(batch_size: Any) -> None:
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
        raise ValueError(f"batch_size should be a positive integer value, but got {batch_size=}")


# --- Batches ------------------------------------------------------------------------------------


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch of samples of the same form: Tensors and arrays stacked along a new first axis.

    Numbers become a Tensor (int64, bool, or float64 as of Python), text stays a list; mappings,
    named tuples, tuples and lists are gone into. Raises TypeError for anything else, RuntimeError
    where the samples are of different lengths.

    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return functions.stack(list(batch), 0)
    if isinstance(first, np.ndarray):
        return functions.stack([wrap(np.asarray(x)) for x in batch], 0)
    if isinstance(first, (bool, int, float, np.number, np.bool_)):
        return wrap(np.array(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, (tuple, list)):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = list(zip(*batch, strict=True))
        if hasattr(first, "_fields"):
            return type(first)(*map(default_collate, columns))
        return [default_collate(column) for column in columns]
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}"
    )


def _tensors_of(dataset: Any) -> tuple[Any, ...] | None:
    """The tensors of a TensorDataset, if samples are what TensorDataset takes out of them."""
    plain = isinstance(dataset, TensorDataset) and all(
        getattr(type(dataset), name) is getattr(TensorDataset, name)
        for name in ("__getitem__", "__len__")
    )
    return dataset.tensors if plain else None


def _gather(dataset: Any, indices: list[int]) -> Any:
    """The batch that default_collate makes of those samples, at one go; None where it cannot."""
    while type(dataset) is Subset:
        indices = [dataset.indices[i] for i in indices]
        dataset = dataset.dataset
    tensors = _tensors_of(dataset)
    if tensors is None or not all(isinstance(i, (int, np.integer)) for i in indices):
        return None
    rows = np.array(indices, np.intp)
    return [wrap(t._array[rows]) if t._node is None else t[rows] for t in tensors]


class DataLoader:
    """Goes through `dataset` in batches: a new pass each time it is iterated.

    - `batch_size` samples make a batch, the last is shorter unless `drop_last`; None gives samples
      as they are;
    - `shuffle` draws a new order each pass from `generator`; or `sampler` gives the numbers, or
      `batch_sampler` lists of them;
    - `collate_fn` makes a batch of a list of samples: `default_collate` unless told. With it a
      TensorDataset, or a Subset of one, is indexed once a batch, with the same result;
    - `num_workers` threads load that many batches ahead (twice as many with `prefetch_factor`
      untold), in the same order. What a data set itself draws at random then depends on which
      thread comes first;
    - `pin_memory` and `persistent_workers` are accepted and mean nothing here.

    Raises ValueError for settings that exclude each other.

    >>> import tinygrad_cnn as tc
    >>> loader = DataLoader(TensorDataset(tc.arange(5)), batch_size=2)
    >>> [x.tolist() for (x,) in loader], len(loader)
    ([[0, 1], [2, 3], [4]], 3)
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
    ):
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use 0 for no threads.")
        if worker_init_fn is not None or timeout:
            raise NotImplementedError("DataLoader: worker_init_fn and timeout are not there")
        if hasattr(dataset, "__iter__") and not hasattr(dataset, "__getitem__"):
            raise NotImplementedError(
                "DataLoader: the data set must have __getitem__ and __len__; ones that can only be "
                "iterated are not there"
            )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                    "and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if sampler is None:
            sampler = (
                RandomSampler(dataset, generator=generator)
                if shuffle
                else SequentialSampler(dataset)
            )
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.num_workers, self.prefetch_factor = num_workers, prefetch_factor or 2
        self.collate_fn = collate_fn
        self.pin_memory, self.persistent_workers = pin_memory, persistent_workers

    def __len__(self) -> int:
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        numbers = iter(self.sampler if self.batch_sampler is None else self.batch_sampler)
        return self._ahead(numbers) if self.num_workers else map(self._load, numbers)

    def _load(self, numbers: Any) -> Any:
        """One batch, or where there are no batches one sample."""
        if self.batch_sampler is None:
            sample = self.dataset[numbers]
            return sample if self.collate_fn is None else self.collate_fn(sample)
        numbers = list(numbers)
        if self.collate_fn is None or self.collate_fn is default_collate:
            batch = _gather(self.dataset, numbers)
            if batch is not None:
                return batch
        fetch = getattr(self.dataset, "__getitems__", None)
        samples = fetch(numbers) if fetch else [self.dataset[i] for i in numbers]
        return (self.collate_fn or default_collate)(samples)

    def _ahead(self, numbers: Iterator[Any]) -> Iterator[Any]:
        """The batches in order, loaded by threads some batches ahead."""
        from concurrent.futures import ThreadPoolExecutor

        recording = is_grad_enabled()

        def load(some: Any) -> Any:
            with set_grad_enabled(recording):  # the mode is each thread's own
                return self._load(some)

        pool = ThreadPoolExecutor(self.num_workers, "DataLoader")
        try:
            waiting = deque(
                pool.submit(load, some)
                for some in islice(numbers, self.num_workers * self.prefetch_factor)
            )
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(pool.submit(load, some) for some in islice(numbers, 1))
                yield batch
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
