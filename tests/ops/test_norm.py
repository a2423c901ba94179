"""Batch normalisation and dropout: definitions, statistics, evaluation, errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import ops
from tinygrad_cnn.testing import check_op, check_second_order, check_vjp

RNG = np.random.default_rng(0)


def normalize(x, weight=None, bias=None, *, dims, affine_shape, eps):
    y = (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps)
    y = y if weight is None else y * weight.reshape(affine_shape)
    return y if bias is None else y + bias.reshape(affine_shape)


def rms_norm(x, weight=None, bias=None, *, dims, affine_shape, eps):
    y = x / np.sqrt((x * x).mean(dims, keepdims=True) + eps)
    y = y if weight is None else y * weight.reshape(affine_shape)
    return y if bias is None else y + bias.reshape(affine_shape)


def quietly(function):
    """NumPy's mean of an empty batch warns."""

    def reference(x, *rest, **attributes):
        return function(x, *rest, **attributes) if x.size else np.zeros(x.shape)

    return reference


@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "group_norm", "instance_norm"])
def test_forward_is_the_definition(name):
    check_op(name, reference=quietly(normalize))


def test_rms_norm_is_the_definition():
    check_op("rms_norm", reference=quietly(rms_norm))


def test_only_what_pytorch_keeps_is_kept():
    x, weight = tc.randn(4, 3, 5, requires_grad=True), tc.ones(3, requires_grad=True)
    y = F.batch_norm(x, None, None, weight, tc.zeros(3, requires_grad=True), training=True)
    kept = [array for array in y._node.saved if array is not None]
    assert [k for k in kept if k.size == x.numel()] == [x._array]
    assert all(k.size <= 3 for k in kept if k.size != x.numel())


def test_dropout_is_its_mask():
    def dropout(x, p, random):
        return np.where(random(x.shape) >= p, x / (1 - p if p < 1 else 1), 0)

    check_op("dropout", reference=dropout)


def test_the_statistics_are_returned_as_constants():
    x = tc.tensor(RNG.normal(size=(4, 3, 2)), requires_grad=True)
    y, mu, variance = ops.batch_norm(x, dims=(0, 2), affine_shape=(1, 3, 1), eps=1e-5)
    assert y.requires_grad
    assert not mu.requires_grad
    assert not variance.requires_grad
    np.testing.assert_allclose(mu.numpy().ravel(), x.detach().numpy().mean((0, 2)), rtol=1e-12)
    np.testing.assert_allclose(variance.numpy().ravel(), x.detach().numpy().var((0, 2)), rtol=1e-12)


def test_running_statistics_weigh_the_new_value_by_momentum():
    x = RNG.normal(size=(5, 2, 3))
    mean, var = tc.zeros(2, dtype=tc.float64), tc.ones(2, dtype=tc.float64)
    F.batch_norm(tc.tensor(x), mean, var, training=True, momentum=0.1)
    np.testing.assert_allclose(mean.numpy(), 0.1 * x.mean((0, 2)), rtol=1e-12)
    unbiased = x.var((0, 2), ddof=1)
    np.testing.assert_allclose(var.numpy(), 0.9 + 0.1 * unbiased, rtol=1e-12)


def test_evaluation_uses_the_running_statistics_and_leaves_them():
    x = RNG.normal(size=(4, 2, 3))
    mean, var = tc.tensor([0.5, -1.0], dtype=tc.float64), tc.tensor([2.0, 0.3], dtype=tc.float64)
    weight, bias = RNG.normal(size=2), RNG.normal(size=2)

    def evaluate(x, weight, bias):
        return F.batch_norm(x, mean, var, weight, bias, training=False, eps=1e-3)

    column = (1, 2, 1)
    wanted = (x - mean.numpy().reshape(column)) / np.sqrt(var.numpy().reshape(column) + 1e-3)
    wanted = wanted * weight.reshape(column) + bias.reshape(column)
    given = [tc.tensor(v) for v in (x, weight, bias)]
    np.testing.assert_allclose(evaluate(*given).numpy(), wanted, rtol=1e-12, atol=1e-12)
    assert mean.tolist() == [0.5, -1.0]
    check_vjp(evaluate, x, weight, bias)


def test_training_through_nn_functional():
    x, weight, bias = RNG.normal(size=(4, 2, 3)), RNG.normal(size=2), RNG.normal(size=2)

    def train(x, weight, bias):
        return F.batch_norm(x, None, None, weight, bias, training=True)

    check_vjp(train, x, weight, bias)
    check_second_order(train, x, weight, bias)


def test_a_constant_channel_is_only_shifted():
    x = tc.full((3, 1, 2), 5.0).requires_grad_()
    y = F.batch_norm(x, None, None, tc.ones(1), tc.ones(1) * 2.0, training=True)
    assert y.tolist() == [[[2.0, 2.0]]] * 3
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 0, atol=1e-4)


CONSTANT = {
    "batch_norm": lambda x, b: F.batch_norm(x, None, None, None, b, training=True),
    "instance_norm": lambda x, b: F.instance_norm(x, None, None, None, b),
    "group_norm": lambda x, b: F.group_norm(x, 2, None, b),
    "layer_norm": lambda x, b: F.layer_norm(x, x.shape[1:], None, b[:, None, None].expand(x.shape[1:])),
    "layer_norm of rows": lambda x, b: F.layer_norm(x, x.shape[-1:]) + b[:, None, None],
}  # fmt: skip


