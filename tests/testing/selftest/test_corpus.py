"""The corpus of the self-test: right functions are right, and wrong vjps are wrong."""

import decimal

import numpy as np
import pytest

from tests.testing.selftest import proofs
from tests.testing.selftest.exact import CONTEXT
from tinygrad_cnn.testing.selftest import KINDS, RIGHT, WRONG
from tinygrad_cnn.testing.selftest.case import Right, outputs_of

SEEDS_OF_NIGHTLY = 20
SLOW = {"kinks by chance", "iterative", "matrix"}  # a second each in exact arithmetic


@pytest.fixture(autouse=True)
def sixty_digits():
    with decimal.localcontext(CONTEXT):
        yield


@pytest.fixture(scope="module")
def seeds(request):
    """Twenty with the nightly profile, else one."""
    name = request.config.getoption("--hypothesis-profile")
    return range(SEEDS_OF_NIGHTLY if name == "nightly" else 1)


def test_there_are_a_hundred_of_each_with_names_of_their_own():
    assert len({case.name for case in RIGHT}) == len(RIGHT) >= 100
    assert len({wrong.name for wrong in WRONG}) == len(WRONG) >= 100
    assert {wrong.shows for wrong in WRONG} == set(KINDS) == set(proofs.SHOWN)
    assert all(wrong.right in RIGHT for wrong in WRONG)


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_right_functions_are_right(case, seeds):
    quick = len(seeds) == 1 and case.family in SLOW
    for seed in seeds:
        assert proofs.error_of_vjp(case, seed) <= 1
        if case.second and not quick:
            assert proofs.error_of_formula(case, seed) <= 1
            assert proofs.error_of_second(case, seed) <= 1


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_wrong_vjps_are_wrong(wrong, seeds):
    for seed in seeds:
        assert proofs.size_of_mistake(wrong, seed) >= wrong.size


def test_a_slight_error_is_no_proof():
    """The proofs see a vjp that is off by a hundred times its rounding, and a changed formula."""
    case = next(c for c in RIGHT if c.name == "tanh(x − 1e8)")
    off = Right(
        "off", "", "", case.value, lambda xs, gs: (case.vjp(xs, gs)[0] * (1 + 1e-7),), case.draw
    )
    assert proofs.error_of_vjp(case, 0) < 1 < proofs.error_of_vjp(off, 0)
    assert proofs.error_of_formula(case, 0) < 1 < proofs.error_of_formula(off, 0)
    cut = Right("cut", "", "", case.value, lambda xs, gs: (case.vjp((xs[0].detach(),), gs)[0]
                if hasattr(xs[0], "detach") else case.vjp(xs, gs)[0],), case.draw)  # fmt: skip
    assert proofs.error_of_vjp(cut, 0) < 1 < proofs.error_of_second(cut, 0)


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_a_seed_gives_the_same_inputs_and_another_seed_gives_others(case):
    first, again, other = (case.draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    floating = [k for k, x in enumerate(first) if x.size]
    assert not floating or any(not np.array_equal(first[k], other[k]) for k in floating)
    value, vjp = case.functions()
    before = [x.copy() for x in first]
    gs = [np.ones_like(y) for y in outputs_of(value(*first))]
    vjp(first, gs)
    assert all(np.array_equal(a, b) for a, b in zip(before, first, strict=True))
    assert all(np.array_equal(g, np.ones_like(g)) for g in gs)
