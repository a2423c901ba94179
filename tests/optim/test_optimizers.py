"""Optimizers: against numbers of PyTorch 2.13, against the formulas, and as objects."""

import copy
import inspect
import math
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import example, given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import kernels, nn, optim
from tinygrad_cnn.kernels.vectorized import tuning
from tinygrad_cnn.optim import optimizer as module

# From p = [1, -2, 0.5] with lr = 0.1 and these gradients, the fourth of which is None.
GRADIENTS = [[0.5, -1.0, 2.0], [-0.25, 0.75, 0.0], [1.5, -0.5, -3.0], None, [0.125, 2.0, 1.0]]
RECORDED = [
    ("SGD", {}, [0.8125, -2.125, 0.5]),
    ("SGD", {"weight_decay": 0.3}, [0.70518166, -1.90138582, 0.451111805]),
    ("SGD", {"momentum": 0.9}, [0.5983, -1.96435, 0.2822]),
    ("SGD", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
     [0.59784607708, -1.73142751166, 0.115918292315]),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
     [0.345842654626, -1.87107795675, 0.274367696431]),
    ("SGD", {"momentum": 0.5, "maximize": True, "weight_decay": 0.2},
     [1.16168576, -1.68611152, 0.44903648]),
    ("Adam", {}, [0.747032985223, -1.8953611471, 0.36121324747]),
    ("Adam", {"amsgrad": True}, [0.747032985223, -1.8953611471, 0.361246758763]),
    ("Adam", {"weight_decay": 0.1, "maximize": True},
     [1.20873357149, -2.04074333871, 0.630608988784]),
    ("Adam", {"betas": (0.5, 0.6), "eps": 0.1}, [0.794266758593, -1.96205355553, 0.420684502087]),
    ("AdamW", {}, [0.743458972146, -1.88772084726, 0.359625432539]),
    ("AdamW", {"amsgrad": True, "maximize": True, "weight_decay": 0.3},
     [1.12594157141, -1.86505930253, 0.569442612786]),
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1},
     [0.711799606417, -1.82000254372, 0.345570191625]),
    ("Adamax", {}, [0.805832087333, -1.88938781248, 0.371906324629]),
    ("Adamax", {"betas": (0.5, 0.6), "eps": 0.1, "weight_decay": 0.1, "maximize": True},
     [1.14726862231, -2.00422316739, 0.587470307282]),
    ("NAdam", {}, [0.810506978872, -2.00977813277, 0.448279418952]),
    ("NAdam", {"betas": (0.5, 0.6), "momentum_decay": 0.1, "weight_decay": 0.1},
     [0.760850855395, -1.97275607475, 0.443090357973]),
    ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1, "maximize": True},
     [1.14670257536, -1.90899623247, 0.529658104591]),
    ("RAdam", {}, [0.829880017468, -1.9102117667, 0.26322259646]),
    ("RAdam", {"betas": (0.5, 0.9), "weight_decay": 0.1},
     [0.779732431238, -1.91510346565, 0.374778314667]),
    ("RAdam", {"betas": (0.5, 0.95), "decoupled_weight_decay": True, "weight_decay": 0.1,
               "maximize": True}, [1.14063476952, -1.92643453905, 0.584935900238]),
    ("RMSprop", {}, [-0.5673795045, -2.06057104032, 0.0653325804447]),
    ("RMSprop", {"centered": True, "alpha": 0.9, "eps": 0.01},
     [0.4890575019, -2.01729066126, 0.352537973068]),
    ("RMSprop", {"momentum": 0.9, "centered": True, "weight_decay": 0.1, "alpha": 0.5},
     [0.0527856293872, -1.47339086612, 0.0490275822116]),
    ("RMSprop", {"momentum": 0.5, "maximize": True},
     [3.57465349085, -2.54999880938, 1.39236268413]),
    ("Adagrad", {}, [0.843232112994, -2.00581706795, 0.456478905246]),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 0.1,
                 "weight_decay": 0.1, "maximize": True},
     [1.07831688284, -1.96598700095, 0.53869944058]),
    ("Adadelta", {}, [0.999380362802, -2.0002200382, 0.499894174498]),
    ("Adadelta", {"rho": 0.5, "eps": 0.01, "weight_decay": 0.1, "maximize": True},
     [1.02117145134, -1.98476563893, 0.505703775208]),
]  # fmt: skip
NAMES = sorted({name for name, _, _ in RECORDED})


