"""Sequences of numbers, and the identity matrix."""

import pytest

import tinygrad_cnn as tc


@pytest.mark.parametrize(
    ("make", "dtype", "values"),
    [
        (lambda: tc.arange(3), "int64", [0, 1, 2]),
        (lambda: tc.arange(end=2), "int64", [0, 1]),
        (lambda: tc.arange(start=1, end=6, step=2), "int64", [1, 3, 5]),
        (lambda: tc.arange(1, 3), "int64", [1, 2]),
        (lambda: tc.arange(3, 0, -1), "int64", [3, 2, 1]),
        (lambda: tc.arange(3.0), "float32", [0.0, 1.0, 2.0]),
        (lambda: tc.arange(0, 2, dtype=tc.float16), "float16", [0.0, 1.0]),
        (lambda: tc.arange(tc.tensor(2)), "int64", [0, 1]),
        (lambda: tc.arange(2.0, out=tc.zeros(2, dtype=tc.int64)), "int64", [0, 1]),
        (lambda: tc.linspace(0, 1, 3), "float32", [0.0, 0.5, 1.0]),
        (lambda: tc.linspace(tc.tensor(0.0), 1, steps=2, dtype=tc.float64), "float64", [0.0, 1.0]),
        (lambda: tc.linspace(0, 1, 0), "float32", []),
        (lambda: tc.logspace(0, 2, 3), "float32", [1.0, 10.0, 100.0]),
        (lambda: tc.logspace(0, 2, 3, base=2), "float32", [1.0, 2.0, 4.0]),
        (lambda: tc.eye(1, 2), "float32", [[1.0, 0.0]]),
        (lambda: tc.eye(n=2, dtype=tc.int32), "int32", [[1, 0], [0, 1]]),
        (lambda: tc.eye(0), "float32", []),
    ],
)
def test_values_and_types(make, dtype, values):
    x = make()
    assert x.dtype is getattr(tc, dtype)
    assert x.tolist() == values


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: tc.arange(2.0, **k),
        lambda **k: tc.linspace(0, 1, 2, **k),
        lambda **k: tc.logspace(0, 1, 2, **k),
        lambda **k: tc.eye(2, **k),
    ],
)
def test_keywords(make):
    x = make(
        dtype=tc.float64, layout=tc.strided, device="cpu", requires_grad=True, pin_memory=False
    )
    assert (x.dtype, x.requires_grad) == (tc.float64, True)
    out = tc.empty(0)
    assert make(out=out) is out
    with pytest.raises(RuntimeError, match="device 'cuda' is not available"):
        make(device="cuda")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tc.arange(), TypeError, r'arange\(\) missing 1 required .*"end"'),
        (lambda: tc.arange("a"), TypeError, r"arange\(\): wanted numbers, got str"),
        (lambda: tc.arange(0, 1, -1), RuntimeError, "inconsistent with step sign"),
        (lambda: tc.arange(0, 1, 0), RuntimeError, "step must be nonzero"),
        (lambda: tc.linspace(0, 1), TypeError, r'linspace\(\) missing 1 required .*"steps"'),
        (lambda: tc.linspace(0, 1, 2.5), TypeError, "argument 'steps' must be int, not float"),
        (lambda: tc.logspace(0, 1, -1), RuntimeError, "number of steps must be non-negative"),
        (lambda: tc.eye(-1), RuntimeError, "n and m must be greater or equal to 0"),
        (lambda: tc.eye(2.5), TypeError, "argument 'n' must be int, not float"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", ["linspace", "logspace"])
@pytest.mark.parametrize("shape", [(1,), (2,), (1, 1)])
def test_ends_with_axes_are_refused(name, shape):
    for ends in ((tc.zeros(shape), 1.0), (0.0, tc.zeros(shape))):
        with pytest.raises(RuntimeError, match="0-dimensional"):
            getattr(tc, name)(*ends, 3)


@pytest.mark.parametrize("start, end", [(0.1, 0.7), (-1.5, 3.25), (2.0, 2.0)])
@pytest.mark.parametrize("dtype", [tc.float32, tc.float64])
def test_ends_that_are_tensors_are_as_numbers(start, end, dtype):
    ends = tc.tensor(start, dtype=dtype), tc.tensor(end, dtype=dtype)
    for function in (tc.linspace, tc.logspace):
        found = function(*ends, 5, dtype=tc.float64)
        wanted = function(*(e.item() for e in ends), 5, dtype=tc.float64)
        assert tc.equal(found, wanted)


def test_powers_in_integers_have_integer_ends():
    assert tc.logspace(0.9, 3.9, 4, dtype=tc.int64).tolist() == [1, 10, 100, 1000]
    assert tc.logspace(0, 3, 4, 2.7, dtype=tc.int64).tolist() == [1, 2, 7, 19]


@pytest.mark.parametrize("dtype, wrong", [
    (tc.int64, float("nan")), (tc.int64, 1e20), (tc.uint8, 256), (tc.float16, 1e5),
])  # fmt: skip
def test_numbers_that_the_dtype_cannot_hold_are_refused(dtype, wrong):
    for call in (
        lambda: tc.linspace(0, wrong, 3, dtype=dtype),
        lambda: tc.full((2,), wrong, dtype=dtype),
        lambda: tc.full_like(tc.zeros(2), wrong, dtype=dtype),
        lambda: tc.zeros(2, dtype=dtype).new_full((2,), wrong),
        lambda: tc.scalar_tensor(wrong, dtype=dtype),
    ):
        with pytest.raises(RuntimeError, match="without overflow"):
            call()


@pytest.mark.parametrize("end", [float("nan"), float("inf"), 1e20, 2**53, 2**63])
def test_ranges_that_do_not_fit_are_refused(end):
    with pytest.raises(RuntimeError, match="arange"):
        tc.arange(end)


@pytest.mark.parametrize("arguments, of_int64, of_uint8", [
    ((0.5, 3.6, 1.2), [0, 1, 2], [0, 1, 2]), ((1, 5.001, 2.0), [1, 3], [1, 3, 5]),
    ((3.1,), [0, 1, 2], [0, 1, 2, 3]), ((0.9, 2.1, 2), [0], [0]),
])  # fmt: skip
def test_ranges_of_integers_between_floats(arguments, of_int64, of_uint8):
    assert tc.arange(*arguments, dtype=tc.int64).tolist() == of_int64
    for dtype in (tc.uint8, tc.int32):
        assert tc.arange(*arguments, dtype=dtype).tolist() == of_uint8
