"""float16 and bfloat16 compute in float32 where elements are summed, and where a formula has several steps."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.nn import functional as F

RNG = np.random.default_rng(0)
MANY = RNG.uniform(0.0, 1.0, 70_000)  # a sum is beyond 65,504, and 70,000 itself is
IMAGES = RNG.uniform(0.0, 255.0, (4, 3, 16, 16))
ROWS = RNG.normal(size=(20, 3000))
LABELS = tc.tensor(RNG.integers(0, 3000, 20))

REPEATED = tc.zeros(1000, dtype=tc.int64)

CASES = {
    "index": (lambda x: x[:3][REPEATED], MANY),
    "embedding": (lambda x: F.embedding(REPEATED, x), ROWS[:, :3]),
    "index_add": (lambda x: tc.zeros(2, dtype=x.dtype).index_add(0, REPEATED, x), MANY[:1000]),
    "gather": (lambda x: x[:3].gather(0, REPEATED), MANY),
    "sum": (lambda x: x.sum() / 1000, MANY),
    "mean": (lambda x: x.mean(), MANY),
    "var": (lambda x: x.var(), MANY * 100),
    "std": (lambda x: x.std(), MANY * 100),
    "norm": (lambda x: x.norm(), MANY * 100),
    "logsumexp": (lambda x: x.logsumexp(0), MANY),
    "log_softmax": (lambda x: x.log_softmax(1), ROWS),
    "softmax": (lambda x: x.softmax(1), ROWS),
    "cross_entropy": (lambda x: F.cross_entropy(x, LABELS), ROWS),
    "smooth_l1_loss": (lambda x: F.smooth_l1_loss(x, tc.zeros_like(x)), MANY),
    "mse_loss": (lambda x: F.mse_loss(x, tc.zeros_like(x)), MANY),
    "batch_norm": (lambda x: F.batch_norm(x, None, None, training=True), IMAGES),
    "layer_norm": (lambda x: F.layer_norm(x, (16, 16)), IMAGES),
    "group_norm": (lambda x: F.group_norm(x, 3), IMAGES),
    "instance_norm": (lambda x: F.instance_norm(x), IMAGES),
    "rms_norm": (lambda x: F.rms_norm(x, (16, 16)), IMAGES),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 16), IMAGES * 200),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, 1), IMAGES * 200),
    "matmul": (lambda x: x @ x.T, ROWS),
    "linear": (lambda x: F.linear(x, x[:3]), ROWS),
    "conv2d": (lambda x: F.conv2d(x, x[:2, :, :5, :5] / 1000), IMAGES),
    "cumsum": (lambda x: x.cumsum(1), ROWS),
    "prod": (lambda x: x.prod(1), ROWS[:, :20]),
    "gelu": (lambda x: F.gelu(x), ROWS * 3),
    "silu": (lambda x: F.silu(x), ROWS * 3),
    "mish": (lambda x: F.mish(x), ROWS * 3),
    "bias of many rows": (lambda x: tc.zeros_like(x) + x[:1] * 2, ROWS),
}


@pytest.mark.parametrize(("narrow", "units"), [(tc.float16, 1), (tc.bfloat16, 8)], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_float64_rounded(name, narrow, units):
    run, values = CASES[name]
    half = np.asarray(values, narrow)
    found, gradients = [], []
    for dtype in (narrow, tc.float64):
        x = tc.tensor(half.astype(dtype), requires_grad=True)
        y = run(x)
        assert y.dtype == dtype
        y.backward(tc.tensor(np.full(y.shape, 0.5, dtype)))
        found.append(y.detach().numpy().astype(np.float64))
        gradients.append(x.grad.numpy().astype(np.float64))
    np.testing.assert_allclose(
        *found, rtol=2e-3 * units, atol=1e-3 * units * np.abs(found[1]).mean()
    )
    # a gradient is a float16 too: below 6e-5 these are 6e-8 apart
    np.testing.assert_allclose(
        *gradients,
        rtol=4e-3 * units,
        atol=1e-2 * units * np.abs(gradients[1]).mean() + 1e-7 * units,
    )


def test_a_mean_of_more_elements_than_float16_can_count():
    x = tc.full((66_000,), 0.5, dtype=tc.float16, requires_grad=True)
    y = x.mean()
    y.backward()
    assert y.item() == 0.5
    assert x.grad[0].item() == pytest.approx(1 / 66_000, rel=5e-3)


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm", "rms_norm"])
def test_second_derivatives_of_a_norm_of_float16(norm):
    """The composite computes in float32: squares of 300 are beyond float16."""
    arguments = (None, None, None, None, True) if norm == "batch_norm" else ((2,),)
    gradients = []
    for dtype in (tc.float16, tc.float64):
        x = tc.tensor([[300.0, -290.0], [250.0, -310.0]], dtype=dtype, requires_grad=True)
        y = getattr(F, norm)(x, *arguments)
        (g,) = tc.autograd.grad(
            (y * tc.tensor([1.0, 200.0], dtype=dtype)).sum(), x, create_graph=True
        )
        g.sum().backward()
        assert tc.isfinite(x.grad).all()
        gradients.append(g.detach().numpy().astype(np.float64))
    np.testing.assert_allclose(*gradients, rtol=3e-3, atol=2e-3)


@given(st.integers(-25, 25), st.integers(2, 40))
def test_norms_and_deviations_of_float32_have_no_range_of_their_own(exponent, n):
    x = (np.random.default_rng(n).normal(size=n) * 10.0**exponent).astype(np.float32)
    wide = x.astype(np.float64)
    assert tc.tensor(x).norm().item() == pytest.approx(np.linalg.norm(wide), rel=1e-5)
    assert tc.tensor(x).std().item() == pytest.approx(wide.std(ddof=1), rel=1e-5)
    unit = F.normalize(tc.tensor(x), dim=0, eps=0.0)
    assert unit.norm().item() == pytest.approx(1.0, rel=1e-5)


@given(st.integers(-22, 18))
def test_similarity_and_distance_at_any_scale(exponent):
    a, b = np.random.default_rng(0).normal(size=(2, 3, 8)) * 10.0**exponent
    x, y = (tc.tensor(v, dtype=tc.float32) for v in (a, b))
    wanted = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(F.cosine_similarity(x, y, eps=0.0).numpy(), wanted, rtol=1e-4)
    distance = F.pairwise_distance(x, y, eps=0.0).numpy()
    np.testing.assert_allclose(distance, np.linalg.norm(a - b, axis=1), rtol=1e-4)


def test_running_sums_do_not_drift():
    x = tc.full((10_000_000,), 0.1)
    assert x.cumsum(0)[-1].item() == pytest.approx(1_000_000, rel=1e-6)
    assert tc.full((1_000_000,), 1.0000001).cumprod(0)[-1].item() == pytest.approx(1.1266, rel=1e-3)


@pytest.mark.parametrize("shape", [(5_000_000, 2), (100, 50_000, 1)])
def test_means_over_long_outer_axes(shape):
    x = tc.full(shape, 0.1)
    dim = tuple(range(len(shape) - 1))
    np.testing.assert_allclose(x.mean(dim).numpy(), 0.1, rtol=1e-6)
    np.testing.assert_allclose(x.std(dim).numpy(), 0.0, atol=1e-6)