def run(optimizer, p, gradients=GRADIENTS):
    for g in gradients:
        p.grad = None if g is None else tc.tensor(g, dtype=p.dtype)
        optimizer.step()


@pytest.mark.parametrize(("name", "settings", "wanted"), RECORDED)
@pytest.mark.parametrize("dtype", [tc.float64, tc.float32])
def test_recorded(name, settings, wanted, dtype):
    p = tc.tensor([1.0, -2.0, 0.5], dtype=dtype, requires_grad=True)
    optimizer = getattr(optim, name)([p], lr=0.1, **settings)
    run(optimizer, p)
    assert p.tolist() == pytest.approx(wanted, rel=1e-10 if dtype == tc.float64 else 1e-5)
    assert p.dtype == dtype
    for name, state in optimizer.state[p].items():
        assert state.dtype == (tc.float32 if name in ("step", "mu_product") else dtype)


# --- The formulas, written out on whole arrays ----------------------------------------------------


def sgd(p, g, s, t, *, lr, momentum, dampening, weight_decay, nesterov, maximize):
    g = (-g if maximize else g) + weight_decay * p
    if momentum:
        s["v"] = g if t == 1 else momentum * s["v"] + (1 - dampening) * g
        g = g + momentum * s["v"] if nesterov else s["v"]
    return p - lr * g


def adam(p, g, s, t, *, lr, betas, eps, weight_decay, amsgrad, maximize, decoupled):
    g = -g if maximize else g
    if decoupled:
        p = p - lr * weight_decay * p
    else:
        g = g + weight_decay * p
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g * g
    s["max"] = np.maximum(s.get("max", 0), s["v"])
    v = (s["max"] if amsgrad else s["v"]) / (1 - betas[1] ** t)
    return p - lr * (s["m"] / (1 - betas[0] ** t)) / (np.sqrt(v) + eps)


rates = st.sampled_from([0.0, 0.01, 0.3])
shapes = st.sampled_from([(), (3,), (2, 3), (0, 2), (7, 1, 5), (11, 23)])


@st.composite
def sgd_settings(draw):
    momentum = draw(st.sampled_from([0.0, 0.5, 0.9]))
    nesterov = bool(momentum) and draw(st.booleans())
    return "SGD", sgd, {
        "lr": draw(rates), "momentum": momentum, "weight_decay": draw(rates),
        "dampening": 0.0 if nesterov else draw(rates), "nesterov": nesterov,
        "maximize": draw(st.booleans()),
    }  # fmt: skip


@st.composite
def adam_settings(draw):
    name = draw(st.sampled_from(["Adam", "AdamW"]))
    settings = {
        "lr": draw(rates), "betas": draw(st.sampled_from([(0.9, 0.999), (0.0, 0.5)])),
        "eps": draw(st.sampled_from([1e-8, 1e-2])), "weight_decay": draw(rates),
        "amsgrad": draw(st.booleans()), "maximize": draw(st.booleans()),
    }  # fmt: skip
    return name, lambda *a, **k: adam(*a, **k, decoupled=name == "AdamW"), settings


PLAIN_ADAM = ("Adam", lambda *a, **k: adam(*a, **k, decoupled=False), {
    "lr": 0.1, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.1, "amsgrad": True,
    "maximize": True,
})  # fmt: skip


@example(PLAIN_ADAM, (11, 23), 0, "transposed parameter", 4)
@example(PLAIN_ADAM, (11, 23), 0, "transposed gradient", 4)
@given(st.one_of(sgd_settings(), adam_settings()), shapes, st.integers(0, 2**32),
       st.sampled_from(["plain", "transposed gradient", "transposed parameter"]),
       st.sampled_from([4, 1 << 15]))  # fmt: skip
