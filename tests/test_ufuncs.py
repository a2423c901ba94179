"""NumPy's functions on Tensors: those with an op record, others compute values alone or raise."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import testing, ufuncs

UFUNCS = sorted(
    {u.__name__: u for u in vars(np).values() if isinstance(u, np.ufunc)}.values(),
    key=lambda u: u.__name__,
)
WITHOUT_OP = [
    u
    for u in UFUNCS
    if u not in ufuncs.FUNCTIONS and "d" in {t[0] for t in u.types} and u.signature is None
]
BITS = [np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert]
SMOOTH = [u for u in ufuncs.FUNCTIONS if u not in BITS]
DOMAIN = {
    np.arccosh: (1.1, 3.0),
    np.arcsin: (-0.9, 0.9),
    np.arccos: (-0.9, 0.9),
    np.arctanh: (-0.9, 0.9),
}


def arrays(ufunc, dtype="float64"):
    low, high = DOMAIN.get(ufunc, (0.3, 2.7))
    rng = np.random.default_rng(0)
    return [rng.uniform(low, high, (2, 2)).astype(dtype) for _ in range(ufunc.nin)]


def name_of(ufunc):
    return ufunc.__name__


# --- With an op -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ufunc", SMOOTH, ids=name_of)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_ufunc_with_an_op_gives_a_tensor_with_numpys_values(ufunc, dtype):
    xs = arrays(ufunc, dtype)
    wanted = ufunc(*xs)
    for at in range(ufunc.nin):  # a Tensor at each place, arrays at the others
        mixed = [tc.tensor(x, requires_grad=k == at) if k == at else x for k, x in enumerate(xs)]
        y = ufunc(*mixed)
        assert isinstance(y, tc.Tensor)
        assert y.dtype == wanted.dtype
        np.testing.assert_allclose(y.detach().numpy(), wanted, rtol=1e-5)
        assert y.requires_grad == (wanted.dtype.kind == "f")


@pytest.mark.parametrize("ufunc", SMOOTH, ids=name_of)
def test_a_ufunc_with_an_op_is_differentiated_and_again(ufunc):
    xs = arrays(ufunc)
    if ufunc(*xs).dtype.kind == "f":
        testing.check_vjp(lambda *ts: ufunc(*ts), *xs)
        testing.check_second_order(lambda *ts: ufunc(*ts) * ts[0].exp(), *xs)


@pytest.mark.parametrize("ufunc", BITS, ids=name_of)
def test_ufuncs_of_bits(ufunc):
    xs = [np.array([1, 2, 7]), np.array([3, 3, 4])][: ufunc.nin]
    y = ufunc(*map(tc.tensor, xs))
    assert y.tolist() == ufunc(*xs).tolist()
    assert isinstance(
        ufunc(xs[0], *map(tc.tensor, xs[1:])), np.ndarray if ufunc.nin == 1 else tc.Tensor
    )


OPERATORS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "**": lambda a, b: a**b, "//": lambda a, b: a // b, "%": lambda a, b: a % b,
    "@": lambda a, b: a @ b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}  # fmt: skip


@pytest.mark.parametrize("symbol", OPERATORS)
def test_operators_of_an_array_and_a_tensor_give_a_tensor(symbol):
    operator = OPERATORS[symbol]
    a, b = arrays(np.add, "float32")
    for y in (operator(a, tc.tensor(b)), operator(tc.tensor(a), b)):
        assert isinstance(y, tc.Tensor)
        assert y.dtype in (np.float32, np.bool_)
        np.testing.assert_allclose(y.numpy(), operator(a, b), rtol=1e-6)


@pytest.mark.parametrize("symbol", [s for s in OPERATORS if s != "@"])
@pytest.mark.parametrize("scalar", [np.float64(1.5), np.float32(1.5), np.int64(2)])
def test_scalars_of_numpy_are_as_weak_as_numbers(symbol, scalar):
    operator = OPERATORS[symbol]
    for x in (tc.tensor([1.0, 2.0]), tc.tensor([1, 2])):
        for y, wanted in (
            (operator(scalar, x), operator(scalar.item(), x)),
            (operator(x, scalar), operator(x, scalar.item())),
        ):
            assert isinstance(y, tc.Tensor)
            assert (y.dtype, y.tolist()) == (wanted.dtype, wanted.tolist())


@pytest.mark.parametrize("ufunc", [np.floor_divide, np.remainder, np.fmod], ids=name_of)
def test_integers_divided_by_0(ufunc):
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        ufunc(np.array([1, 2]), tc.tensor([0, 1]))


def test_a_vjp_with_numpys_functions_is_differentiated_again():
    @tc.op
    def gaussian(x):
        """y = exp(−x²)        x̄ = −2 ȳ x exp(−x²)"""
        return np.exp(-np.square(x))

    gaussian.defvjp(x=lambda g, x: np.multiply(-2.0, g) * x * np.exp(-np.square(x)))
    x = np.array([0.3, -1.2])
    testing.check_vjp(gaussian, x)
    testing.check_second_order(gaussian, x)


def test_factors_of_two_dtypes_meet():
    a, x = np.ones((2, 2)), tc.ones(2, 2, requires_grad=True)
    for y in (a @ x, x @ a, np.matmul(x, a)):
        assert y.dtype == tc.float64
        y.sum().backward()
    assert x.grad.dtype == tc.float32
    with pytest.raises(RuntimeError, match="at least 1 axis"):
        np.matmul(x, 2.0)


# --- Reductions -----------------------------------------------------------------------------------

REDUCTIONS = {
    "sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min, "amax": np.amax,
    "std": np.std, "var": np.var, "cumsum": np.cumsum, "cumprod": np.cumprod,
    "add.reduce": np.add.reduce, "multiply.reduce": np.multiply.reduce,
    "maximum.reduce": np.maximum.reduce, "minimum.reduce": np.minimum.reduce,
    "add.accumulate": np.add.accumulate, "multiply.accumulate": np.multiply.accumulate,
    "all": np.all, "any": np.any, "argmax": np.argmax, "argmin": np.argmin,
}  # fmt: skip
SEVERAL = ("sum", "mean", "max", "min", "amax", "std", "var", "add.reduce", "maximum.reduce")


@pytest.mark.parametrize("name", REDUCTIONS)
@given(axis=st.sampled_from([0, 1, -1, (0, 1), None]), keepdims=st.booleans())
def test_reductions(name, axis, keepdims):
    reduce = REDUCTIONS[name]
    if isinstance(axis, tuple) and name not in SEVERAL:
        axis = 0
    if axis is None and ("cum" in name or "accumulate" in name):
        axis = 1
    options = {"axis": axis}
    if keepdims and not (name.startswith(("cum", "arg")) or "accumulate" in name or axis is None):
        options["keepdims"] = True
    x = np.random.default_rng(0).uniform(0.5, 2.0, (2, 3))
    y, wanted = reduce(tc.tensor(x, requires_grad=True), **options), reduce(x, **options)
    assert isinstance(y, tc.Tensor)
    assert y.shape == wanted.shape
    assert y.dtype == wanted.dtype
    assert y.requires_grad == (wanted.dtype.kind == "f")
    np.testing.assert_allclose(y.detach().numpy(), wanted)


def test_the_dtype_of_a_reduction():
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    for y in (
        np.sum(x, dtype=np.float64),
        np.mean(x, dtype=np.float64),
        np.add.reduce(x, dtype=np.float64),
    ):
        assert y.dtype == tc.float64
        assert y.requires_grad
    assert np.std(x, ddof=1).item() == pytest.approx(x.std().item())
    with pytest.raises(TypeError, match=r"sum\(\) got an unexpected keyword argument 'out'"):
        np.sum(x, out=np.zeros(()))


# --- Without an op --------------------------------------------------------------------------------


@pytest.mark.parametrize("ufunc", WITHOUT_OP, ids=name_of)
def test_a_ufunc_without_an_op_computes_values_or_refuses_a_gradient(ufunc):
    xs = [np.array([1.5, 2.5])] * ufunc.nin
    types = next(t for t in ufunc.types if t[0] == "d")
    xs = [x.astype("int64") if t in "lqi" else x for x, t in zip(xs, types, strict=False)]
    wanted = ufunc(*xs)
    ys = ufunc(*map(tc.tensor, xs))
    for y, w in zip(*(r if isinstance(r, tuple) else (r,) for r in (ys, wanted)), strict=True):
        assert isinstance(y, tc.Tensor)
        np.testing.assert_array_equal(y.numpy(), w)
    leaf = tc.tensor(xs[0], requires_grad=True)
    with pytest.raises(
        RuntimeError, match=r"numpy\(\) on Tensor that requires grad: .*tc\.exp.*detach"
    ):
        ufunc(leaf, *xs[1:])
    with tc.no_grad():
        ufunc(leaf, *xs[1:])


def test_other_options_compute_values_or_refuse_a_gradient():
    x = tc.tensor([1.0, 4.0])
    assert np.sqrt(x, dtype=np.float64).dtype == tc.float64
    assert np.sqrt(x, where=x > 2, out=np.zeros(2)).tolist() == [0.0, 2.0]
    assert np.multiply.outer(x, [1.0, 2.0]).tolist() == [[1.0, 2.0], [4.0, 8.0]]
    assert np.add.reduce(x, initial=10.0).item() == 15.0
    with pytest.raises(RuntimeError, match=r"np\.multiply\.outer has no gradient here"):
        np.multiply.outer(x.requires_grad_(), x)


def test_an_object_with_its_own_ufuncs_decides():
    class Other:
        def __array_ufunc__(self, *args, **kwargs):
            return "theirs"

    assert np.add(tc.ones(2), Other()) == "theirs"


# --- Outputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("symbol", ["+=", "-=", "*=", "/="])
def test_an_array_changed_in_place_by_a_tensor_stays_the_array(symbol):
    scope = {"a": np.array([1.0, 2.0]), "x": tc.tensor([4.0, 8.0])}
    array = scope["a"]
    exec(f"a {symbol} x", scope)
    assert scope["a"] is array
    wanted = eval(f"b {symbol[0]} c", {"b": np.array([1.0, 2.0]), "c": np.array([4.0, 8.0])})
    np.testing.assert_array_equal(array, wanted)
    scope["x"].requires_grad_()
    before = array.copy()
    with pytest.raises(RuntimeError, match="cannot record a write to an array.*a = a \\+ x"):
        exec(f"a {symbol} x", scope)
    np.testing.assert_array_equal(array, before)


def test_an_output_that_is_a_tensor():
    x, out = tc.tensor([1.0, 2.0]), tc.zeros(2)
    version = out._version
    assert np.add(x, 1.0, out=out) is out
    assert out.tolist() == [2.0, 3.0]
    assert out._version > version
    with pytest.raises(TypeError, match="cannot write float32 to an output of int64"):
        np.add(x, 1.0, out=tc.zeros(2, dtype=tc.int64))
    np.add.at(out, [0, 0], 1.0)
    assert out.tolist() == [4.0, 3.0]


def test_a_result_that_no_tensor_can_hold_stays_an_array():
    y = np.sqrt(tc.ones(2), dtype=np.longdouble)
    assert type(y) is np.ndarray
    assert y.dtype == np.longdouble
    assert np.sqrt(tc.ones(2), dtype=tc.float64).dtype is tc.float64
    with pytest.raises(TypeError, match="unsupported dtype"):
        tc.ones(2) + np.ones(2, np.longdouble)


def test_functions_of_bfloat16():
    x = tc.tensor([1.5, 2.0]).bfloat16()
    for y in (np.add(x, 1), np.exp(x), np.mean(x), np.multiply(2.5, x), np.maximum(x, x)):
        assert y.dtype is tc.bfloat16
    assert (np.ones(2, np.float32) * x).dtype is tc.float32
    assert np.asarray(x).dtype == tc.bfloat16
