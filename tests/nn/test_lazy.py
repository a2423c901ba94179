"""Lazy layers: what they become, their states, and what cannot be done before the first input."""

import copy
import pickle

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn
from tinygrad_cnn.nn.lazy import LazyModuleMixin
from tinygrad_cnn.nn.parameter import is_lazy

LAYERS = {
    "LazyLinear": ((3,), (2, 5), nn.Linear),
    "LazyConv1d": ((3, 2), (2, 5, 4), nn.Conv1d),
    "LazyConv2d": ((3, 2), (2, 5, 4, 4), nn.Conv2d),
    "LazyConv3d": ((3, 2), (2, 5, 3, 3, 3), nn.Conv3d),
    "LazyConvTranspose1d": ((3, 2), (2, 5, 4), nn.ConvTranspose1d),
    "LazyConvTranspose2d": ((3, 2), (2, 5, 4, 4), nn.ConvTranspose2d),
    "LazyConvTranspose3d": ((3, 2), (2, 5, 2, 2, 2), nn.ConvTranspose3d),
    "LazyBatchNorm1d": ((), (2, 5), nn.BatchNorm1d),
    "LazyBatchNorm2d": ((), (2, 5, 2, 2), nn.BatchNorm2d),
    "LazyBatchNorm3d": ((), (2, 5, 2, 2, 2), nn.BatchNorm3d),
    "LazyInstanceNorm1d": ((), (2, 5, 4), nn.InstanceNorm1d),
    "LazyInstanceNorm2d": ((), (2, 5, 2, 2), nn.InstanceNorm2d),
    "LazyInstanceNorm3d": ((), (2, 5, 2, 2, 2), nn.InstanceNorm3d),
}


def made(name):
    """A lazy layer, an input, and the class of the layer that it becomes."""
    args, shape, cls = LAYERS[name]
    return getattr(nn, name)(*args), tc.ones(shape), cls


@pytest.mark.parametrize("name", LAYERS)
def test_the_first_call_makes_it_an_ordinary_layer(name):
    layer, x, cls = made(name)
    parameters = list(layer.parameters())
    assert repr(layer).startswith(name + "(")
    assert layer.has_uninitialized_params()
    y = layer(x)
    assert type(layer) is cls
    assert list(layer.parameters()) == parameters or len(parameters) == len(
        list(layer.parameters())
    )
    assert all(a is b for a, b in zip(layer.parameters(), parameters, strict=True))
    y.sum().backward()
    assert all(p.grad is not None and p.grad.shape == p.shape for p in parameters)
    assert layer(x).shape == y.shape


@pytest.mark.parametrize("name", LAYERS)
def test_it_draws_what_the_ordinary_layer_draws(name):
    layer, x, cls = made(name)
    args = LAYERS[name][0]
    norm = {"affine": True, "track_running_stats": True} if "Norm" in name else {}
    tc.manual_seed(0)
    layer(x)
    tc.manual_seed(0)
    wanted = cls(5, *args, **norm)
    assert str(layer) == str(wanted)
    for key, value in wanted.state_dict().items():
        if "running" not in key and "num_batches" not in key:
            assert tc.equal(layer.state_dict()[key], value), key


@pytest.mark.parametrize("name", LAYERS)
def test_states_copies_and_pickles(name):
    layer, x, cls = made(name)
    state = layer.state_dict()
    again = pickle.loads(pickle.dumps(copy.deepcopy(layer)))
    assert again.has_uninitialized_params()
    assert again.load_state_dict(state).missing_keys == []
    ready = made(name)[0]
    ready(x)
    again.load_state_dict(ready.state_dict())
    assert not again.has_uninitialized_params()
    ready.eval()
    again.eval()
    assert tc.equal(again(x), ready(x))
    assert type(again) is cls
    assert str(again) == str(ready)
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        ready.load_state_dict(state)


def test_an_optimizer_may_be_made_before():
    net = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(1))
    optimizer = tc.optim.Adam(net.parameters(), lr=0.1)
    x = tc.arange(6.0).reshape(3, 2)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = ((net(x) - 1) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_dtypes_move_before_the_first_input():
    layer = nn.LazyLinear(3).double()
    assert layer.weight.dtype == tc.float64
    assert layer(tc.ones(2, 2).double()).dtype == tc.float64
    layer = nn.LazyConv2d(2, 1, dtype=tc.float16)
    layer(tc.ones(1, 1, 2, 2).half())
    assert layer.weight.dtype == tc.float16


def test_what_has_no_shape_has_no_values():
    p = nn.UninitializedParameter()
    for use in (
        lambda: p + 1,
        lambda: p.numel(),
        lambda: len(p),
        lambda: p.sum(),
    ):
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            use()
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        p.shape  # noqa: B018
    assert p.requires_grad
    assert repr(p) == "<UninitializedParameter>"
    assert not nn.UninitializedParameter(requires_grad=False).requires_grad
    with pytest.raises(RuntimeError, match="cuda"):
        nn.UninitializedParameter(device="cuda")


def test_materialize():
    p = nn.UninitializedParameter(dtype=tc.float64)
    p.materialize((2, 3))
    assert type(p) is nn.Parameter
    assert (p.shape, p.dtype, p.is_leaf) == ((2, 3), tc.float64, True)
    (p * 2).sum().backward()
    assert p.grad.tolist() == [[2.0] * 3] * 2
    buffer = nn.UninitializedBuffer()
    assert is_lazy(buffer)
    buffer.materialize([4], dtype=tc.float16)
    assert (type(buffer), buffer.shape, buffer.dtype) == (tc.Tensor, (4,), tc.float16)
    assert not is_lazy(buffer)


def test_a_lazy_layer_of_ones_own():
    class Scale(LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.UninitializedParameter()

        def initialize_parameters(self, x):
            if self.has_uninitialized_params():
                self.scale.materialize(x.shape[-1:])
                nn.init.ones_(self.scale)

        def forward(self, x):
            return x * self.scale

    layer = Scale()
    assert layer(tc.ones(2, 3)).shape == (2, 3)
    assert layer(tc.ones(3)).tolist() == [1.0, 1.0, 1.0]
    assert type(layer) is Scale


def test_a_layer_that_forgets_to_materialize():
    class Nothing(LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.UninitializedParameter()

    with pytest.raises(NotImplementedError, match="initialize_parameters is not implemented for"):
        Nothing()(tc.ones(1))
    Nothing.initialize_parameters = lambda self, x: None
    with pytest.raises(RuntimeError, match="has not been fully initialized"):
        Nothing()(tc.ones(1))


def test_errors_name_the_layer():
    with pytest.raises(TypeError, match=r"^LazyLinear.initialize_parameters\(\) missing"):
        nn.LazyLinear(3)()
    with pytest.raises(TypeError, match=r"^LazyConv2d.__init__\(\) got an unexpected keyword"):
        nn.LazyConv2d(3, 2, in_channels=3)
    with pytest.raises(RuntimeError, match="to LazyConv2d, but got input of size"):
        nn.LazyConv2d(3, 2)(tc.ones(2, 2))


def test_hooks_run_as_ever():
    layer, seen = nn.LazyLinear(2), []
    layer.register_forward_pre_hook(lambda module, args: seen.append(type(module).__name__))
    layer.register_forward_hook(lambda module, args, y: seen.append(tuple(y.shape)))
    layer(tc.ones(4, 3))
    assert seen == ["Linear", (4, 2)]