def test_steps_are_the_formula(settings, shape, seed, layout, block):
    """In any memory layout, and in blocks of any size."""
    name, formula, kwargs = settings
    rng = np.random.default_rng(seed)
    start = np.array(rng.standard_normal(shape))
    p = nn.Parameter(tc.from_numpy(np.array(start, order="F" if "parameter" in layout else "C")))
    optimizer = getattr(optim, name)([p], **kwargs)
    wanted, memory, state = start.copy(), p._array, {}
    before, tuning.UPDATE_BLOCK_ELEMENTS = tuning.UPDATE_BLOCK_ELEMENTS, block
    try:
        for t in range(1, 5):
            g = np.array(rng.standard_normal(shape))
            turned = np.array(g, order="F" if "gradient" in layout else "C")
            p.grad = tc.from_numpy(turned)
            optimizer.step()
            wanted = formula(wanted, g, state, t, **kwargs)
            assert np.array_equal(turned, g), "a step must not change the gradient"
    finally:
        tuning.UPDATE_BLOCK_ELEMENTS = before
    assert p._array is memory
    np.testing.assert_allclose(p.detach().numpy(), wanted, rtol=1e-9, atol=1e-12)


# --- Steps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [
    lambda ps: optim.SGD(ps, lr=0.1, momentum=0.9, weight_decay=0.5),
    lambda ps: optim.AdamW(ps, lr=0.1),
])  # fmt: skip
def test_a_parameter_without_gradient_is_left_alone(make):
    a, b = (nn.Parameter(tc.ones(2)) for _ in range(2))
    optimizer = make([a, b])
    a.grad = tc.ones(2)
    optimizer.step()
    assert b.tolist() == [1.0, 1.0]
    assert b not in optimizer.state
    assert a.tolist() != [1.0, 1.0]


def test_groups_have_their_own_settings():
    a, b = (nn.Parameter(tc.ones(1)) for _ in range(2))
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.5}], lr=0.1)
    c = nn.Parameter(tc.ones(1))
    optimizer.add_param_group({"params": iter([c]), "weight_decay": 1.0})
    for p in (a, b, c):
        p.grad = tc.ones(1)
    optimizer.step()
    assert [p.item() for p in (a, b, c)] == pytest.approx([0.9, 0.5, 0.8])
    optimizer.param_groups[0]["lr"] = 1.0
    optimizer.step()
    assert a.item() == pytest.approx(-0.1)


def test_a_closure_runs_with_gradients_and_its_loss_is_returned():
    p = nn.Parameter(tc.tensor([3.0]))
    optimizer = optim.SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tc.no_grad():
        assert optimizer.step(closure).item() == 9.0
    assert p.item() == 1.5
    assert optimizer.step() is None
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.item() == 0.0


def test_a_gradient_of_another_shape_is_refused():
    p = nn.Parameter(tc.ones(2))
    p.grad = tc.ones(2)
    p.data = tc.ones(3, 2)  # the gradient would broadcast
    with pytest.raises(RuntimeError, match=r"of shape \(3, 2\) has a gradient of shape \(2,\)"):
        optim.SGD([p], lr=0.1).step()


def test_a_graph_that_saved_a_parameter_notices_the_step():
    p = nn.Parameter(tc.ones(2))
    optimizer = optim.SGD([p], lr=0.1)
    y = (p * p).sum()
    p.grad = tc.ones(2)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


