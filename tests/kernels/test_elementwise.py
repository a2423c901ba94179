"""`elementwise` in both sets, against definitions and as the ops use it."""

import importlib
import math

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import kernels, ops, tensor
from tinygrad_cnn.engine import registry
from tinygrad_cnn.kernels import threads, tuning as shared
from tinygrad_cnn.kernels.vectorized import tuning
from tinygrad_cnn.testing import check_op

from .layouts import lying

try:
    from tinygrad_cnn.kernels.compiled import elementwise, tuning as compiled
except ImportError:
    compiled = None

of_ops = importlib.import_module(f"{ops.__name__}.elementwise")


@pytest.fixture(params=[False, True], ids=["whole", "in parts"], autouse=True, scope="module")
def parts(request):
    """Small shapes take the paths of large ones, the second time in many parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_ops, "LARGE_ELEMENTS", 0)
        patch.setattr(shared, "LARGE_ELEMENTS", 0)
        patch.setattr(tuning, "SHARED_ELEMENTS", 7 if request.param else 1 << 20)
        if compiled:
            patch.setattr(compiled, "RUN_ELEMENTS", 2)
        if request.param:
            patch.setattr(threads, "get_num_threads", lambda: 3)
        if request.param and compiled:
            patch.setattr(compiled, "PROGRAM_BLOCK_ELEMENTS", 32)
            patch.setattr(compiled, "SHARED_MULTIPLY_ADDS", 0)
        yield


SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 6.0, 7.0, np.nan, np.inf, -np.inf])


@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=3), st.integers(0, 2**32),
    st.sampled_from([np.float16, np.float32, np.float64]), st.sampled_from([0, 2]),
    st.booleans(),
)  # fmt: skip
@example([40, 70], 0, np.float32, 0, True)
@settings(deadline=None)
def test_elementwise_passes_are_their_definitions(k, shape, seed, dtype, gap, turned):
    rng = np.random.default_rng(seed)
    order = tuple(range(len(shape)))[:: -1 if turned else 1]
    x, g = (
        lying(rng.choice(SPECIAL, shape).astype(dtype).reshape(shape), order, gap) for _ in "xg"
    )
    mask = lying(np.asarray(rng.random(shape) < 0.5), order)
    with np.errstate(invalid="ignore"):
        for function, given, wanted in (
            (np.maximum, (x, 0), np.where(x <= 0, 0, x)),
            (kernels.rectified, (g, x), np.where(x <= 0, 0, g)),
            (kernels.masked, (g, mask), np.where(mask, g, 0)),
            (kernels.between, (x, dtype(0), dtype(6)), (x != 0) & (x != 6)),
            (np.clip, (x, dtype(0), dtype(6)), np.clip(x, dtype(0), dtype(6))),
        ):
            actual = k.elementwise(function, *given)
            assert actual.dtype == wanted.dtype
            np.testing.assert_array_equal(actual, wanted)


PRECISE = {
    "sigmoid": (kernels.logistic, lambda x: 1 / (1 + np.exp(-x))),
    "erf": (kernels.erf, np.vectorize(math.erf, otypes=[np.longdouble])),
    **{name: (getattr(np, name),) * 2 for name in ("exp", "expm1", "log1p", "tanh")},
}


@given(
    st.integers(1, 100), st.sampled_from([np.float32, np.float64]), st.integers(0, 2**32),
    st.sampled_from([1e-40, 1e-5, 1, 30, 1e3, 1e38]), st.sampled_from(sorted(PRECISE)),
)  # fmt: skip
@settings(deadline=None)
def test_smooth_functions_are_their_definitions(k, n, dtype, seed, wide, name):
    """Errors in units in the last place, for all magnitudes, subnormal and overflowing ones too."""
    rng = np.random.default_rng(seed)
    with np.errstate(over="ignore"):
        x = (rng.standard_normal(n) * wide).astype(dtype)
    x[rng.random(n) < 0.1] = rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan, -1.0])
    function, definition = PRECISE[name]
    with np.errstate(all="ignore"):
        exact = definition(x.astype(np.longdouble))
        rounded = exact.astype(dtype)
        unit = np.spacing(np.minimum(np.abs(rounded), np.finfo(dtype).max)).astype(np.longdouble)
        y = k.elementwise(function, x)
    assert y.dtype == dtype
    assert np.array_equal(np.isnan(y), np.isnan(rounded))
    with np.errstate(invalid="ignore"):
        off = np.where(y == rounded, 0, np.abs(y - exact))
    assert (off <= 5 * unit)[~np.isnan(y)].all()
    if name not in ("sigmoid", "exp"):
        signed = ~np.isnan(y)
        assert np.array_equal(np.signbit(y)[signed], np.signbit(x)[signed])


WAYS = ["as x", "turned", "gaps", "rows again", "one number", "another dtype"]


@given(
    st.lists(st.integers(0, 7), min_size=1, max_size=3), st.integers(0, 2**32),
    st.sampled_from([np.float16, np.float32, np.float64]),
    st.tuples(*[st.sampled_from(WAYS)] * 3),
)  # fmt: skip
@example([40, 70], 0, np.float32, ("as x", "turned", "as x"))
@example([3, 2, 70], 0, np.float32, ("gaps", "gaps", "gaps"))
@example([5, 4, 33], 1, np.float64, ("as x", "gaps", "rows again"))
@example([5, 4, 33], 2, np.float32, ("gaps", "rows again", "as x"))
@settings(deadline=None)
def test_a_function_of_arrays_that_lie_in_any_way(k, shape, seed, dtype, ways):
    """Bools, numbers, constants and several results: values and dtypes are NumPy's."""

    def function(x, a, mask, number, name, *, factor):
        low = np.where(mask & ~(a < x), x * number, np.minimum(a, 0.5))
        y = (low + a) / factor if name == "divide" else -low
        return np.sqrt(np.abs(y)), mask | (y != x), y

    rng = np.random.default_rng(seed)
    x, a = (rng.choice(SPECIAL, shape).astype(dtype).reshape(shape) for _ in "xa")
    made = []
    for array, way in zip((x, a, rng.random(shape) < 0.5), ways, strict=True):
        if way == "one number":
            array = np.broadcast_to(array.ravel()[:1] if array.size else array.dtype.type(1), shape)
        elif way == "rows again":
            array = np.broadcast_to(array[:1], shape) if shape[0] else array
        elif way == "another dtype":
            array = array.astype(np.float64) if array.dtype.kind == "f" else array
        elif way != "as x":
            order = tuple(range(len(shape)))[:: -1 if way == "turned" else 1]
            array = lying(array, order, 2 if way == "gaps" else 0)
        made.append(array)
    given = (*made, -1.5, "divide" if seed % 2 else "negative")
    with np.errstate(all="ignore"):
        wanted = function(*given, factor=0.75)
        actual = k.elementwise(function, *given, factor=0.75)
    assert [y.dtype for y in actual] == [y.dtype for y in wanted]
    for y, expected in zip(actual, wanted, strict=True):
        np.testing.assert_array_equal(y, expected)


