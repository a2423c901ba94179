"""softmax, log_softmax and the losses: definitions, large logits, infinities, labels, errors."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_op, check_second_order, check_vjp
from tinygrad_cnn.testing.values import signed

RNG = np.random.default_rng(0)


def softmax(x, dim):
    return np.exp(x) / np.exp(x).sum(dim, keepdims=True)


def cross_entropy(x, target, weight=None, *, ignore_index, reduction, label_smoothing):
    """One image, one place at a time."""
    logp = np.log(softmax(x, 1))
    classes = x.shape[1]
    weight = np.ones(classes) if weight is None else weight
    losses, total = np.zeros(target.shape), 0.0
    for place in np.ndindex(target.shape):
        label = target[place]
        if label == ignore_index:
            continue
        of_place = logp[(place[0], slice(None), *place[1:])]
        own = -weight[label] * of_place[label]
        even = -(weight * of_place).sum() / classes
        losses[place] = (1 - label_smoothing) * own + label_smoothing * even
        total += weight[label]
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / (total or np.nan)}[
        reduction
    ]


def test_forward_is_the_definition():
    check_op("softmax", reference=softmax)
    check_op("log_softmax", reference=lambda x, dim: np.log(softmax(x, dim)))
    check_op("cross_entropy", reference=cross_entropy)


# --- Large and infinite logits ------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e2, 1e4, 1e30])
def test_large_logits(size):
    x = tc.tensor([[size, -size, 0.0]], requires_grad=True)
    np.testing.assert_allclose(F.softmax(x, 1).detach().numpy(), [[1.0, 0.0, 0.0]], atol=1e-30)
    assert F.log_softmax(x, 1).tolist() == [[0.0, pytest.approx(-2 * size), pytest.approx(-size)]]
    loss = F.cross_entropy(x, tc.tensor([1]))
    assert loss.item() == pytest.approx(2 * size)
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), [[1.0, -1.0, 0.0]], atol=1e-30)


def test_minus_infinity_hides_a_class():
    x = tc.tensor([[-np.inf, 0.0, 0.0]], requires_grad=True)
    assert F.softmax(x, 1).tolist() == [[0.0, 0.5, 0.5]]
    assert F.log_softmax(x, 1).tolist()[0][0] == -np.inf
    loss = F.cross_entropy(x, tc.tensor([1]))
    assert loss.item() == pytest.approx(np.log(2))
    loss.backward()
    assert x.grad.tolist() == [[0.0, -0.5, 0.5]]
    assert F.cross_entropy(x, tc.tensor([0])).item() == np.inf


def test_what_has_no_softmax_is_nan():
    for row in ([-np.inf, -np.inf], [np.inf, 1.0], [np.nan, 1.0]):
        assert np.isnan(F.softmax(tc.tensor(row), 0).numpy()).all()
        assert np.isnan(F.log_softmax(tc.tensor(row), 0).numpy()).all()


def test_empty_batches():
    x = tc.zeros(0, 3).requires_grad_()
    labels = tc.zeros(0, dtype=tc.int64)
    assert np.isnan(F.cross_entropy(x, labels).item())
    assert F.cross_entropy(x, labels, reduction="sum").item() == 0.0
    assert F.cross_entropy(x, labels, reduction="none").shape == (0,)
    F.cross_entropy(x, labels).backward()
    assert x.grad.shape == F.softmax(x, 1).shape == F.softmax(x, 0).shape == (0, 3)


# --- Labels -------------------------------------------------------------------------------------


def test_all_ignored():
    x = tc.tensor(RNG.normal(size=(2, 3)), requires_grad=True)
    labels = tc.tensor([-100, -100])
    assert np.isnan(F.cross_entropy(x, labels).item())
    assert F.cross_entropy(x, labels, reduction="sum").item() == 0.0
    assert F.cross_entropy(x, labels, reduction="none").tolist() == [0.0, 0.0]
    for reduction in ("sum", "mean"):
        x.grad = None
        F.cross_entropy(x, labels, reduction=reduction).backward()
        assert x.grad.tolist() == [[0.0] * 3] * 2


def test_what_is_ignored_counts_for_nothing():
    x = RNG.normal(size=(3, 4))
    some = F.cross_entropy(tc.tensor(x), tc.tensor([1, 7, 2]), ignore_index=7)
    rest = F.cross_entropy(tc.tensor(x[[0, 2]]), tc.tensor([1, 2]))
    assert some.item() == pytest.approx(rest.item(), rel=1e-12)


def test_the_mean_divides_by_the_weights_of_the_labels():
    x, labels = RNG.normal(size=(3, 2)), [0, 1, 1]
    weight = tc.tensor([1.0, 3.0], dtype=tc.float64)
    each = F.cross_entropy(tc.tensor(x), tc.tensor(labels), reduction="none").numpy()
    mean = F.cross_entropy(tc.tensor(x), tc.tensor(labels), weight)
    assert mean.item() == pytest.approx((each * [1, 3, 3]).sum() / 7, rel=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("shape", [(2, 3), (3,), (2, 3, 4), (2, 3, 1, 2)])
def test_probabilities_that_are_labels_give_the_same(shape, reduction, smoothing):
    x = RNG.normal(size=shape)
    dim = 0 if len(shape) == 1 else 1
    labels = RNG.integers(0, 3, np.delete(shape, dim))
    q = np.moveaxis(np.eye(3)[labels], -1, dim)
    how = {"reduction": reduction, "label_smoothing": smoothing}
    hard = F.cross_entropy(tc.tensor(x), tc.tensor(labels), **how)
    soft = F.cross_entropy(tc.tensor(x), tc.tensor(q), **how)
    if reduction != "mean" or x.ndim <= 2:  # for probabilities the mean divides by N
        np.testing.assert_allclose(hard.numpy(), soft.numpy(), rtol=1e-12)
    check_vjp(lambda x: F.cross_entropy(x, tc.tensor(q), **how), x)
    check_vjp(lambda x: F.cross_entropy(x, tc.tensor(labels), **how), x)
    check_second_order(lambda x: F.cross_entropy(x, tc.tensor(labels), **how), x, directions=1)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["mean", "sum", "none"]), st.booleans())
def test_nll_loss_of_log_softmax_is_cross_entropy(seed, reduction, weighted):
    rng = np.random.default_rng(seed)
    x = tc.tensor(signed(rng, (3, 4, 2)))
    labels = tc.tensor(np.where(rng.random((3, 2)) < 0.3, -100, rng.integers(0, 4, (3, 2))))
    weight = tc.tensor(rng.uniform(0.5, 2, 4)) if weighted else None
    a = F.nll_loss(F.log_softmax(x, 1), labels, weight, reduction=reduction)
    b = F.cross_entropy(x, labels, weight, reduction=reduction)
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, atol=1e-12)


def test_float32_stays():
    x = tc.randn(2, 3).requires_grad_()
    loss = F.cross_entropy(x, tc.tensor([0, 2]), tc.ones(3), label_smoothing=0.1)
    loss.backward()
    assert loss.dtype == x.grad.dtype == tc.float32


# --- The other losses ---------------------------------------------------------------------------

PAIRS = [
    (F.mse_loss, lambda x, t: (x - t) ** 2),
    (F.l1_loss, lambda x, t: abs(x - t)),
    (F.smooth_l1_loss, lambda x, t: np.where(abs(x - t) < 1, (x - t) ** 2 / 2, abs(x - t) - 0.5)),
    (F.binary_cross_entropy_with_logits,
     lambda x, t: np.log(1 + np.exp(-x)) * t + np.log(1 + np.exp(x)) * (1 - t)),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "formula"), PAIRS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_of_pairs(loss, formula, reduction):
    rng = np.random.default_rng(1)  # its own strategy: these draws keep away from the kinks
    x, t = rng.normal(size=(3, 4)) * 1.5, rng.random((3, 4))
    reduce = {"mean": np.mean, "sum": np.sum, "none": lambda v: v}[reduction]
    y = loss(tc.tensor(x), tc.tensor(t), reduction=reduction)
    np.testing.assert_allclose(y.numpy(), reduce(formula(x, t)), rtol=1e-12)
    check_vjp(lambda x, t: loss(x, t, reduction=reduction), x, t)


def test_binary_cross_entropy():
    p, t = RNG.uniform(0.05, 0.95, (3, 4)), RNG.random((3, 4))
    y = F.binary_cross_entropy(tc.tensor(p), tc.tensor(t))
    assert y.item() == pytest.approx(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(), rel=1e-12)
    check_vjp(F.binary_cross_entropy, p, t)
    at_the_ends = F.binary_cross_entropy(
        tc.tensor([0.0, 1.0]), tc.tensor([1.0, 1.0]), reduction="none"
    )
    assert at_the_ends.tolist() == [100.0, 0.0]


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_binary_cross_entropy_is_smooth_at_logit_zero(target):
    t = tc.tensor([target], dtype=tc.float64)
    check_vjp(lambda x: F.binary_cross_entropy_with_logits(x, t), np.zeros(1))
    check_second_order(lambda x: F.binary_cross_entropy_with_logits(x, t), np.zeros(1))


# --- Errors -------------------------------------------------------------------------------------

X = tc.zeros(2, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.cross_entropy(X, tc.tensor([0, 3])), IndexError,
         "Target 3 is out of bounds: cross_entropy has 3 classes, 0 to 2"),
        (lambda: F.cross_entropy(X, tc.tensor([-1, 0])), IndexError, "Target -1 is out of bounds"),
        (lambda: F.cross_entropy(X, tc.tensor([0, 1, 2])), ValueError,
         r"Expected input batch_size \(2\) to match target batch_size \(3\)"),
        (lambda: F.cross_entropy(X, tc.tensor([[0], [1]])), RuntimeError,
         r"Expected target size \(2,\), got \(2, 1\)"),
        (lambda: F.cross_entropy(tc.zeros(2, 3, 4), tc.tensor([0, 1])), RuntimeError,
         r"Expected target size \(2, 4\), got \(2,\)"),
        (lambda: F.cross_entropy(X, tc.tensor([True, False])), RuntimeError,
         "expected target dtype to be Long, but cross_entropy got torch.bool"),
        (lambda: F.cross_entropy(X, tc.tensor([0.0, 1.0])), RuntimeError,
         "expected target dtype to be Long, but cross_entropy got torch.float32"),
        (lambda: F.cross_entropy(tc.tensor(1.0), tc.tensor(0)), ValueError,
         r"Expected 1 or more dimensions \(got 0\)"),
        (lambda: F.cross_entropy(X, tc.tensor([0, 1]), tc.ones(2)), RuntimeError,
         "weight tensor should be defined either for all 3 classes or no classes"),
        (lambda: F.cross_entropy(X, tc.tensor([0, 1]), reduction="avg"), ValueError,
         "avg is not a valid value for reduction"),
        (lambda: F.cross_entropy(X, tc.tensor([0, 1]), label_smoothing=1.5), RuntimeError,
         "label_smoothing must be between 0.0 and 1.0"),
        (lambda: F.cross_entropy(X.long(), tc.tensor([0, 1])), RuntimeError, "floating"),
        (lambda: F.cross_entropy(X, [0, 1]), TypeError, "Tensor"),
        (lambda: F.nll_loss(X, tc.tensor([0, 3])), IndexError,
         "Target 3 is out of bounds: nll_loss"),
        (lambda: F.binary_cross_entropy(tc.tensor([1.5]), tc.tensor([1.0])), RuntimeError,
         "between 0 and 1"),
        (lambda: F.smooth_l1_loss(X, X, beta=-1.0), RuntimeError, "negative values for beta"),
        (lambda: F.softmax(X, 2), IndexError, "softmax: Dimension out of range"),
        (lambda: F.one_hot(tc.tensor([3]), 3), RuntimeError, "must be smaller than num_classes"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
