"""Reductions as functions and methods: arguments, dtypes, `out`, errors. (tests/ops: values.)"""

import inspect

import numpy as np
import pytest

import tinygrad_cnn as tc

X = tc.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]])
INTEGERS = tc.arange(4)


# --- Arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "amax", "amin", "logsumexp", "norm"])
def test_pytorchs_and_numpys_names_of_the_axis(name):
    keyword = {"keepdim": True}
    wanted = getattr(tc, name)(X, dim=1, **keyword)
    for y in (
        getattr(tc, name)(input=X, dim=(1,), **keyword),
        getattr(tc, name)(X, axis=1, keepdims=True) if name != "norm" else wanted,
        getattr(X, name)(dim=-1, keepdim=True),
        getattr(X, name)(axis=[1], keepdims=True) if name != "norm" else wanted,
    ):
        assert y.shape == (2, 1)
        assert y.tolist() == wanted.tolist()


def test_the_second_argument_of_var_and_std_may_be_unbiased():
    for name in ("var", "std"):
        biased = getattr(tc, name)(X, correction=0)
        assert getattr(tc, name)(X, False).item() == biased.item()
        assert getattr(X, name)(unbiased=False).item() == biased.item()
        assert getattr(tc, name)(X, 0, False, True).shape == (1, 3)
        spread, mean = getattr(tc, name + "_mean")(X, False)
        assert (spread.item(), mean.item()) == (biased.item(), X.mean().item())
        spread, mean = getattr(tc, name + "_mean")(X, dim=0, correction=0, keepdim=True)
        assert spread.shape == mean.shape == (1, 3)
        with pytest.raises(TypeError, match=rf"^{name}\(\) received an invalid combination"):
            getattr(tc, name)(X, 0, False, correction=1)


def test_a_correction_may_be_any_number():
    assert tc.var(tc.tensor([0.0, 1.0, 2.0]), correction=0.5).item() == pytest.approx(0.8)


def test_a_single_value_has_no_unbiased_variance():
    assert np.isnan(tc.ones(1).var().item())
    assert tc.ones(1).var(unbiased=False).item() == 0.0
    assert tc.ones(1).var(correction=0).item() == 0.0


def test_truth_over_no_axes_reduces_nothing():
    x = tc.tensor([[0.0, 2.0], [np.nan, 1.0]])
    for function in (tc.all, tc.any):
        assert function(x, ()).tolist() == [[False, True], [True, True]]
    assert tc.sum(X, ()).item() == tc.sum(X).item()
    assert tc.count_nonzero(x, ()).item() == 3


def test_truth_and_counts():
    x = tc.tensor([[1, 0], [2, 3]])
    assert (tc.all(x).item(), tc.any(x).item()) == (False, True)
    assert x.all(0).tolist() == [True, False]
    assert x.any(dim=(0, 1), keepdim=True).tolist() == [[True]]
    assert x.all(axis=1, keepdims=True).dtype == tc.bool
    assert tc.count_nonzero(x, dim=[0, 1]).item() == x.count_nonzero().item() == 3
    assert tc.zeros(0).all().item() is True
    assert tc.zeros(0).any().item() is False


def test_keepdim_alone_is_refused_where_the_result_would_not_have_it():
    for name in ("prod", "max", "min", "median"):
        with pytest.raises(TypeError, match=rf'{name}\(\) missing 1 required .*"dim"'):
            getattr(tc, name)(X, keepdim=True)
    assert tc.sum(X, keepdim=True).shape == tc.argmax(X, keepdim=True).shape == (1, 1)


# --- Norms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", ["fro", None, 2, 0, 1, 1.5, 3, np.inf, -np.inf])
def test_norms_are_numpys(p):
    order = 2 if p in ("fro", None) else p
    wanted = np.linalg.norm(X.numpy().astype(np.float64), order, axis=1)
    np.testing.assert_allclose(tc.norm(X, p, 1).numpy(), wanted, rtol=1e-6)
    np.testing.assert_allclose(X.norm(p=p, dim=1, dtype=tc.float64).numpy(), wanted)


def test_the_arguments_of_norm_by_place():
    out = tc.empty(0)
    assert tc.norm(X, 2, None, False, out) is out  # as in PyTorch's function, not in its method
    assert out.item() == X.norm().item()
    assert X.norm("fro", 1, True, tc.float64).dtype == tc.float64
    assert list(inspect.signature(tc.norm).parameters) == [
        "input",
        "p",
        "dim",
        "keepdim",
        "out",
        "dtype",
    ]
    assert list(inspect.signature(tc.Tensor.norm).parameters) == [
        "self",
        "p",
        "dim",
        "keepdim",
        "dtype",
    ]
    with pytest.raises(NotImplementedError, match="p must be a number or 'fro', got 'nuc'"):
        tc.norm(X, "nuc")
    with pytest.raises(RuntimeError, match="Expected a floating point dtype, got torch.int64"):
        tc.norm(INTEGERS)


# --- dtypes ---------------------------------------------------------------------------------------


def test_dtypes():
    assert tc.ones(2, dtype=tc.float16).sum().dtype == tc.float16
    assert tc.ones(2).mean().dtype == tc.ones(2).var().dtype == tc.float32
    assert tc.tensor([1, 2]).sum().dtype == tc.int64
    assert tc.tensor([True, True]).sum().item() == 2
    assert tc.tensor([1, 2], dtype=tc.int32).sum().dtype == tc.int64
    assert tc.tensor([1, 2], dtype=tc.int32).prod().dtype == tc.int64
    assert tc.tensor([1, 2]).sum(dtype=tc.float64).dtype == tc.float64
    assert tc.tensor([1, 2]).mean(dtype=tc.float64).item() == 1.5
    assert tc.tensor([1, 2]).max().dtype == tc.int64


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "norm", "cumsum", "softmax"])
@pytest.mark.parametrize("dtype", ["float64", np.dtype(complex)])
def test_a_dtype_that_tensors_cannot_have(name, dtype):
    args = (X, 0) if name in ("cumsum", "softmax") else (X,)
    error = TypeError if isinstance(dtype, str) else NotImplementedError
    with pytest.raises(error, match=rf"{name}\(\).*(dtype|complex128)"):
        getattr(tc, name)(*args, dtype=dtype)


