"""Data sets, samplers and the loader of batches: the public names.

The state of the generator alone decides the order of the samples and all random numbers on the way to
a batch. It is `generator=` where that is given, otherwise the default generator.
"""

import typing as _typing

from .collate import default_collate as default_collate, default_convert as default_convert
from .dataloader import DataLoader as DataLoader
from .dataset import (
    ChainDataset as ChainDataset,
    ConcatDataset as ConcatDataset,
    Dataset as Dataset,
    IterableDataset as IterableDataset,
    Subset as Subset,
    TensorDataset as TensorDataset,
    random_split as random_split,
)
from .sampler import (
    BatchSampler as BatchSampler,
    RandomSampler as RandomSampler,
    Sampler as Sampler,
    SequentialSampler as SequentialSampler,
    SubsetRandomSampler as SubsetRandomSampler,
    WeightedRandomSampler as WeightedRandomSampler,
)
from .worker import WorkerInfo as WorkerInfo, get_worker_info as get_worker_info

if _typing.TYPE_CHECKING:
    from .distributed import DistributedSampler as DistributedSampler
else:
    from ...compat.missing import not_here as _not_here

    _not_here(globals(), modules=("distributed",), names={"distributed": ("DistributedSampler",)})