@pytest.mark.parametrize("name", CONSTANT)
@pytest.mark.parametrize("shape", [(2, 4, 3, 3), (3, 6, 7, 5), (4, 64, 32, 32)])
def test_constant_rows_give_the_bias_exactly(name, shape):
    """Rounding in the mean of equal numbers once made 0.295 of them."""
    bias = tc.linspace(-1.0, 1.0, shape[1]).requires_grad_()
    for value in (12345.67, 0.1, -7.77, 3.3e7):
        for memory in (tc.contiguous_format, tc.channels_last):
            x = tc.full(shape, value).contiguous(memory_format=memory).requires_grad_()
            y = CONSTANT[name](x, bias)
            assert y.equal(bias[:, None, None].expand(shape))
            y.sum().backward()
            assert x.grad.isfinite().all()


def test_empty_batches():
    x = tc.zeros(0, 3).requires_grad_()
    mean, var = tc.zeros(3), tc.ones(3)
    y = F.batch_norm(x, mean, var, tc.ones(3), tc.ones(3), training=True)
    y.sum().backward()
    assert y.shape == x.grad.shape == (0, 3)
    assert F.batch_norm(x, mean, var).shape == (0, 3)


def test_float32_stays():
    x = tc.randn(4, 3).requires_grad_()
    y = F.batch_norm(x, tc.zeros(3), tc.ones(3), tc.ones(3), tc.zeros(3), training=True)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == tc.float32


# --- Dropout ------------------------------------------------------------------------------------


def test_dropout_keeps_the_mean_and_scales_what_it_keeps():
    tc.manual_seed(0)
    y = F.dropout(tc.ones(100, 100), 0.25).numpy()
    assert set(np.unique(y).round(5)) == {0.0, np.float32(1 / 0.75).round(5)}
    assert y.mean() == pytest.approx(1.0, abs=0.03)
    assert y.dtype == np.float32


def test_dropout_at_its_ends_and_in_evaluation():
    x = tc.randn(3, 4)
    assert F.dropout(x, 0.0).tolist() == x.tolist()
    assert F.dropout(x, 1.0).tolist() == (x * 0.0).tolist()
    assert F.dropout(x, 0.9, training=False).tolist() == x.tolist()


def test_dropout_repeats_by_seed_and_passes_gradients_by_the_same_mask():
    x = tc.randn(50).requires_grad_()
    tc.manual_seed(3)
    y = F.dropout(x, 0.5)
    tc.manual_seed(3)
    assert tc.equal(F.dropout(x, 0.5), y)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy() != 0, y.detach().numpy() != 0)
    assert set(x.grad.tolist()) == {0.0, 2.0}


# --- Errors -------------------------------------------------------------------------------------

X = tc.zeros(4, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.batch_norm(tc.zeros(1, 3), None, None, training=True), ValueError,
         r"Expected more than 1 value per channel when training, got input size torch.Size\(\[1, 3\]\)"),
        (lambda: F.batch_norm(tc.zeros(1, 3, 1, 1), None, None, training=True), ValueError,
         "Expected more than 1 value per channel"),
        (lambda: F.batch_norm(X, tc.zeros(2), tc.ones(3)), RuntimeError,
         r"running_mean should contain 3 elements, got shape \(2,\)"),
        (lambda: F.batch_norm(X, tc.zeros(3), tc.ones(3), tc.ones(4)), RuntimeError,
         "weight should contain 3 elements"),
        (lambda: F.batch_norm(X, None, None), RuntimeError,
         "running_mean and running_var are needed in evaluation"),
        (lambda: F.batch_norm(tc.zeros(3), None, None, training=True), ValueError,
         r"expected \(N, C, ..\), got shape \(3,\)"),
        (lambda: F.batch_norm(X.long(), None, None, training=True), RuntimeError, "floating"),
        (lambda: F.dropout(X, 1.5), ValueError,
         "dropout probability has to be between 0 and 1, but got 1.5"),
        (lambda: F.dropout(X, -0.1), ValueError, "between 0 and 1"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("affine", [(True, True), (True, False), (False, True), (False, False)])
def test_batch_norm_of_running_statistics_is_one_op(affine):
    """It saves no copy of the input, and x only where the weight is trained."""
    x, mean, variance = tc.randn(4, 3, 5), tc.randn(3), tc.rand(3) + 0.1
    weight, bias = (tc.randn(3) if used else None for used in affine)
    x.requires_grad_()
    y = F.batch_norm(x, mean, variance, weight, bias)
    assert y.grad_fn.op.name == "batch_norm_inference"
    assert y.grad_fn.parents[0].op is None
    assert not any(s is x._array for s in y.grad_fn.saved)
    column = [None if v is None else v.numpy()[:, None] for v in (mean, variance, weight, bias)]
    m, v, w, b = column
    expected = (x.detach().numpy() - m) / np.sqrt(v + 1e-5)
    expected = expected * (1 if w is None else w) + (0 if b is None else b)
    np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("variance", "value"), [(-1.0, np.nan), (0.0, np.inf)])
def test_running_statistics_that_no_eps_protects_give_pytorchs_values_without_a_warning(
    variance, value
):
    x = tc.ones(2, 3, requires_grad=True)
    y = F.batch_norm(x, tc.zeros(3), tc.full((3,), variance), tc.ones(3), eps=0.0)
    y.sum().backward()
    np.testing.assert_array_equal(y.detach().numpy(), value)
    np.testing.assert_array_equal(x.grad.numpy(), value)


def test_batch_norm_of_running_statistics_in_half_precision():
    x = (tc.randn(4, 3, 5) * 300).to(tc.float16).requires_grad_()
    mean, variance = tc.full((3,), 200.0).to(tc.float16), tc.full((3,), 6e4).to(tc.float16)
    y = F.batch_norm(x, mean, variance, training=False)
    assert y.dtype == tc.float16
    wide = F.batch_norm(x.detach().float(), mean.float(), variance.float(), training=False)
    np.testing.assert_array_equal(y.detach().numpy(), wide.numpy().astype(np.float16))
    y.sum().backward()
    assert x.grad.dtype == tc.float16
