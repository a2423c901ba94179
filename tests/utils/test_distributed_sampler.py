"""The parts of a data set that processes get. The lists are PyTorch's."""

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.utils.data import DataLoader, DistributedSampler


@pytest.mark.parametrize(("n", "parts", "drop", "wanted"), [
    (5, 2, False, [[0, 2, 4], [1, 3, 0]]),
    (5, 2, True, [[0, 2], [1, 3]]),
    (2, 5, False, [[0], [1], [0], [1], [0]]),
    (2, 3, True, [[], [], []]),
    (0, 2, False, [[], []]),
    (4, 1, False, [[0, 1, 2, 3]]),
])  # fmt: skip
def test_the_parts(n, parts, drop, wanted):
    samplers = [
        DistributedSampler(range(n), parts, rank, shuffle=False, drop_last=drop)
        for rank in range(parts)
    ]
    assert [list(s) for s in samplers] == wanted
    assert [len(s) for s in samplers] == [len(w) for w in wanted]


def test_all_processes_shuffle_alike_and_anew_in_each_epoch():
    samplers = [DistributedSampler(range(10), 2, rank, seed=3) for rank in range(2)]
    first = [list(s) for s in samplers]
    assert sorted(first[0] + first[1]) == list(range(10))
    assert first == [list(s) for s in samplers]
    before = tc.get_rng_state()
    for s in samplers:
        s.set_epoch(1)
    second = [list(s) for s in samplers]
    assert sorted(second[0] + second[1]) == list(range(10))
    assert second != first
    assert (before == tc.get_rng_state()).all()  # it has a generator of its own


def test_a_loader_takes_it():
    sampler = DistributedSampler(range(6), 2, 1, shuffle=False)
    batches = [b.tolist() for b in DataLoader(range(6), batch_size=2, sampler=sampler)]
    assert batches == [[1, 3], [5]]


@pytest.mark.parametrize("rank", [-1, 2])
def test_a_rank_outside_of_the_processes(rank):
    with pytest.raises(ValueError, match=rf"Invalid rank {rank}, .* interval \[0, 1\]"):
        DistributedSampler(range(3), 2, rank)


def test_without_processes_it_says_what_to_do():
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        DistributedSampler(range(3))
