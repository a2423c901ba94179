"""Sequences of different lengths: packing and padding are inverse, and adjoint."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.nn.utils import rnn


@st.composite
def sequences(draw):
    """Tensors (L, ..) of one .., and of any lengths from 1."""
    rest = draw(st.sampled_from([(), (2,), (2, 3), (0,)]))
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    return [tc.tensor(rng.standard_normal((n, *rest)), requires_grad=True) for n in lengths]


@given(sequences(), st.booleans())
def test_unpacking_undoes_packing(xs, batch_first):
    packed = rnn.pack_sequence(xs, enforce_sorted=False)
    assert packed.batch_sizes.sum() == sum(len(x) for x in xs)
    for x, y in zip(xs, rnn.unpack_sequence(packed), strict=True):
        assert tc.equal(x, y)
    padded, lengths = rnn.pad_packed_sequence(packed, batch_first, padding_value=7.0)
    assert lengths.tolist() == [len(x) for x in xs]
    assert tc.equal(padded, rnn.pad_sequence(xs, batch_first, padding_value=7.0))
    again = rnn.pack_padded_sequence(padded, lengths, batch_first, enforce_sorted=False)
    assert tc.equal(again.data, packed.data)
    for x, y in zip(xs, rnn.unpad_sequence(padded, lengths, batch_first), strict=True):
        assert tc.equal(x, y)


@given(sequences(), st.booleans())
def test_gradients_go_through_to_each_sequence(xs, batch_first):
    packed = rnn.pack_sequence(xs, enforce_sorted=False)
    padded, _ = rnn.pad_packed_sequence(packed, batch_first, padding_value=3.0)
    (padded * padded).sum().backward()
    for x in xs:
        assert tc.equal(x.grad, 2 * x.detach())


def test_dtypes_stay_and_conversions_keep_the_order():
    packed = rnn.pack_sequence([tc.tensor([1]), tc.tensor([2, 3])], enforce_sorted=False)
    assert packed.data.dtype == tc.int64
    for name, dtype in (("double", tc.float64), ("float", tc.float32), ("half", tc.float16),
                        ("int", tc.int32), ("short", tc.int16), ("char", tc.int8),
                        ("byte", tc.uint8)):  # fmt: skip
        other = getattr(packed, name)()
        assert other.data.dtype == dtype
        assert other.sorted_indices.tolist() == [1, 0]
        assert other.unsorted_indices.tolist() == [1, 0]
    assert packed.long() is packed.cpu() is packed.pin_memory() is packed
    assert packed.to(tc.float32).data.dtype == tc.float32
    with pytest.raises(RuntimeError, match="cuda"):
        packed.cuda()


def test_it_is_a_tuple_with_names():
    packed = rnn.pack_sequence([tc.tensor([1, 2])])
    data, sizes, order, back = packed
    assert data.tolist() == [1, 2]
    assert sizes.tolist() == [1, 1]
    assert order is back is None
    assert not packed.is_cuda
    assert not packed.is_pinned()
    for other in (copy.deepcopy(packed), pickle.loads(pickle.dumps(packed))):
        assert isinstance(other, rnn.PackedSequence)
        assert tc.equal(other.data, packed.data)


def test_lengths_beyond_the_input_are_refused():
    with pytest.raises(RuntimeError, match="lengths up to 4, of an input of 3 steps"):
        rnn.pack_padded_sequence(tc.ones(3, 2), [4, 2])
    with pytest.raises(RuntimeError, match="batch_sizes must be positive and not increase"):
        rnn.pad_packed_sequence(rnn.PackedSequence(tc.ones(3), tc.tensor([1, 2])))
    with pytest.raises(RuntimeError, match="are of 4 rows, the data have shape"):
        rnn.pad_packed_sequence(rnn.PackedSequence(tc.ones(3), tc.tensor([2, 2])))
    with pytest.raises(RuntimeError, match="expected sequences"):
        rnn.pad_sequence([tc.tensor(1.0)])


def test_the_input_is_not_changed():
    padded = tc.arange(6).reshape(3, 2)
    rnn.unpad_sequence(padded, tc.tensor([3, 1]))
    assert padded.shape == (3, 2)
