"""DataLoader: passes over a data set in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from itertools import count
from typing import Any, Generic

from ...random import Generator, drawing_from, source
from .collate import default_collate, default_convert, gather
from .dataset import Dataset, IterableDataset, T_co
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from .worker import Ahead, WorkerInfo

FIXED = {  # attributes from which the constructor makes others
    "batch_sampler", "batch_size", "dataset", "drop_last", "persistent_workers", "sampler",
}  # fmt: skip


class DataLoader(Generic[T_co]):
    """Iterates over `dataset` in batches. Each `iter()` is a new pass.

    - `batch_size` samples make a batch. The last one is shorter, or with `drop_last` dropped.
      `batch_size=None` yields samples instead of batches.
    - `shuffle` draws a new order for each pass from `generator`. Or `sampler` yields the indices, or
      `batch_sampler` lists of them. An IterableDataset has its own order.
    - `collate_fn` makes a batch from a list of samples; by default it is `default_collate`. Then a
      TensorDataset, or a Subset of one, is indexed once for each batch, with the same result.
    - `num_workers` threads load `prefetch_factor` batches each ahead (2 by default). The batches do
      not depend on the number of threads: each batch draws from its own generator, which
      replaces the default one. An error is raised in place of its batch, with the traceback of the
      thread. Each thread first calls `worker_init_fn(id)`; `get_worker_info().dataset` is then a
      shallow copy for this worker. The workers share one stream of an IterableDataset. (PyTorch gives
      each worker a copy, and the user divides it.)
    - Waiting for a batch longer than `timeout` seconds raises RuntimeError; 0 means no limit.
    - `pin_memory`, `persistent_workers`, `multiprocessing_context` and `in_order` have no effect.

    Raises ValueError for settings that exclude each other, and for a data set, sampler or size of
    batches that is set later; TypeError for an object that is not a data set.

    >>> from tinygrad_cnn.utils.data import DataLoader, TensorDataset
    >>> loader = DataLoader(TensorDataset(tc.arange(5)), batch_size=2)
    >>> [x.tolist() for (x,) in loader], len(loader)
    ([[0, 1], [2, 3], [4]], 3)
    """

    dataset: Dataset[T_co]
    batch_size: int | None
    drop_last: bool
    sampler: Sampler[Any] | Iterable[Any]
    batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None
    num_workers: int
    collate_fn: Callable[[Any], Any]

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
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
                sampler = dataset  # its samples are divided into batches like indices
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)  # type: ignore[arg-type]
            else:
                sampler = SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_sampler is None and batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.num_workers, self.timeout, self.worker_init_fn = num_workers, timeout, worker_init_fn
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        plain = default_convert if batch_sampler is None else default_collate
        self.collate_fn = plain if collate_fn is None else collate_fn
        self.pin_memory, self.persistent_workers = pin_memory, persistent_workers

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and "persistent_workers" in self.__dict__:  # the last that __init__ sets
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized: the "
                "batches follow from it. Make another loader"
            )
        super().__setattr__(name, value)

    def __len__(self) -> int:
        jobs: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        return len(jobs)

    def __iter__(self) -> Iterator[Any]:
        seed = int(source(self.generator).integers(2**63))
        stream = _generator(seed, 0)  # a sampler or an IterableDataset draws from it
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
        """One batch; without batches, one sample."""
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
    """The generator with that number of the pass with that seed. It is cheap until it first draws."""
    generator = Generator()
    generator._seed = (seed + 0x9E3779B97F4A7C15 * (number + 1)) % 2**64  # 2⁶⁴ / golden ratio
    return generator


def _here(pull: Callable[[], Any], load: Callable[..., Any], dataset: Any) -> Iterator[Any]:
    """The batches, each loaded at its turn, in this thread."""
    for number in count():
        try:
            job = pull()
        except StopIteration:
            return
        yield load(job, number, dataset)
