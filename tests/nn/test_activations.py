"""Activations: against numbers of PyTorch 2.13; kinks, extremes, in-place forms, errors."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn
from tinygrad_cnn.testing import check_second_order

V = [-4.0, -1.5, -0.3, 0.6, 2.5, 7.0]
RECORDED = [  # the module, its values at V, its derivatives
    (nn.CELU(0.5), [-0.499832268686, -0.475106465816, -0.225594181953, 0.6, 2.5, 7.0],
     [0.000335462627903, 0.0497870683679, 0.548811636094, 1.0, 1.0, 1.0]),
    (nn.ELU(0.7), [-0.687179052778, -0.543808887896, -0.181427245523, 0.6, 2.5, 7.0],
     [0.0128209472221, 0.156191112104, 0.518572754477, 1.0, 1.0, 1.0]),
    (nn.GELU(), [-0.000126684967332, -0.100210801903, -0.114626573343, 0.43544812935, 2.48447583669, 6.99999999999],
     [-0.000503649661226, -0.12746919223, 0.267672233173, 0.925681643985, 1.03761108591, 1.00000000006]),
    (nn.GELU("tanh"), [-7.02459481923e-05, -0.10042842302, -0.114629076457, 0.435415199231, 2.48491573391, 7.0],
     [-0.000335123197122, -0.127710793151, 0.267704548361, 0.925491533332, 1.03795157621, 1.0]),
    (nn.Hardshrink(), [-4.0, -1.5, 0.0, 0.6, 2.5, 7.0],
     [1.0, 1.0, 0.0, 1.0, 1.0, 1.0]),
    (nn.Hardsigmoid(), [0.0, 0.25, 0.45, 0.6, 0.916666666667, 1.0],
     [0.0, 0.166666666667, 0.166666666667, 0.166666666667, 0.166666666667, 0.0]),
    (nn.Hardswish(), [-0.0, -0.375, -0.135, 0.36, 2.29166666667, 7.0],
     [0.0, 0.0, 0.4, 0.7, 1.33333333333, 1.0]),
    (nn.Hardtanh(-0.5, 2.0), [-0.5, -0.5, -0.3, 0.6, 2.0, 2.0],
     [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]),
    (nn.LeakyReLU(0.2), [-0.8, -0.3, -0.06, 0.6, 2.5, 7.0],
     [0.2, 0.2, 0.2, 1.0, 1.0, 1.0]),
    (nn.LogSigmoid(), [-4.01814992792, -1.70141327798, -0.854355244469, -0.437487950486, -0.0788897342925, -0.000911466453774],
     [0.982013790038, 0.817574476194, 0.574442516812, 0.354343693774, 0.0758581800212, 0.000911051194401]),
    (nn.Mish(), [-0.072591740792, -0.298099742167, -0.151133177138, 0.466136485694, 2.47139230456, 6.99998837981],
     [-0.0537732097935, -0.0640978158923, 0.408510876936, 0.93047078763, 1.04112953013, 1.00002155916]),
    (nn.PReLU(), [-1.0, -0.375, -0.075, 0.6, 2.5, 7.0],
     [0.25, 0.25, 0.25, 1.0, 1.0, 1.0]),
    (nn.RReLU().eval(), [-0.916666666667, -0.34375, -0.06875, 0.6, 2.5, 7.0],
     [0.229166666667, 0.229166666667, 0.229166666667, 1.0, 1.0, 1.0]),
    (nn.ReLU6(), [0.0, 0.0, 0.0, 0.6, 2.5, 6.0],
     [0.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
    (nn.SELU(), [-1.72589862819, -1.36581435337, -0.455667315379, 0.630420592413, 2.62675246839, 7.35490691149],
     [0.0322007126575, 0.39228498748, 1.30243202547, 1.05070098736, 1.05070098736, 1.05070098736]),
    (nn.SiLU(), [-0.0719448398484, -0.27363828571, -0.127667244957, 0.387393783735, 2.31035454995, 6.99362264164],
     [-0.0526646148911, -0.0412941542991, 0.352219989681, 0.7829268505, 1.09940111134, 1.00546049707]),
    (nn.Softplus(), [0.0181499279178, 0.201413277983, 0.554355244469, 1.03748795049, 2.57888973429, 7.00091146645],
     [0.0179862099621, 0.182425523806, 0.425557483188, 0.645656306226, 0.924141819979, 0.999088948806]),
    (nn.Softplus(2.0, 3.0), [0.000167703186448, 0.0242936757869, 0.218743975243, 0.731641233669, 2.5, 7.0],
     [0.000335350130466, 0.0474258731776, 0.354343693774, 0.768524783499, 1.0, 1.0]),
    (nn.Softshrink(), [-3.5, -1.0, -0.0, 0.1, 2.0, 6.5],
     [1.0, 1.0, 0.0, 1.0, 1.0, 1.0]),
    (nn.Softsign(), [-0.8, -0.6, -0.230769230769, 0.375, 0.714285714286, 0.875],
     [0.04, 0.16, 0.591715976331, 0.390625, 0.0816326530612, 0.015625]),
    (nn.Tanhshrink(), [-3.00067070026, -0.594851746355, -0.00868738754841, 0.062950433002, 1.51338570185, 6.00000166306],
     [0.998659049317, 0.819293361076, 0.0848630381734, 0.288422237413, 0.973407773317, 0.999996673891]),
    (nn.Threshold(0.1, 20.0), [20.0, 20.0, 20.0, 0.6, 2.5, 7.0],
     [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
]  # fmt: skip


def made(values, dtype=tc.float64):
    return tc.tensor(values, dtype=dtype, requires_grad=True)


def gradient(fn, values):
    x = made(values)
    fn(x).sum().backward()
    return x.grad.tolist()


@pytest.mark.parametrize(("module", "values", "slopes"), RECORDED)
def test_recorded(module, values, slopes):
    module = copy.deepcopy(module).double()
    assert module(made(V)).tolist() == pytest.approx(values, rel=1e-11)
    assert gradient(module, V) == pytest.approx(slopes, rel=1e-11)
    check_second_order(module, np.array(V))


@pytest.mark.parametrize(("module", "values", "slopes"), RECORDED)
def test_float32_and_copies(module, values, slopes):
    x = made(V, tc.float32)
    y = pickle.loads(pickle.dumps(module))(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == tc.float32
    assert y.tolist() == pytest.approx(values, rel=1e-5, abs=1e-6)
    assert x.grad.tolist() == pytest.approx(slopes, rel=1e-5, abs=1e-6)


IN_PLACE = [F.relu, F.relu6, F.leaky_relu, F.elu, F.celu, F.selu, F.silu, F.mish, F.hardswish, F.hardsigmoid,
            F.hardtanh, F.rrelu, lambda x, inplace=False: F.threshold(x, 0.1, 3.0, inplace),
            lambda x, inplace=False: F.elu(x, -0.5, inplace),
            lambda x, inplace=False: F.leaky_relu(x, -0.5, inplace)]  # fmt: skip


@pytest.mark.parametrize("fn", IN_PLACE)
def test_in_place_is_the_same_in_the_memory_of_the_input(fn):
    x = made(V)
    hidden = x * 1.0
    y = fn(hidden, inplace=True)
    assert y is hidden
    y.sum().backward()
    assert y.equal(fn(made(V)))
    assert x.grad.tolist() == gradient(fn, V)
    empty = tc.zeros(0, 3)
    assert fn(empty, inplace=True) is empty
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        fn(made(V), inplace=True)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "celu", "selu", "rrelu", "hardtanh"])
def test_functions_with_an_underscore_write(name):
    x = tc.tensor(V)
    y = getattr(F, name + "_")(x)
    assert y is x
    assert y.equal(getattr(F, name)(tc.tensor(V)))
    assert F.threshold_(x, 0.5, 9.0) is x


@pytest.mark.parametrize(
    ("fn", "x", "slopes"),
    [
        (F.relu6, [0.0, 6.0], [0, 0]),
        (F.hardtanh, [-1.0, 1.0], [0, 0]),
        (F.leaky_relu, [0.0], [0.01]),
        (lambda x: F.elu(x, 0.5), [0.0], [0.5]),
        (lambda x: F.elu(x, -0.5), [0.0], [-0.5]),
        (F.hardswish, [-3.0, 3.0], [0, 1]),
        (F.hardsigmoid, [-3.0, 3.0], [0, 0]),
        (F.hardshrink, [-0.5, 0.5], [0, 0]),
        (F.softshrink, [-0.5, 0.5], [0, 0]),
        (lambda x: F.threshold(x, 1.0, 5.0), [1.0], [0]),
        (F.softsign, [0.0], [1]),
    ],
)
def test_kinks(fn, x, slopes):
    assert gradient(fn, x) == slopes


SMOOTH = [F.gelu, lambda x: F.gelu(x, approximate="tanh"), F.silu, F.mish, F.softplus, F.logsigmoid, F.elu,
          F.selu, F.celu, F.sigmoid, F.tanh, F.hardswish]  # fmt: skip


@pytest.mark.parametrize("fn", SMOOTH)
def test_large_values_neither_warn_nor_spoil_gradients(fn):
    far = [1e3, -1e3, 1e10, -1e10, 1e160, -1e160, 1e-300]
    x = made(far)
    y = fn(x)
    y.sum().backward()
    assert np.isfinite(y.detach().numpy()).all()
    near = gradient(fn, [60.0, -60.0])
    np.testing.assert_allclose(x.grad.numpy()[:6], near * 3, atol=1e-20)
    for dtype, most in ((tc.float32, 3e38), (tc.float16, 6e4)):
        values = [most, -most, most / 4, 1e3, -1e3, 100.0, -100.0, 11.5, 6.0, 5.0, -5.0, 0.0]
        x, exact = made(values, dtype), made(values)
        y, wanted = fn(x), fn(exact)
        y.backward(tc.ones_like(x))
        wanted.sum().backward()
        bound = {"rtol": 8 * tc.finfo(dtype).eps, "atol": 8 * tc.finfo(dtype).eps}
        np.testing.assert_allclose(y.detach().numpy(), wanted.detach().numpy(), **bound)
        np.testing.assert_allclose(x.grad.numpy(), exact.grad.numpy(), **bound)


@pytest.mark.parametrize("fn", [F.relu, F.relu6, F.leaky_relu, F.elu, F.gelu, F.silu, F.hardtanh])
def test_a_nan_stays(fn):
    assert fn(made([np.nan])).isnan().item()


def test_fused_ops_save_one_array():
    """Saves x or y, or a byte per element. A composition of ops would save several arrays."""
    x = tc.zeros(8, 8, requires_grad=True)
    for fn in (
        F.gelu,
        F.silu,
        F.mish,
        F.elu,
        F.selu,
        F.hardswish,
        F.softplus,
        F.logsigmoid,
    ):
        node = fn(x * 1.0).grad_fn
        assert sum(a.nbytes for a in node.saved if a is not None) == 8 * 8 * 4
    for fn in (F.leaky_relu, F.relu6):
        node = fn(x * 1.0).grad_fn
        assert sum(a.nbytes for a in node.saved if isinstance(a, np.ndarray)) == 8 * 8


@pytest.mark.parametrize("fn", [F.elu, F.relu6, F.hardtanh, lambda x: x / (x + 5.0)])
def test_the_output_may_be_written_after(fn):
    """`out = F.elu(out)` and then `out += shortcut`, as in residual networks."""
    x = made(V)
    y = fn(x)
    y += 1.0
    y.sum().backward()
    assert x.grad.tolist() == gradient(fn, V)


def test_prelu_has_one_weight_or_one_for_each_channel():
    x = made(-np.ones((2, 3, 2)))
    weight = made([0.1, 0.2, 0.3])
    y = F.prelu(x, weight)
    assert y.detach().numpy()[0].tolist() == [[-0.1] * 2, [-0.2] * 2, [-0.3] * 2]
    y.sum().backward()
    assert weight.grad.tolist() == [-4, -4, -4]
    assert F.prelu(made(-1.0), weight[:1]).shape == ()
    with pytest.raises(RuntimeError, match="Mismatch of parameter numbers and input channel size"):
        F.prelu(x, made([0.1, 0.2]))
    with pytest.raises(RuntimeError, match="Expected `weight` to be a scalar or 1D tensor"):
        F.prelu(x, made([[0.1]]))
    with pytest.raises(RuntimeError, match="Type promoting not supported"):
        F.prelu(x, tc.ones(1))


def test_rrelu_draws_its_slopes_in_training():
    module = nn.RReLU(0.1, 0.3)
    y = -module(-tc.ones(1000)).numpy()
    assert 0.1 <= y.min() < 0.12 < 0.28 < y.max() <= 0.3
    assert module.eval()(-tc.ones(1)).item() == pytest.approx(-0.2)


def test_glu_halves_and_softmax_chooses_an_axis():
    x = made(np.arange(8.0).reshape(2, 4))
    assert F.glu(x).equal(x[:, :2] * x[:, 2:].sigmoid())
    assert F.glu(x, 0).equal(x[:1] * x[1:].sigmoid())
    with pytest.raises(
        RuntimeError, match="Halving dimension must be even, but dimension 0 is size 3"
    ):
        F.glu(tc.ones(3))
    with pytest.raises(RuntimeError, match="glu does not support scalars"):
        F.glu(tc.tensor(1.0))
    for fn, dim in ((F.softmax, 1), (F.log_softmax, 1), (F.softmin, 1)):
        with pytest.warns(UserWarning, match="Implicit dimension choice"):
            assert fn(x).equal(fn(x, dim=dim))
    assert F.softmin(x, 0).allclose(F.softmax(-x, 0))
    assert F.softmax(x, 1, dtype=tc.float32).dtype == tc.float32
    assert nn.Softmax2d()(tc.ones(2, 4, 3, 3)).allclose(tc.full((2, 4, 3, 3), 0.25))
    with pytest.raises(ValueError, match="Softmax2d: expected input to be 3D or 4D"):
        nn.Softmax2d()(x)


def test_gumbel_softmax_is_one_hot_with_a_soft_gradient():
    tc.manual_seed(0)
    logits = made(np.log([[0.1, 0.9]] * 2000))
    y = F.gumbel_softmax(logits, hard=True)
    assert set(y.detach().numpy().round(12).ravel()) == {0.0, 1.0}
    assert y.detach().numpy()[:, 1].mean() == pytest.approx(0.9, abs=0.03)
    (y * tc.tensor([1.0, 2.0])).sum().backward()
    assert (logits.grad != 0).any()
    assert F.gumbel_softmax(logits, tau=0.5).sum(-1).allclose(tc.ones(2000, dtype=tc.float64))


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.ELU(), "ELU(alpha=1.0)"),
        (nn.ELU(0.5, inplace=True), "ELU(alpha=0.5, inplace=True)"),
        (nn.GELU("tanh"), "GELU(approximate='tanh')"),
        (nn.Hardshrink(), "Hardshrink(0.5)"),
        (nn.Softshrink(0.2), "Softshrink(0.2)"),
        (nn.Hardswish(inplace=True), "Hardswish()"),
        (nn.Hardtanh(), "Hardtanh(min_val=-1.0, max_val=1.0)"),
        (nn.PReLU(3), "PReLU(num_parameters=3)"),
        (nn.Softplus(), "Softplus(beta=1.0, threshold=20.0)"),
        (nn.Threshold(0.1, 20), "Threshold(threshold=0.1, value=20)"),
        (nn.SELU(), "SELU()"),
        (nn.Softmax(), "Softmax(dim=None)"),
        (nn.GLU(), "GLU(dim=-1)"),
    ],
)
def test_representations(module, text):
    assert repr(module) == text


def test_the_old_names_of_hardtanhs_bounds_work_and_warn():
    with pytest.warns(FutureWarning, match="`min_value` is deprecated"):
        assert nn.Hardtanh(min_value=-2.0).min_val == -2.0
    with pytest.raises(ValueError, match="max_val must be larger than min_val"):
        nn.Hardtanh(1.0, 0.0)


def test_integers_are_taken_where_pytorch_takes_them():
    whole = tc.arange(-3, 9)
    assert F.relu6(whole).dtype == F.relu(whole).dtype == F.threshold(whole, 1, 2).dtype == tc.int64
    assert F.relu6(whole).tolist() == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6]
    for fn in (F.gelu, F.elu, F.silu, F.leaky_relu, F.softplus, F.hardswish):
        with pytest.raises(NotImplementedError, match="not implemented for torch.int64"):
            fn(whole)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: F.gelu([1.0]),
            TypeError,
            r"gelu\(\): argument 'input' \(position 1\) must be Tensor, not list",
        ),
        (
            lambda: F.relu(3),
            TypeError,
            r"relu\(\): argument 'input' \(position 1\) must be Tensor, not int",
        ),
        (lambda: F.relu(tc.ones(2).bool()), NotImplementedError, "relu"),
        (
            lambda: F.gelu(tc.ones(1), approximate="no"),
            RuntimeError,
            "approximate argument must be",
        ),
        (lambda: F.celu(tc.ones(1), 0), RuntimeError, "ZeroDivisionError: alpha cannot be 0"),
        (
            lambda: F.softshrink(tc.ones(1), -1),
            RuntimeError,
            "lambda must be greater or equal to 0",
        ),
        (
            lambda: F.hardtanh(tc.ones(1), 2, 1),
            ValueError,
            "min_val cannot be greater than max_val",
        ),
        (lambda: F.rrelu(tc.ones(1), 2, 1), RuntimeError, "Lower bound should be less than"),
        (
            lambda: nn.ELU(beta=1),
            TypeError,
            r"ELU.__init__\(\) got an unexpected keyword argument 'beta'",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
