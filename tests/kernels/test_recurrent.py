"""Recurrent layers of both sets: against one step at a time, and the way back against each other."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import threads as counts
from tinygrad_cnn.testing.ours import recurrent as plain

from .layouts import lying

try:
    from tinygrad_cnn.kernels.compiled import tuning as compiled
except ImportError:
    compiled = None

vectorized = kernels.load("vectorized")
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


@pytest.fixture(params=[1, 3], scope="module", autouse=True)
def threads(request):
    """All sequences on one thread, and split between three."""
    with pytest.MonkeyPatch.context() as patch:
        if compiled:
            patch.setattr(compiled, "SHARED_MULTIPLY_ADDS", 0 if request.param > 1 else 1 << 62)
            patch.setattr(counts, "get_num_threads", lambda: request.param)
        yield


@st.composite
def layers(draw, kind):
    """The arguments of a kernel: states from one number to several vectors, in any layout."""
    sizes = sorted(draw(st.lists(st.integers(1, 15), min_size=1, max_size=4)), reverse=True)
    I, H = draw(st.sampled_from([1, 3, 8, 40])), draw(st.sampled_from([1, 3, 8, 16, 33, 40, 70]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def matrix(*shape):
        x = rng.normal(0, 0.5, shape).astype(dtype)
        return lying(x, draw(st.sampled_from([[0, 1], [1, 0]])), draw(st.integers(0, 2)))

    states = [matrix(sizes[0], H) for _ in range(2 if kind == "lstm" else 1)]
    weights = [matrix(GATES[kind] * H, I), matrix(GATES[kind] * H, H)]
    biases = [rng.normal(0, 0.5, GATES[kind] * H).astype(dtype) for _ in "ih"]
    given = [b if draw(st.booleans()) else None for b in biases]
    how = [tuple(sizes), draw(st.booleans())] + [draw(st.booleans())] * (kind == "rnn")
    return [matrix(sum(sizes), I), *states, *weights, *given], how, rng


def near(actual, expected, dtype):
    assert actual.dtype == dtype
    assert actual.shape == np.shape(expected)
    bound = 200 * np.finfo(dtype).eps * max(1, np.abs(expected).max(initial=0))
    assert np.abs(actual - expected).max(initial=0) <= bound


def check_forward(k, kind, case):
    arrays, how, _ = case
    named = dict(zip(("sizes", "reverse", "relu"), how, strict=False))
    wide = [None if a is None else a.astype(np.float64) for a in arrays]
    found = getattr(k, kind)(*arrays, *how)
    y = found if kind == "rnn" else found[0]
    near(y, getattr(plain, kind)(*wide, **named), arrays[0].dtype)


def check_back(k, kind, case):
    arrays, how, rng = case
    dtype, w_hh = arrays[0].dtype, arrays[-3]
    found = getattr(vectorized, kind)(*arrays, *how)
    y, *residuals = (found,) if kind == "rnn" else found
    g = lying(rng.normal(size=y.shape).astype(dtype), [1, 0])
    states = {"rnn": [y], "lstm": [*residuals, arrays[2]], "gru": [y, arrays[1], *residuals]}[kind]
    wide = [a.astype(np.float64) for a in (g, *states, w_hh)]
    expected = getattr(vectorized, f"{kind}_input")(*wide, *how)
    before = [a.copy() for a in (g, *states)]
    for a, b in zip(getattr(k, f"{kind}_input")(g, *states, w_hh, *how), expected, strict=True):
        near(a, b, dtype)
    assert all((a == b).all() for a, b in zip((g, *states), before, strict=True))


@given(layers("rnn"))
def test_rnn(k, case):
    check_forward(k, "rnn", case)
    check_back(k, "rnn", case)


@given(layers("lstm"))
def test_lstm(k, case):
    check_forward(k, "lstm", case)
    check_back(k, "lstm", case)


@given(layers("gru"))
def test_gru(k, case):
    check_forward(k, "gru", case)
    check_back(k, "gru", case)


@pytest.mark.parametrize("kind", GATES)
def test_each_sequence_is_for_itself(k, kind):
    """A NaN or infinity of one sequence stays in its rows."""
    sizes, H = (5, 5, 3), 20
    rng = np.random.default_rng(0)
    x = rng.normal(size=(13, 4)).astype(np.float32)
    states = [np.zeros((5, H), np.float32)] * (2 if kind == "lstm" else 1)
    weights = [rng.normal(size=(GATES[kind] * H, n)).astype(np.float32) for n in (4, H)]
    how = [sizes, False] + [False] * (kind == "rnn")
    clean = getattr(k, kind)(x, *states, *weights, None, None, *how)
    x[1], x[2] = np.nan, np.inf
    dirty = getattr(k, kind)(x, *states, *weights, None, None, *how)
    if kind != "rnn":
        clean, dirty = clean[0], dirty[0]
    of_others = [row for row in range(13) if row % 5 not in (1, 2)]
    assert (dirty[of_others] == clean[of_others]).all()
    assert np.isnan(dirty[[1, 6, 11]]).all()


@pytest.mark.parametrize("kind", GATES)
def test_sums_of_any_size_stay_finite(k, kind):
    x = np.array([[-1e30], [-200.0], [0.0], [200.0], [1e30]], np.float32)
    weights = [np.ones((GATES[kind] * 3, n), np.float32) for n in (1, 3)]
    states = [np.ones((5, 3), np.float32)] * (2 if kind == "lstm" else 1)
    how = [(5,), False] + [False] * (kind == "rnn")
    with np.errstate(all="raise"):
        found = getattr(k, kind)(x, *states, *weights, None, None, *how)
    assert np.isfinite(found if kind == "rnn" else found[0]).all()


def test_places_of_packed_rows():
    sizes = (4, 2, 1)
    states, initial = np.arange(7.0)[:, None], -np.arange(1.0, 5)[:, None]
    before = kernels.states_before(states, initial, sizes, reverse=False)
    assert before[:, 0].tolist() == [-1, -2, -3, -4, 0, 1, 4]
    before = kernels.states_before(states, initial, sizes, reverse=True)
    assert before[:, 0].tolist() == [4, 5, -3, -4, 6, -2, -1]
    assert kernels.last_rows(sizes, False).tolist() == [6, 5, 2, 3]
    assert states[kernels.last_rows(sizes, True)][:, 0].tolist() == [0, 1, 2, 3]
