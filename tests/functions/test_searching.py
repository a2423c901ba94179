"""Search in sorted values, membership and runs: against NumPy and plain loops."""

import itertools

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.booleans(), st.sampled_from(["float32", "int64", "float16"]), st.integers(0, 9))
def test_places_in_a_vector_are_numpys(seed, right, dtype, n):
    rng = np.random.default_rng(seed)
    a, v = np.sort(rng.integers(0, 5, n)).astype(dtype), rng.integers(-1, 6, (3, 4)).astype(dtype)
    wanted = np.searchsorted(a, v, "right" if right else "left")
    for got in (
        tc.searchsorted(tc.tensor(a), tc.tensor(v), right=right),
        tc.bucketize(tc.tensor(v), tc.tensor(a), right=right),
        tc.searchsorted(tc.tensor(a), tc.tensor(v), side="right" if right else "left"),
    ):
        assert got.dtype == tc.int64
        np.testing.assert_array_equal(got.numpy(), wanted)


@given(seeds, st.booleans())
def test_places_in_rows(seed, right):
    rng = np.random.default_rng(seed)
    a, v = np.sort(rng.integers(0, 5, (2, 3, 6))), rng.integers(-1, 6, (2, 3, 4))
    got = tc.searchsorted(tc.tensor(a), tc.tensor(v), right=right, out_int32=True)
    assert got.dtype == tc.int32
    for row in np.ndindex(2, 3):
        wanted = np.searchsorted(a[row], v[row], "right" if right else "left")
        np.testing.assert_array_equal(got.numpy()[row], wanted)


def test_a_sorter_gives_the_order():
    a = tc.tensor([[3.0, 1.0, 2.0], [9.0, 7.0, 8.0]])
    v = tc.tensor([[2.5], [0.0]])
    assert tc.searchsorted(a, v, sorter=a.argsort()).tolist() == [[2], [0]]


def test_numbers_and_nan():
    a = tc.tensor([1.0, 2.0])
    assert tc.searchsorted(a, 1).item() == 0
    assert tc.bucketize(1.5, a).item() == 1
    assert tc.searchsorted(tc.tensor([1, 2]), 1.5).item() == 1
    assert tc.searchsorted(a, tc.tensor([float("nan")])).tolist() == [2]


@given(seeds, st.booleans())
def test_membership_is_numpys(seed, invert):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 9, (3, 4)), rng.integers(0, 9, (2, 2))
    got = tc.isin(tc.tensor(a), tc.tensor(b), invert=invert)
    np.testing.assert_array_equal(got.numpy(), np.isin(a, b, invert=invert))


def test_membership_of_numbers():
    x = tc.tensor([1.0, float("nan")])
    assert tc.isin(x, 1).tolist() == [True, False]
    assert tc.isin(1, x).item() is True
    assert tc.isin(element=3, test_elements=x).item() is False
    assert tc.isin(x, test_element=1.0).tolist() == [True, False]
    assert tc.isin(x, x).tolist() == [True, False]


@given(st.lists(st.integers(0, 2), max_size=12))
def test_runs_are_itertools(values):
    y, run, count = tc.unique_consecutive(tc.tensor(values, dtype=tc.int64), True, True)
    groups = [(k, len(list(g))) for k, g in itertools.groupby(values)]
    assert y.tolist() == [k for k, _ in groups]
    assert count.tolist() == [n for _, n in groups]
    assert run.tolist() == [i for i, (_, n) in enumerate(groups) for _ in range(n)]


def test_runs_of_slices():
    x = tc.tensor([[1, 1, 2], [3, 3, 3]])
    y, run = x.unique_consecutive(return_inverse=True, dim=1)
    assert y.tolist() == [[1, 2], [3, 3]]
    assert run.tolist() == [0, 0, 1]
    assert tc.unique_consecutive(tc.zeros(2, 3), return_inverse=True)[1].shape == (2, 3)


@pytest.mark.parametrize("n", [0, 1])
def test_runs_of_little(n):
    assert tc.unique_consecutive(tc.zeros(n), return_counts=True)[1].tolist() == [1] * n
