"""DataLoader: batches of a data set, one pass after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from itertools import count
from typing import Any

from ...random import Generator, drawing_from, source
from .collate import default_collate, default_convert, gather
from .dataset import IterableDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .worker import Ahead, WorkerInfo


class DataLoader:
    """Goes through `dataset` in batches: a new pass each time it is iterated.

    - `batch_size` samples make a batch, the last is shorter unless `drop_last`; None gives samples
      one by one;
    - `shuffle` draws a new order each pass from `generator`; or `sampler` gives the numbers, or
      `batch_sampler` lists of them. An IterableDataset gives its samples in its own order;
    - `collate_fn` makes a batch of a list of samples: `default_collate` unless told. With it a
      TensorDataset, or a Subset of one, is indexed once a batch, with the same result;
    - `num_workers` threads load ahead, `prefetch_factor` batches (2) each. The batches, their order
      and what is drawn on the way (each batch has a generator of its own, that takes the place of
      the default one) are the same for any number of threads. An error comes up where its batch
      would, with the thread's traceback. `worker_init_fn(id)` is called first in each thread, where
      `get_worker_info().dataset` is a shallow copy for this worker. An IterableDataset is one
      stream, which the workers share: PyTorch gives each worker a copy of it, to be divided;
    - a batch for which one waits longer than `timeout` seconds (unless 0) is a RuntimeError;
    - `pin_memory`, `persistent_workers`, `multiprocessing_context` and `in_order` are accepted and
      mean nothing here.

    Raises ValueError for settings that exclude each other, TypeError for what is no data set.

    >>> import tinygrad_cnn as tc
    >>> from tinygrad_cnn.utils.data import DataLoader, TensorDataset
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
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ):
        if num_workers < 0:
            raise ValueError(
                "num_workers option should be non-negative; use num_workers=0 to disable threads."
            )
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing: set "
                "num_workers > 0, or prefetch_factor to None."
            )
        if prefetch_factor is not None and prefetch_factor <= 0:
            raise ValueError("prefetch_factor option should be non-negative, and not 0")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        if isinstance(dataset, IterableDataset):
            for name, value in (
                ("shuffle", shuffle or None),
                ("sampler", sampler),
                ("batch_sampler", batch_sampler),
            ):
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but "
                        f"got {name}={value}"
                    )
        elif not hasattr(dataset, "__getitem__"):
            raise TypeError(
                f"DataLoader: {type(dataset).__name__} is no data set: it must have __getitem__ "
                "and __len__, or be an IterableDataset"
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
            if isinstance(dataset, IterableDataset):
                sampler = dataset  # the stream; its batches are cut like those of a sampler
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.num_workers, self.timeout, self.worker_init_fn = num_workers, timeout, worker_init_fn
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.collate_fn = collate_fn
        if collate_fn is None:
            self.collate_fn = default_convert if batch_sampler is None else default_collate
        self.pin_memory, self.persistent_workers = pin_memory, persistent_workers

    def __len__(self) -> int:
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)

    def __iter__(self) -> Iterator[Any]:
        seed = int(source(self.generator).integers(2**63))
        stream = _generator(seed, 0)  # for what a sampler or an IterableDataset draws
        with drawing_from(stream):
            jobs = iter(self.sampler if self.batch_sampler is None else self.batch_sampler)

        def pull() -> Any:
            with drawing_from(stream):
                return next(jobs)

        def load(job: Any, number: int, dataset: Any) -> Any:
            with drawing_from(_generator(seed, number + 1)):
                return self._load(dataset, job)

        if not self.num_workers:
            return _here(pull, load, self.dataset)
        infos = [
            WorkerInfo(
                i,
                self.num_workers,
                seed + i,
                self.dataset if self.worker_init_fn is None else copy(self.dataset),
            )
            for i in range(self.num_workers)
        ]
        bound = self.num_workers * (self.prefetch_factor or 2)
        return Ahead(pull, load, infos, bound, self.worker_init_fn, self.timeout).batches()

    def _load(self, dataset: Any, job: Any) -> Any:
        """One batch, or where there are no batches one sample."""
        collate: Any = self.collate_fn
        if isinstance(dataset, IterableDataset):
            return collate(job)
        if self.batch_sampler is None:
            return collate(dataset[job])
        job = list(job)
        if collate is default_collate:
            batch = gather(dataset, job)
            if batch is not None:
                return batch
        fetch = getattr(dataset, "__getitems__", None)
        return collate(fetch(job) if fetch else [dataset[i] for i in job])


def _generator(seed: int, number: int) -> Generator:
    """Of a pass with that seed the generator of that number, made when it is first drawn from."""
    generator = Generator()
    generator._seed = (seed + 0x9E3779B97F4A7C15 * (number + 1)) % 2**64  # 2⁶⁴ / golden ratio
    return generator


def _here(pull: Callable[[], Any], load: Callable[..., Any], dataset: Any) -> Iterator[Any]:
    """The batches, loaded when they are asked for."""
    for number in count():
        try:
            job = pull()
        except StopIteration:
            return
        yield load(job, number, dataset)