# --- out= -----------------------------------------------------------------------------------------


def test_out_gives_the_dtype_where_the_function_has_one():
    out = tc.zeros((), dtype=tc.float64)
    assert tc.sum(INTEGERS, out=out) is out
    assert (out.dtype, out.item()) == (tc.float64, 6.0)
    assert tc.mean(X, 0, out=tc.zeros(3, dtype=tc.float64)).dtype == tc.float64
    assert tc.cumsum(INTEGERS, 0, out=tc.zeros(4)).tolist() == [0.0, 1.0, 3.0, 6.0]
    assert tc.softmax(X, 0, tc.float64, out=tc.zeros(2, 3, dtype=tc.float64)).dtype == tc.float64
    with pytest.raises(
        RuntimeError, match=r"sum\(\): Expected out tensor to have dtype torch.float64, but"
    ):
        tc.sum(X, dtype=tc.float64, out=tc.zeros(()))
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type torch.int64"):
        tc.amax(X, out=tc.zeros((), dtype=tc.int64))  # which has no dtype


# --- Errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["sum", "mean", "var", "amax", "max", "logsumexp", "softmax", "argmax", "prod", "all", "cumsum"]
)  # fmt: skip
def test_an_axis_that_is_not_there(name):
    with pytest.raises(
        IndexError,
        match=rf"{name}: Dimension out of range \(expected .* range of \[-2, 1\], but got 2\)",
    ):
        getattr(X, name)(2)
    with pytest.raises(TypeError, match=f"{name}: dim must be an integer, got 1.5"):
        getattr(X, name)(1.5)


def test_axes_named_twice():
    with pytest.raises(RuntimeError, match="dim .* appears multiple times in the list of dims"):
        X.sum((0, -2))


def test_the_mean_of_integers():
    with pytest.raises(
        RuntimeError, match=r"mean\(\): could not infer output dtype.* got torch.int64"
    ):
        tc.tensor([1, 2]).mean()


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "norm", "logsumexp", "cumsum"])
def test_a_number_is_no_tensor(name):
    with pytest.raises(
        TypeError, match=rf"^{name}\(\): argument 'input' \(position 1\) must be Tensor, not"
    ):
        getattr(tc, name)(2.0, 0)


@pytest.mark.parametrize(
    "name", ["all", "any", "std", "var", "std_mean", "var_mean", "count_nonzero"]
)
def test_a_number_is_no_tensor_where_pytorch_has_overloads(name):
    with pytest.raises(
        TypeError, match=rf"^{name}\(\) received an invalid combination .* got \(float\)"
    ):
        getattr(tc, name)(2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: tc.norm(x, 0), lambda x: tc.norm(x, 0, dim=0), lambda x: tc.bernoulli(x),
        lambda x: tc.normal(x, 1.0), lambda x: tc.normal(0.0, x), lambda x: tc.normal(x, x),
        lambda x: tc.nn.functional.pairwise_distance(x, -x, 0.0),
        lambda x: tc.nn.functional.pdist(x[:, None], 0.0),
    ],
)  # fmt: skip
def test_results_that_are_piecewise_constant_require_grad_and_give_0(call):
    x = tc.tensor([0.25, 0.0, 1.0], requires_grad=True)
    y = call(x)
    assert y.requires_grad
    (grad,) = tc.autograd.grad(y, x, tc.full(y.shape, float("inf")))
    assert grad.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ["sum", "prod", "cumsum", "cumprod"])
def test_integers_that_would_require_grad_are_refused(name):
    arguments = (0,) if name.startswith("cum") else ()
    x = tc.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="can require gradients"):
        getattr(tc, name)(x, *arguments, dtype=tc.int64)
    with tc.no_grad():
        assert getattr(tc, name)(x, *arguments, dtype=tc.int64).dtype == tc.int64


def test_truth_of_uint8_is_of_uint8():
    x = tc.tensor([[3, 0]], dtype=tc.uint8)
    for y in (x.all(), x.any(), x.all(1), x.any(0)):
        assert y.dtype == tc.uint8
        assert y.max().item() <= 1


@pytest.mark.parametrize("name", ["sum", "prod", "cumsum", "cumprod"])
@pytest.mark.parametrize("dtype", [tc.uint8, tc.int8, tc.int16, tc.int32, tc.int64, tc.float16])
@pytest.mark.parametrize("dims", [(), (0,)])
def test_a_given_dtype_is_that_of_the_result(name, dtype, dims):
    x = tc.tensor([7, 20, 3])
    dims = (0,) if name.startswith("cum") else dims
    y = getattr(tc, name)(x, *dims, dtype=dtype)
    assert y.dtype == dtype
    wide = getattr(np, name)(x.numpy(), axis=0)
    np.testing.assert_array_equal(y.numpy(), wide.astype(dtype))


def test_sums_and_products_of_bools_in_bools():
    x = tc.tensor([0.0, 2.0])
    assert tc.sum(x, dtype=tc.bool).numpy() == np.True_
    assert tc.prod(x, 0, dtype=tc.bool).numpy() == np.False_