@pytest.mark.parametrize(("name", "settings", "_"), RECORDED)
def test_a_step_of_all_parameters_is_one_call_of_a_kernel(name, settings, _, monkeypatch):
    blockwise = pytest.importorskip("tinygrad_cnn.kernels.compiled.blockwise")
    calls, share = [], blockwise.share
    monkeypatch.setattr(
        blockwise, "share", lambda *given, **how: calls.append(given) or share(*given, **how)
    )
    monkeypatch.setattr(kernels, "blockwise", blockwise.blockwise)
    parameters = [tc.ones(shape).requires_grad_() for shape in ((), (3,), (5, 700), (0,), (2, 2))]
    optimizer = getattr(optim, name)(parameters, lr=0.1, **settings)
    for _step in range(3):
        for p in parameters:
            p.grad = tc.ones(p.shape)
        calls.clear()
        optimizer.step()
        assert len(calls) == 1
    assert len({p.flatten()[0].item() for p in parameters if p.numel()}) == 1


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_an_error_in_one_groups_settings_leaves_the_others_whole(name):
    """The collected updates were dropped once, and the next step used the unwritten new state."""

    def stepped(broken):
        ps = [tc.ones(3).requires_grad_() for _ in "ab"]
        how = {"momentum": 0.9} if name == "SGD" else {}
        optimizer = getattr(optim, name)([{"params": [p]} for p in ps], lr=0.1, **how)
        for p in ps:
            p.grad = tc.ones(3)
        if broken:
            optimizer.param_groups[1]["lr"] = None
            with pytest.raises(TypeError):
                optimizer.step()
            optimizer.param_groups[1]["lr"] = 0.1
        else:
            optimizer.step()
        optimizer.step()
        return ps[0].tolist()

    assert stepped(broken=True) == stepped(broken=False)


def test_a_parameter_that_was_resized_is_an_error():
    p = tc.ones(4).requires_grad_()
    optimizer = optim.Adam([p])
    p.grad = tc.ones(4)
    optimizer.step()
    p.data = tc.ones(2000)
    p.grad = tc.ones(2000)
    with pytest.raises(ValueError, match="broadcast"):
        optimizer.step()


@pytest.mark.parametrize(("name", "settings", "_"), RECORDED)
def test_large_parameters_are_gone_through_in_blocks_with_the_same_bits(name, settings, _):
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal((11, 7)), rng.standard_normal((3, 11, 7))
    found = []
    for block in (4, 1 << 15):
        before, tuning.UPDATE_BLOCK_ELEMENTS = tuning.UPDATE_BLOCK_ELEMENTS, block
        try:
            p = tc.tensor(start, requires_grad=True)
            run(getattr(optim, name)([p], lr=0.1, **settings), p, gradients)
        finally:
            tuning.UPDATE_BLOCK_ELEMENTS = before
        found.append(p.detach().numpy())
    assert np.array_equal(*found)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"Adadelta"}))  # this one starts slowly
def test_a_line_is_fitted(name):
    tc.manual_seed(0)
    net, x = nn.Linear(3, 1), tc.randn(64, 3)
    target = (x * tc.tensor([1.0, -2.0, 3.0])).sum(1, keepdim=True) + 0.5
    optimizer = getattr(optim, name)(net.parameters(), lr=1.0 if name == "Adagrad" else 0.1)
    for _ in range(300):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), target)
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-2
    assert net.weight.dtype == tc.float32


# --- State ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "settings", "wanted"), RECORDED)
@pytest.mark.parametrize("stop", range(1, 5))
@pytest.mark.parametrize("twin", ["state", "deepcopy", "pickle"])
def test_stopping_and_going_on_changes_nothing(name, settings, wanted, stop, twin):
    p = tc.tensor([1.0, -2.0, 0.5], dtype=tc.float64, requires_grad=True)
    optimizer = getattr(optim, name)([p], lr=0.1, **settings)
    run(optimizer, p, GRADIENTS[:stop])
    if twin == "state":
        q = p.detach().clone().requires_grad_()
        other = getattr(optim, name)([q], lr=99.0)
        other.load_state_dict(optimizer.state_dict())
    else:
        pair = [p, optimizer]
        q, other = copy.deepcopy(pair) if twin == "deepcopy" else pickle.loads(pickle.dumps(pair))
    run(other, q, GRADIENTS[stop:])
    assert q.tolist() == pytest.approx(wanted, rel=1e-10)
    run(optimizer, p, GRADIENTS[stop:])
    assert p.equal(q), "the two must not share their state"