def test_both_sets_give_the_same_elements():
    pytest.importorskip("numba")
    x = np.random.default_rng(0).normal(size=(33, 41)).astype(np.float32)
    for function, of in ((np.maximum, (x, 0)), (kernels.rectified, (x, x[::-1]))):
        sets = map(kernels.load, kernels.SETS)
        assert np.array_equal(*(k.elementwise(function, *of) for k in sets))


IN_ONE_PASS = sorted(
    name
    for name, op in registry.items()
    if op.forward.__module__.startswith(ops.__name__)
    and any(hasattr(f, "__wrapped__") for f in (op.forward, *op.vjps.values()))
)


@pytest.mark.parametrize("name", [*IN_ONE_PASS, "relu", "rectify", "keep"])
def test_all_that_holds_for_an_op_holds_in_one_pass(name, monkeypatch):
    """On the compiled set: NumPy's calls the function itself, as tests/ops/test_registry.py does."""
    pytest.importorskip("numba")
    monkeypatch.setattr(kernels, "elementwise", kernels.load("compiled").elementwise)
    check_op(name)


def test_one_pass_is_for_many():
    assert {"exp", "gelu", "mish", "softplus", "elu", "pow", "erf", "clamp"} <= set(IN_ONE_PASS)


ACTIVATIONS = (
    "relu", "relu6", "sigmoid", "tanh", "silu", "gelu", "mish", "softplus", "logsigmoid", "elu",
    "celu", "selu", "hardswish", "hardtanh", "leaky_relu", "hardsigmoid",
)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_has_a_program(name, dtype, monkeypatch):
    """Forward and backward. A function without a program would silently be several passes."""
    pytest.importorskip("numba")
    monkeypatch.setattr(kernels, "elementwise", kernels.load("compiled").elementwise)
    monkeypatch.setattr(elementwise, "_plans", {})
    x = tensor(np.linspace(-9, 9, 40, dtype=dtype), requires_grad=True)
    getattr(F, name)(x).backward(tensor(np.linspace(1, 2, 40, dtype=dtype)))
    assert len(elementwise._plans) >= 2
    assert None not in elementwise._plans.values()


