"""Batches from samples."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from copy import copy
from typing import Any

import numpy as np

from ... import functions
from ...creation.data import of_numbers
from ...engine import wrap
from ...engine.dtypes import FLOATING, get_default_dtype
from ...tensor import Tensor
from .dataset import Subset, TensorDataset

_NUMBERS = "biufc"  # kinds of dtypes


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch of samples that have the same form.

    - Tensors and arrays are stacked along a new axis 0;
    - numbers become a Tensor, of int64, bool or float64 for Python's numbers;
    - strings and bytes stay in a list;
    - mappings and named tuples, of the same type, and tuples and lists, as lists, hold batches.

    Raises TypeError for samples of other types, RuntimeError for samples of different lengths.

    >>> from tinygrad_cnn.utils.data import default_collate
    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return functions.stack(list(batch), 0)
    if isinstance(first, np.ndarray) and first.dtype.kind in _NUMBERS:
        return functions.stack([wrap(np.asarray(x)) for x in batch], 0)
    if isinstance(first, (bool, int, float, np.number, np.bool_)):
        array = of_numbers(batch, np.array(batch))
        if (
            isinstance(first, int) and array.dtype.kind in FLOATING
        ):  # PyTorch goes by the first sample
            array = array.astype(get_default_dtype())
        return wrap(array)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        columns = {key: default_collate([sample[key] for sample in batch]) for key in first}
        return _like(first, columns)
    if isinstance(first, (tuple, list)):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        parts = [default_collate(column) for column in zip(*batch, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else parts
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}"
    )


def _like(mapping: Any, content: dict[Any, Any]) -> Any:
    """A mapping of the type of `mapping`, with its settings, if it can be made; otherwise a dict."""
    if type(mapping) is dict:
        return content
    try:
        if not isinstance(mapping, MutableMapping):
            return type(mapping)(content)
        clone = copy(mapping)
        clone.update(content)
        return clone
    except TypeError:
        return content


def default_convert(data: Any) -> Any:
    """A sample with its arrays, also nested ones, as Tensors. Everything else stays.

    >>> import numpy as np
    >>> from tinygrad_cnn.utils.data import default_convert
    >>> default_convert({"x": np.ones(2), "name": "a"})
    {'x': tensor([1., 1.], dtype=torch.float64), 'name': 'a'}
    """
    if isinstance(data, (np.ndarray, np.generic)):
        return wrap(np.asarray(data)) if data.dtype.kind in _NUMBERS else data
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    return [default_convert(x) for x in data] if isinstance(data, (tuple, list)) else data


def _tensors_of(dataset: Any) -> tuple[Tensor, ...] | None:
    """The Tensors of a TensorDataset; None for a subclass that makes samples in its own way."""
    plain = isinstance(dataset, TensorDataset) and all(
        getattr(type(dataset), name) is getattr(TensorDataset, name)
        for name in ("__getitem__", "__len__")
    )
    return dataset.tensors if plain else None


def gather(dataset: Any, indices: list[int]) -> Any:
    """The batch of `default_collate`, by one indexing of each Tensor; None where that is not the same."""
    while type(dataset) is Subset:
        indices = [dataset.indices[i] for i in indices]
        dataset = dataset.dataset
    tensors = _tensors_of(dataset)
    if tensors is None or not all(isinstance(i, (int, np.integer)) for i in indices):
        return None
    rows = np.array(indices, np.intp)
    return [wrap(t._array[rows]) if t._node is None else t[rows] for t in tensors]
