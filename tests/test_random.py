"""Generators: the seed, the state, which can be saved, and threads."""

import copy
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import random

seeds = st.integers(-(2**63), 2**64 - 1)


@given(seeds)
def test_a_seed_decides_all_that_is_drawn(seed):
    a, b = random.Generator().manual_seed(seed), random.Generator()
    b.numpy.random(7)
    held = b.numpy
    b.manual_seed(seed)
    assert b.numpy is held, "who holds the NumPy generator must see the new seed"
    assert np.array_equal(a.numpy.standard_normal(5), b.numpy.standard_normal(5))
    assert a.initial_seed() == b.initial_seed() == seed % 2**64


@given(seeds, st.integers(0, 9))
def test_a_state_brings_back_the_numbers(seed, drawn):
    generator = random.Generator().manual_seed(seed)
    generator.numpy.random(drawn, dtype=np.float32)  # an odd number leaves half a draw behind
    state = generator.get_state()
    assert state.dtype == np.uint8
    assert state.shape == (48,)
    wanted = generator.numpy.random(5, dtype=np.float32)
    other = random.Generator().set_state(tc.from_numpy(state))
    assert other.initial_seed() == seed % 2**64
    assert np.array_equal(other.numpy.random(5, dtype=np.float32), wanted)
    generator.set_state(state)
    assert np.array_equal(generator.numpy.random(5, dtype=np.float32), wanted)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)),
                                  random.Generator.clone_state])  # fmt: skip
def test_copies_draw_the_same_numbers_apart(twin):
    generator = random.Generator().manual_seed(5)
    other = twin(generator)
    first = generator.numpy.random(3)
    assert np.array_equal(other.numpy.random(3), first)


def test_the_default_generator():
    assert tc.manual_seed(11) is tc.default_generator
    assert tc.initial_seed() == 11
    a = random.source().random(3)
    state = random.get_rng_state()
    b = random.source().random(3)
    random.set_rng_state(state)
    assert np.array_equal(random.source(None).random(3), b)
    tc.manual_seed(11)
    assert np.array_equal(random.source().random(3), a)
    assert tc.seed() == tc.initial_seed()
    mine = random.Generator()
    assert random.source(mine) is mine.numpy


def test_unseeded_generators_agree_and_system_seeds_differ():
    assert random.Generator().initial_seed() == random.Generator().initial_seed()
    assert random.Generator().seed() != random.Generator().seed()
    assert repr(random.Generator().manual_seed(4)) == "Generator(initial_seed=4)"


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda g: g.manual_seed(2**64), ValueError, "not between"),
        (lambda g: g.manual_seed(-(2**63) - 1), ValueError, "not between"),
        (lambda g: g.manual_seed("a"), TypeError, "expected an int, got str"),
        (lambda g: g.manual_seed(1.5), TypeError, "expected an int, got float"),
        (lambda g: g.set_state(np.ones(3, np.uint8)), RuntimeError, r"48 bytes .* of shape \(3,\)"),
        (lambda g: g.set_state(np.ones(48)), RuntimeError, "float64"),
        (lambda g: random.Generator("cuda"), RuntimeError, "the only one is 'cpu'"),
    ],
)
def test_errors_change_nothing(act, error, message):
    generator = random.Generator().manual_seed(1)
    before = generator.get_state()
    with pytest.raises(error, match=message):
        act(generator)
    assert np.array_equal(generator.get_state(), before)


def test_threads_share_a_generator_without_drawing_a_number_twice():
    generator, found = random.Generator().manual_seed(0), []

    def draw():
        found.extend(generator.numpy.integers(0, 2**62, 50).tolist() for _ in range(50))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [n for part in found for n in part]
    alone = random.Generator().manual_seed(0).numpy.integers(0, 2**62, len(numbers)).tolist()
    assert sorted(numbers) == sorted(alone)


def test_drawing_from_takes_the_place_of_the_default_in_this_thread():
    other = tc.Generator().manual_seed(1)
    tc.manual_seed(0)
    wanted = tc.rand(2)
    before = tc.get_rng_state()
    in_thread = []
    with random.drawing_from(other):
        assert tc.initial_seed() == 1
        first = tc.rand(3)
        with random.drawing_from(tc.Generator()):
            tc.manual_seed(0)
            assert tc.rand(2).equal(wanted)
        thread = threading.Thread(target=lambda: in_thread.append(tc.initial_seed()))
        thread.start()
        thread.join()
        second = tc.rand(3)
    assert in_thread == [0]
    assert (tc.get_rng_state() == before).all()
    assert tc.rand(6, generator=tc.Generator().manual_seed(1)).equal(tc.cat([first, second]))