def test_a_function_without_a_program_is_numpys(k):
    def decides(x):
        return x + 1 if (x > 0).any() else x

    def writes(x):
        x += 1
        return x

    def sums(x):
        return np.cumsum(x)[: len(x)] * 0 + x

    def bytes_of(x, mask):
        return x + 1, mask

    def other_dtype(x):
        return x * np.float64(2)

    x, mask = np.arange(1.0, 41, dtype=np.float32), np.arange(40) % 3 == 0
    for function in (decides, writes, sums, other_dtype):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(k.elementwise(function, x.copy()), function(x.copy()))
    for y, wanted in zip(k.elementwise(bytes_of, x, mask), bytes_of(x, mask), strict=True):
        np.testing.assert_array_equal(y, wanted)
    memory = x.copy()
    memory.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        k.elementwise(writes, memory)


def test_numbers_that_a_function_is_given_are_those_of_the_call(k):
    def function(x, number, *, factor):
        return x * number * factor

    x = np.linspace(1, 2, 40)
    for number in (2.0, 3.0, 0.0, -0.0, 2, np.float64(4), np.array(5.0), np.full(40, 6.0)[:1]):
        number = np.broadcast_to(number, 40) if np.ndim(number) else number
        for factor in (1.0, -1.0):
            wanted = x * number * factor
            y = k.elementwise(function, x, number, factor=factor)
            np.testing.assert_array_equal(y, wanted)
            np.testing.assert_array_equal(np.signbit(y), np.signbit(wanted))


def test_what_is_not_among_the_arrays_is_as_it_is_now(k):
    """Arrays as keywords: their values were once stored with the program, or overwritten."""

    def scaled(x, *, by):
        return x * by + 1.0

    def alone(x, *, other):
        return x + 1.0

    x, other = np.linspace(1, 2, 40), np.zeros(40)
    for by in (np.array(2.0), np.array(3.0), np.array(True), np.linspace(2, 3, 40)):
        np.testing.assert_array_equal(k.elementwise(scaled, x, by=by), x * by + 1.0)
    np.testing.assert_array_equal(k.elementwise(alone, x, other=other), x + 1.0)
    assert not other.any()


def twice(x, mask):
    below = x * 2 + 1 < 0
    return below, below


def said_into(x, mask):
    below = x < 0
    np.not_equal(x, 1, out=below)
    return np.where(below, x, 2.0), x


def by_a_nan(x, mask):
    return np.where(x, 1.0, x), x


def of_numbers(x, mask):
    return np.where(x > 0, 0.1, 0.2), x


def of_a_truth(x, mask):
    return (x > 0) * 0.1, x


def of_a_mask(x, mask):
    return mask + 1, x


def of_zeros(x, mask):
    return 1 / np.maximum(x, -0.0), 1 / np.maximum(x, 0.5)


@pytest.mark.parametrize(
    "function", [twice, said_into, by_a_nan, of_numbers, of_a_truth, of_a_mask, of_zeros]
)
def test_values_and_dtypes_are_numpys(k, function):
    x = np.resize(np.array([np.nan, -1, 2, -0.0, 1], np.float32), 40)
    mask = np.arange(40) % 3 == 0
    with np.errstate(all="ignore"):
        wanted = function(x, mask)
        actual = k.elementwise(function, x, mask)
    for y, expected in zip(actual, wanted, strict=True):
        assert y.dtype == expected.dtype
        np.testing.assert_array_equal(y, expected)


def test_a_truth_is_not_added_to(k):
    def function(x):
        below = x < 0
        below += 1.5
        return below

    with pytest.raises(TypeError, match="Cannot cast"):
        k.elementwise(function, np.linspace(-1, 1, 40))


def test_more_functions_than_are_remembered(k):
    x = np.linspace(1, 2, 40)
    for number in range(1100):
        assert k.elementwise(np.add, x, float(number))[0] == 1 + number
