"""Elementwise ops: against NumPy, at their kinks, at NaN and infinity, and with mixed operands."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import kernels, ops
from tinygrad_cnn.testing import check_kink, check_op

REFERENCES = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "neg": np.negative,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: x * (x > 0),
    "abs": np.abs,
    "sign": np.sign,
    "clamp": lambda x, min, max: np.clip(x, min, max),
    "maximum": np.maximum,
    "minimum": np.minimum,
    "where": np.where,
    "clone": np.copy,
    "cast": lambda x, dtype: x.astype(dtype),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_forward_is_numpys(name):
    check_op(name, reference=REFERENCES[name])


def gradient(fn, *values, dtype=np.float64):
    xs = [tc.tensor(np.array(v, dtype), requires_grad=True) for v in values]
    fn(*xs).sum().backward()
    return [x.grad.tolist() for x in xs]


# --- Kinks, as the docstrings say --------------------------------------------------------------


@pytest.mark.parametrize(
    ("fn", "x", "expected"),
    [
        (tc.relu, [0.0, -0.0, 1.0, -1.0], [0.0, 0.0, 1.0, 0.0]),
        (tc.abs, [0.0, -0.0, 2.0, -2.0], [0.0, 0.0, 1.0, -1.0]),
        (lambda x: tc.clamp(x, -1, 2), [-1.0, 2.0, 0.0, 3.0], [1.0, 1.0, 1.0, 0.0]),
        (lambda x: tc.clamp(x, min=0.5), [0.5, 0.0], [1.0, 0.0]),
        (lambda x: tc.clamp(x, max=0.5), [0.5, 1.0], [1.0, 0.0]),
        (lambda x: tc.maximum(x, tc.ones(3, dtype=tc.float64)), [1.0, 2.0, 0.0], [0.5, 1.0, 0.0]),
        (lambda x: tc.minimum(x, tc.ones(3, dtype=tc.float64)), [1.0, 2.0, 0.0], [0.5, 0.0, 1.0]),
        (lambda x: tc.maximum(x, x), [1.0, 2.0], [1.0, 1.0]),
        (F.leaky_relu, [0.0, 1.0, -1.0], [0.01, 1.0, 0.01]),
    ],
)
def test_kinks(fn, x, expected):
    check_kink(fn, x, expected)


def test_the_second_derivative_at_the_kink_of_relu_is_zero():
    x = tc.tensor([0.0, 1.0], requires_grad=True)
    (g,) = tc.autograd.grad((tc.relu(x) * x).sum(), x, create_graph=True)
    assert g.tolist() == [0.0, 2.0]
    (second,) = tc.autograd.grad(g.sum(), x)
    assert second.tolist() == [0.0, 2.0]


def test_powers_where_the_logarithm_or_the_division_would_blow_up():
    assert gradient(lambda x: x**2, [0.0, -3.0]) == [[0.0, -6.0]]
    assert gradient(lambda x: x**0, [0.0, 2.0]) == [[0.0, 0.0]]
    assert gradient(lambda x: x**1, [0.0]) == [[1.0]]
    assert gradient(tc.pow, [0.0, 0.0, 2.0], [0.0, 2.0, 0.0]) == [
        [0.0, 0.0, 0.0],
        [0.0, 0.0, pytest.approx(np.log(2))],
    ]
    assert gradient(lambda b: 2.0**b, [0.0]) == [[pytest.approx(np.log(2))]]
    assert gradient(lambda b: 0.0**b, [1.0, 0.0]) == [[0.0, 0.0]]


def test_square_root_of_zero_has_an_infinite_slope():
    assert gradient(tc.sqrt, [0.0, 4.0]) == [[np.inf, 0.25]]


# --- NaN, infinities, large values --------------------------------------------------------------


def test_nan_is_passed_on_forward():
    x = tc.tensor([np.nan, 1.0])
    for fn in (tc.relu, tc.abs, tc.exp, tc.tanh, tc.sigmoid, lambda x: tc.clamp(x, 0, 2),
               lambda x: tc.maximum(x, x), lambda x: x * 0.0):  # fmt: skip
        assert np.isnan(fn(x).numpy()[0])
        assert np.isfinite(fn(x).numpy()[1])
    assert np.isnan(tc.maximum(tc.ones(2), x).numpy()[0])


def test_relu_lets_the_gradient_of_nan_through_as_pytorch_does():
    assert gradient(tc.relu, [np.nan, np.inf, -np.inf]) == [[1.0, 1.0, 0.0]]


def test_saturation_neither_warns_nor_overflows():
    x = [-1e4, 1e4, np.inf, -np.inf]
    assert tc.sigmoid(tc.tensor(x)).tolist() == [0.0, 1.0, 1.0, 0.0]
    assert tc.tanh(tc.tensor(x)).tolist() == [-1.0, 1.0, 1.0, -1.0]
    assert gradient(tc.sigmoid, x) == [[0.0] * 4]
    assert gradient(tc.tanh, x) == [[0.0] * 4]
    assert tc.exp(tc.tensor(x)).tolist() == [0.0, np.inf, np.inf, 0.0]
    assert tc.sigmoid(tc.tensor([-1e4], dtype=tc.float32)).dtype == tc.float32


def test_division_by_zero_and_logarithms_of_nothing_do_not_warn():
    x = tc.tensor([1.0, -1.0, 0.0])
    assert (x / tc.zeros(3)).tolist()[:2] == [np.inf, -np.inf]
    assert np.isnan((x / tc.zeros(3)).tolist()[2])
    assert tc.log(tc.tensor([0.0])).item() == -np.inf
    assert np.isnan(tc.log(tc.tensor([-1.0])).item())
    assert np.isnan(tc.sqrt(tc.tensor([-1.0])).item())
    assert (1.0 / x).tolist() == [1.0, -1.0, np.inf]


def test_where_does_not_mix_what_it_did_not_choose():
    x = tc.tensor([1.0, 0.0], requires_grad=True)
    y = tc.where(x > 0, tc.log(x), tc.zeros(2))
    assert y.tolist() == [0.0, 0.0]
    chosen, bad = tc.tensor([True, False]), tc.tensor([np.nan, np.inf])
    assert gradient(lambda a: tc.where(chosen, a, bad), [2.0, 3.0]) == [[1.0, 0.0]]


def test_binary_cross_entropy_with_logits_does_not_overflow():
    x = tc.tensor([1e4, -1e4, 0.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, tc.tensor([1.0, 0.0, 1.0]), reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [0.0, 0.0, pytest.approx(np.log(2))]
    assert x.grad.tolist() == [0.0, 0.0, -0.5]


# --- Operands of different kinds ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "dtype"),
    [
        (np.ones(2, np.float32), 1.5, np.float32),
        (np.ones(2, np.float32), np.float64(1.5), np.float32),
        (np.ones(2, np.float32), np.ones((), np.float64), np.float32),
        (np.ones(2, np.float32), np.ones(2, np.float64), np.float64),
        (np.ones(2, np.float16), np.ones(2, np.int64), np.float16),
        (np.ones(2, np.int64), 1.5, np.float32),
        (np.ones(2, np.int32), np.ones(2, np.int64), np.int64),
        (np.ones(2, bool), 2, np.int64),
    ],
)
@pytest.mark.parametrize("fn", [ops.add, ops.mul, ops.sub])
def test_result_types_are_pytorchs(fn, a, b, dtype):
    b = tc.tensor(b) if isinstance(b, np.ndarray) else b
    assert fn(tc.tensor(a), b).dtype == dtype


def test_integers_divide_in_the_default_dtype():
    assert (tc.tensor([1, 2]) / 2).tolist() == [0.5, 1.0]
    assert (tc.tensor([1, 2]) / tc.tensor([2, 4])).dtype == tc.float32
    assert tc.exp(tc.tensor([0, 1])).dtype == tc.float32


def test_each_operand_gets_a_gradient_of_its_own_shape_and_dtype():
    a = tc.tensor(np.ones((3, 1), np.float32), requires_grad=True)
    b = tc.tensor(np.ones((2,), np.float64), requires_grad=True)
    (a * b).sum().backward()
    assert (a.grad.shape, a.grad.dtype, a.grad.tolist()) == ((3, 1), np.float32, [[2.0]] * 3)
    assert (b.grad.shape, b.grad.dtype, b.grad.tolist()) == ((2,), np.float64, [3.0, 3.0])


def test_a_tensor_used_twice_gets_both_gradients():
    assert gradient(lambda x: x * x, [3.0]) == [[6.0]]
    assert gradient(lambda x: x - x, [3.0]) == [[0.0]]
    assert gradient(lambda x: tc.maximum(x, -x), [3.0, -2.0]) == [[1.0, -1.0]]


@pytest.mark.parametrize("name", kernels.SETS)
def test_large_cotangents_of_one_tensor_are_added_where_they_lie(name, monkeypatch):
    """Gradients of a concatenation are slices of one array, with gaps, also in a second graph."""
    pytest.importorskip(f"tinygrad_cnn.kernels.{name}", exc_type=ImportError)
    monkeypatch.setattr(kernels, "elementwise", kernels.load(name).elementwise)
    rng = np.random.default_rng(0)
    w, v = (
        tc.tensor(np.ascontiguousarray(rng.normal(size=shape)).transpose(0, 3, 1, 2))
        for shape in ((8, 18, 18, 68), (8, 18, 18, 34))
    )
    x = tc.tensor(rng.normal(size=(8, 34, 18, 18)), requires_grad=True)
    loss = (tc.cat([x, x * x], 1) * w).sum() + (x * v).sum()
    (g,) = tc.autograd.grad(loss, x, create_graph=True)
    wanted = w[:, :34] + 2 * x.detach() * w[:, 34:] + v
    np.testing.assert_allclose(g.detach().numpy(), wanted.numpy(), rtol=1e-13, atol=1e-13)
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), wanted.numpy(), rtol=1e-13, atol=1e-13)
    x.grad = None
    g.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * w[:, 34:].numpy())


# --- Errors -------------------------------------------------------------------------------------


def test_shapes_that_do_not_broadcast():
    with pytest.raises(
        RuntimeError, match=r"add: the size of one tensor must match .* a \(2, 3\), b \(4,\)"
    ):
        tc.ones(2, 3) + tc.ones(4)


def test_operands_of_no_use():
    with pytest.raises(TypeError, match="unsupported operand"):
        tc.ones(2) + "1"
    with pytest.raises(TypeError):
        tc.ones(2) * None


def test_clamp_needs_a_bound_and_where_a_condition():
    with pytest.raises(RuntimeError, match="At least one of 'min' or 'max' must not be None"):
        tc.clamp(tc.ones(2))
    with pytest.raises(RuntimeError, match="where expected condition to be a boolean tensor"):
        tc.where(tc.ones(2), tc.ones(2), tc.ones(2))