def test_state_dict_is_laid_out_as_pytorchs():
    a, b = nn.Parameter(tc.ones(2)), nn.Parameter(tc.ones(1))
    optimizer = optim.Adam([{"params": [a]}, {"params": [b], "lr": 0.5}])
    b.grad = tc.ones(1)
    optimizer.step()
    state = optimizer.state_dict()
    assert list(state) == ["state", "param_groups"]
    assert list(state["state"]) == [1]
    assert list(state["state"][1]) == ["step", "exp_avg", "exp_avg_sq"]
    assert state["state"][1]["step"].item() == 1.0
    assert [group["params"] for group in state["param_groups"]] == [[0], [1]]
    assert state["param_groups"][1]["lr"] == 0.5
    assert list(state["param_groups"][0]) == [
        "lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "decoupled_weight_decay",
        "params",
    ]  # fmt: skip
    assert optim.SGD([a]).state_dict() == {
        "state": {},
        "param_groups": [{"lr": 0.001, "momentum": 0, "dampening": 0, "weight_decay": 0,
                          "nesterov": False, "maximize": False, "params": [0]}],
    }  # fmt: skip


def test_a_state_with_plain_steps_and_other_dtypes_loads():
    p = nn.Parameter(tc.zeros(2))
    optimizer = optim.Adam([p], lr=0.1)
    saved = optimizer.state_dict()
    saved["state"] = {0: {"step": 3, "exp_avg": np.ones(2), "exp_avg_sq": tc.ones(2).double()}}
    saved["param_groups"][0]["foreach"] = None  # PyTorch has such settings too
    optimizer.load_state_dict(saved)
    assert (
        optimizer.state[p]["exp_avg"].dtype == optimizer.state[p]["exp_avg_sq"].dtype == tc.float32
    )
    p.grad = tc.ones(2)
    optimizer.step()
    assert optimizer.state[p]["step"].item() == 4.0
    assert saved["state"][0]["exp_avg"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["param_groups"].pop(), "different number of parameter groups"),
        (lambda s: s["param_groups"][0]["params"].append(7), "doesn't match the size"),
        (lambda s: s["state"][0].update(momentum_buffer=tc.ones(5)),
         r"momentum_buffer of shape \(5,\) for a parameter of shape \(2,\)"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_loads_nothing(change, message):
    p = nn.Parameter(tc.ones(2))
    optimizer = optim.SGD([p], lr=0.1, momentum=0.5)
    p.grad = tc.ones(2)
    optimizer.step()
    saved = copy.deepcopy(optimizer.state_dict())
    saved["param_groups"][0]["lr"] = 7.0
    change(saved)
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert optimizer.state[p]["momentum_buffer"].tolist() == [1.0, 1.0]


def test_named_parameters():
    net = nn.Linear(2, 1)
    optimizer = optim.SGD(net.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["params"] == [net.weight, net.bias]
    state = optimizer.state_dict()
    assert state["param_groups"][0]["param_names"] == ["weight", "bias"]
    optimizer.add_param_group({"params": [("extra", nn.Parameter(tc.ones(1)))], "lr": 1.0})
    assert optimizer.param_groups[1]["param_names"] == ["extra"]
    plain = optim.SGD(net.parameters(), lr=0.1)
    del state["param_groups"][0]["param_names"]
    named = optim.SGD(net.named_parameters())
    named.load_state_dict(state)
    assert named.param_groups[0]["param_names"] == ["weight", "bias"]
    for other in (optimizer, plain):
        with pytest.raises(ValueError, match="all optimizer param"):
            other.add_param_group({"params": [("x", nn.Parameter(tc.ones(1))),
                                              nn.Parameter(tc.ones(1))]})  # fmt: skip
    with pytest.raises(ValueError, match="cannot add param group with names"):
        plain.add_param_group({"params": [("x", nn.Parameter(tc.ones(1)))]})
    with pytest.raises(ValueError, match="cannot add param group without names"):
        optimizer.add_param_group({"params": [nn.Parameter(tc.ones(1))]})


def test_adagrad_has_its_sums_from_the_beginning():
    a, b = nn.Parameter(tc.ones(2)), nn.Parameter(tc.ones(1))
    optimizer = optim.Adagrad([a], initial_accumulator_value=0.5)
    assert optimizer.state[a]["sum"].tolist() == [0.5, 0.5]
    optimizer.add_param_group({"params": b, "initial_accumulator_value": 0.25})
    assert b not in optimizer.state
    b.grad = tc.ones(1)
    optimizer.step()
    assert optimizer.state[b]["sum"].tolist() == [1.25]
    assert optimizer.state[a]["step"].item() == 0.0


def test_a_rate_may_be_a_tensor():
    p, rate = nn.Parameter(tc.ones(1)), tc.tensor(0.5)
    optimizer = optim.SGD([p], lr=rate)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    for _ in range(2):
        p.grad = tc.ones(1)
        optimizer.step()
        scheduler.step()
    assert p.item() == 0.25
    assert rate.item() == 0.125
    assert scheduler.get_last_lr() == [0.125]


# --- As objects -----------------------------------------------------------------------------------


def test_text_is_laid_out_as_pytorchs():
    assert repr(optim.SGD([nn.Parameter(tc.ones(1))], lr=0.1)) == (
        "SGD (\n"
        "Parameter Group 0\n"
        "    dampening: 0\n"
        "    lr: 0.1\n"
        "    maximize: False\n"
        "    momentum: 0\n"
        "    nesterov: False\n"
        "    weight_decay: 0\n"
        ")"
    )


P = nn.Parameter(tc.ones(2))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.SGD([]), ValueError, "optimizer got an empty parameter list"),
        (lambda: optim.SGD(P), TypeError, "should be an iterable of Tensors or dicts, but got "
         "Parameter"),
        (lambda: optim.SGD([1]), TypeError, "can only optimize Tensors, but one of the params is "
         "int"),
        (lambda: optim.SGD([P * 2]), ValueError, "can't optimize a non-leaf Tensor"),
        (lambda: optim.SGD([{"params": {P}}]), TypeError, "organized in ordered collections"),
        (lambda: optim.SGD([{"params": [P]}, {"params": [P]}]), ValueError,
         "some parameters appear in more than one parameter group"),
        (lambda: optim.SGD([P]).add_param_group([P]), TypeError, "param_group must be a dict"),
        (lambda: optim.SGD([{"a": 1}]), KeyError, "params"),
        (lambda: optim.SGD([P], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda: optim.SGD([P], lr=math.nan), ValueError, "Invalid learning rate: nan"),
        (lambda: optim.SGD([P], momentum=-1), ValueError, "Invalid momentum value: -1"),
        (lambda: optim.SGD([P], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
        (lambda: optim.SGD([{"params": [P], "lr": -2}]), ValueError, "Invalid learning rate: -2"),
        (lambda: optim.SGD([P], nesterov=True), ValueError,
         "Nesterov momentum requires a momentum and zero dampening"),
        (lambda: optim.SGD([P], momentum=0.9, dampening=0.1, nesterov=True), ValueError,
         "Nesterov momentum requires"),
        (lambda: optim.Adam([P], betas=(1, 0.9)), ValueError,
         "Invalid beta parameter at index 0: 1"),
        (lambda: optim.Adam([P], betas=(0.9, -0.1)), ValueError, "at index 1: -0.1"),
        (lambda: optim.Adam([P], eps=-1), ValueError, "Invalid epsilon value: -1"),
        (lambda: optim.AdamW([P], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda: optim.SGD([P], differentiable=True), NotImplementedError, "differentiable=True"),
        (lambda: optim.Adam([P], fused=True, foreach=True), RuntimeError, "cannot be `True` tog"),
        (lambda: optim.SGD([P], lr=tc.ones(2)), ValueError, "Tensor lr must be 1-element"),
        (lambda: optim.NAdam([P], momentum_decay=-1), ValueError, "Invalid momentum_decay value: -1"),
        (lambda: optim.Adamax([P], betas=(2, 0)), ValueError, "at index 0: 2"),
        (lambda: optim.RAdam([P], eps=-1), ValueError, "Invalid epsilon value: -1"),
        (lambda: optim.RMSprop([P], alpha=-1), ValueError, "Invalid alpha value: -1"),
        (lambda: optim.RMSprop([P], momentum=-1), ValueError, "Invalid momentum value: -1"),
        (lambda: optim.Adagrad([P], lr_decay=-1), ValueError, "Invalid lr_decay value: -1"),
        (lambda: optim.Adagrad([P], initial_accumulator_value=-1), ValueError,
         "Invalid initial_accumulator_value value: -1"),
        (lambda: optim.Adadelta([P], rho=1.5), ValueError, "Invalid rho value: 1.5"),
        (lambda: optim.Adam([P], x=1), TypeError, r"^Adam.__init__\(\) got an unexpected keyword argument 'x'$"),
        (lambda: optim.Optimizer([P], {"lr": module.required}), ValueError,
         "didn't specify a value of required optimization parameter lr"),
        (lambda: optim.Optimizer([P], {}).step(), NotImplementedError, "defines no update"),
    ],
)  # fmt: skip
def test_errors(make, error, message):
    P.grad = tc.ones(2)
    with pytest.raises(error, match=message):
        make()


def test_hints_are_taken_and_duplicates_warned_of():
    optim.AdamW([P], foreach=True, fused=False, capturable=False)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        optim.SGD([P, P])


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop",
                                  "Adagrad", "Adadelta"])  # fmt: skip
def test_hints_are_no_settings_of_the_groups(name):
    parameters = inspect.signature(getattr(optim, name)).parameters
    hints = [n for n in ("foreach", "fused", "capturable") if n in parameters]
    for hint in hints:
        optimizer = getattr(optim, name)([nn.Parameter(tc.ones(1))], **{hint: True})
        assert optimizer.defaults.keys() <= parameters.keys() - {
            *hints,
            "params",
            "differentiable",
        } | {"decoupled_weight_decay"}
    with pytest.raises(NotImplementedError, match=f"^{name}: differentiable=True is not supported"):
        getattr(optim, name)([nn.Parameter(tc.ones(1))], differentiable=True)


def test_an_optimizer_of_ones_own():
    """An optimizer written for PyTorch: `step` loops over the groups, under no_grad."""

    class Sign(optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @tc.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad.sign(), alpha=-group["lr"])
                    self.state[p]["seen"] = self.state[p].get("seen", 0) + 1

    p = nn.Parameter(tc.tensor([1.0, -1.0]))
    optimizer = Sign([p])
    p.grad = tc.tensor([3.0, -2.0])
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
        scheduler.step()
    optimizer.step()
    assert p.tolist() == pytest.approx([0.85, -0.85])
    assert optimizer.state_dict()["state"] == {0: {"seen": 2}}


def test_step_hooks_see_and_change_the_call():
    p = nn.Parameter(tc.ones(1))
    optimizer, seen = optim.SGD([p], lr=0.1), []

    def first(self, args, kwargs):
        assert self is args[0] is optimizer
        seen.append(("pre", len(args), p.item()))
        return args, {"closure": lambda: 7.0}

    before = optimizer.register_step_pre_hook(first)
    after = optimizer.register_step_post_hook(lambda self, args, kwargs: seen.append(p.item()))
    p.grad = tc.ones(1)
    assert optimizer.step() == 7.0
    assert seen == [("pre", 1, 1.0), pytest.approx(0.9)]
    copied = copy.deepcopy([p, optimizer])[1]
    copied.step()
    pickle.dumps(optimizer)
    before.remove()
    after.remove()
    assert optimizer.step() is None
    assert len(seen) == 2, "a copy and a removed hook are quiet"
    optimizer.register_step_pre_hook(lambda *_: 3)
    with pytest.raises(RuntimeError, match=r"SGD.step: a pre-hook must return None or a tuple"):
        optimizer.step()


def test_hooks_of_an_optimizer_of_ones_own_and_of_one_that_calls_its_base():
    class Twice(optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    calls = []
    optimizer = Twice([P], lr=0.1)
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    P.grad = tc.zeros(2)
    optimizer.step()
    assert calls
