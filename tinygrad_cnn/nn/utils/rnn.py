"""Sequences of different lengths: padded to one length, packed without padding, or apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from ... import functions, ops
from ...engine import wrap
from ...engine.dtypes import float16, float32, float64, int8, int16, int32, int64, uint8
from ...functions.arguments import several
from ...tensor import Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence",
    "pad_packed_sequence", "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences step by step, without padding: `pack_sequence` and its kin make them.

    - `data` (rows, ..): the elements of the first step, then those of the second, and so on.
    - `batch_sizes` (steps,), int64: how many sequences reach each step. The longest come first.
    - `sorted_indices` (N,): the numbers of the sequences in that order, or None if they came in it.
    - `unsorted_indices` (N,): the inverse permutation.

    Recurrent layers take and return them.

    >>> a, b = tc.tensor([1, 2, 3]), tc.tensor([4])
    >>> packed = tc.nn.utils.rnn.pack_sequence([a, b])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 3]), tensor([2, 1, 1]))
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """This sequence with its data converted, as `Tensor.to` does."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """Raise RuntimeError: the only device is the CPU."""
        return self.to("cuda", *args, **kwargs)

    def cpu(self, *args: Any, **kwargs: Any) -> Self:
        """This sequence: it is on the CPU."""
        return self

    def pin_memory(self) -> Self:
        """This sequence: the memory of the CPU needs no pinning."""
        return self

    def double(self) -> Self:
        """This sequence in float64."""
        return self.to(float64)

    def float(self) -> Self:
        """This sequence in float32."""
        return self.to(float32)

    def half(self) -> Self:
        """This sequence in float16."""
        return self.to(float16)

    def long(self) -> Self:
        """This sequence in int64."""
        return self.to(int64)

    def int(self) -> Self:
        """This sequence in int32."""
        return self.to(int32)

    def short(self) -> Self:
        """This sequence in int16."""
        return self.to(int16)

    def char(self) -> Self:
        """This sequence in int8."""
        return self.to(int8)

    def byte(self) -> Self:
        """This sequence in uint8."""
        return self.to(uint8)

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    def is_pinned(self) -> bool:
        """False."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one, which is a vector of integers. None gives None.

    >>> tc.nn.utils.rnn.invert_permutation(tc.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    inverse = np.empty_like(permutation._array)
    inverse[permutation._array] = np.arange(inverse.size)
    return wrap(inverse)


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Pack padded sequences: input (T, N, ..), or (N, T, ..) with `batch_first`, of N lengths.

    With `enforce_sorted`, the sequences must come longest first. Without it they are sorted, and the
    result says in which order. RuntimeError for lengths that are not sorted then, that are not N
    integers, or that are below 1 or above T.

    >>> rnn = tc.nn.utils.rnn
    >>> rnn.pack_padded_sequence(tc.tensor([[1, 2, 3], [4, 0, 0]]), [3, 1], batch_first=True).data
    tensor([1, 4, 2, 3])
    """
    name = "pack_padded_sequence"
    if input._array.ndim < 2:
        raise IndexError(f"{name}: expected input (T, N, ..), got {input._array.ndim} dimensions")
    if not input._array.size and 0 in input._array.shape[:2]:
        raise RuntimeError("Cannot pack empty tensors.")
    many = np.asarray(getattr(lengths, "_array", lengths)).astype(np.int64)
    if many.ndim != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {many.ndim}D"
        )
    steps, n = input._array.shape[:2][:: -1 if batch_first else 1]
    if many.size != n:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {many.size} "
            f"(batch_size={n})"
        )
    if many.min() <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that "
            "is <= 0"
        )
    if many.max() > steps:
        raise RuntimeError(f"{name}: lengths up to {many.max()}, of an input of {steps} steps")
    order = None
    if not enforce_sorted:
        order = wrap(np.argsort(-many, kind="stable"))
        many = many[order._array]
        input = functions.index_select(input, 0 if batch_first else 1, order)
    elif (many[1:] > many[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence"
        )
    if batch_first:
        input = functions.transpose(input, 0, 1)
    inside = np.arange(many[0])[:, None] < many  # (steps, N)
    if many[0] < steps:
        input = input[: many[0]]
    data = ops.getitem(input, index=inside)
    return PackedSequence(data, wrap(np.count_nonzero(inside, axis=1)), order)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The inverse of `pack_padded_sequence`: (T, N, ..), or (N, T, ..), and the lengths (N,).

    T is the longest length, or `total_length`. ValueError where that is shorter, RuntimeError for
    data that do not have as many rows as the sequence says.

    >>> rnn = tc.nn.utils.rnn
    >>> packed = rnn.pack_sequence([tc.tensor([4]), tc.tensor([1, 2])], enforce_sorted=False)
    >>> rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[4, 0],
            [1, 2]]), tensor([1, 2]))
    """
    sizes = checked_sizes("pad_packed_sequence", sequence)
    steps, data = len(sizes), sequence.data
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, "
                f"but got total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    inside = np.arange(sizes[0]) < np.array(sizes + (0,) * (steps - len(sizes)))[:, None]
    padded = ops.put(data, index=inside, shape=(*inside.shape, *data._array.shape[1:]))
    if padding_value:
        outside = ~inside.reshape(*inside.shape, *[1] * (data._array.ndim - 1))
        padded = ops.where(outside, data._array.dtype.type(padding_value), padded)
    if batch_first:
        padded = functions.transpose(padded, 0, 1)
    lengths: Tensor = wrap(np.count_nonzero(inside, axis=0))
    if sequence.unsorted_indices is not None:
        back = sequence.unsorted_indices
        padded = functions.index_select(padded, 0 if batch_first else 1, back)
        lengths = functions.index_select(lengths, 0, back)
    return padded, lengths


def checked_sizes(name: str, sequence: PackedSequence) -> tuple[int, ...]:
    """The batch sizes as integers. RuntimeError unless they fall, and add up to the rows."""
    sizes = tuple(sequence.batch_sizes._array.tolist())
    rows = sequence.data._array.shape[:1]
    if not sizes or sizes[-1] < 1 or any(a < b for a, b in pairwise(sizes)):
        raise RuntimeError(f"{name}: batch_sizes must be positive and not increase, got {sizes}")
    if rows != (sum(sizes),):
        found = sequence.data._array.shape
        raise RuntimeError(
            f"{name}: batch_sizes {sizes} are of {sum(sizes)} rows, the data have shape {found}"
        )
    return sizes


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (L, ..) of different lengths as one Tensor (T, N, ..), or (N, T, ..).

    T is the longest length. The `padding_side` is "right" or "left". RuntimeError for no sequences,
    and for sequences that differ in another axis than the first.

    >>> rnn = tc.nn.utils.rnn
    >>> rnn.pad_sequence([tc.tensor([1, 2]), tc.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    name = "pad_sequence"
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"{name}: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    if padding_side not in ("right", "left"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    found = tuple(sequences)
    if not found:
        raise RuntimeError("received an empty list of sequences")
    rows: list[Any] = several(name, found)
    if not all(x._array.ndim and x._array.shape[1:] == rows[0]._array.shape[1:] for x in rows):
        shapes = ", ".join(str(x._array.shape) for x in rows)
        raise RuntimeError(f"{name}: expected sequences (L, ..) of equal .., got shapes {shapes}")
    longest = max(x._array.shape[0] for x in rows)
    rows = [_padded(x, longest - x._array.shape[0], padding_value, padding_side) for x in rows]
    return functions.stack(rows, 0 if batch_first else 1)


def _padded(x: Any, missing: int, value: float, side: str) -> Any:
    """x with that many elements more along the first axis."""
    if not missing:
        return x
    ends = (missing, 0) if side == "left" else (0, missing)
    return ops.pad(x, widths=(ends, *[(0, 0)] * (x._array.ndim - 1)), value=value)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The inverse of `pad_sequence`: the first elements of each sequence, as many as its length.

    >>> rnn = tc.nn.utils.rnn
    >>> rnn.unpad_sequence(tc.tensor([[1, 2], [3, 0]]), tc.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    if not batch_first:
        padded_sequences = functions.transpose(padded_sequences, 0, 1)
    return [row[:length] for row, length in zip(padded_sequences, lengths.tolist(), strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L, ..), the longest first unless `enforce_sorted` is False.

    Errors as in `pad_sequence` and `pack_padded_sequence`.

    >>> tc.nn.utils.rnn.pack_sequence([tc.tensor([1, 2]), tc.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = [len(x) for x in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The inverse of `pack_sequence`: the sequences in their original order.

    >>> rnn = tc.nn.utils.rnn
    >>> rnn.unpack_sequence(rnn.pack_sequence([tc.tensor([1, 2]), tc.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    return unpad_sequence(
        *pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True
    )


if not TYPE_CHECKING:
    from ...compat.missing import not_here as _not_here

    _not_here(globals())
