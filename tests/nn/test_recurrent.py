"""Recurrent layers and cells: what they compute from each other, their parameters, their state."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn
from tinygrad_cnn.nn.utils.rnn import pack_sequence, pad_packed_sequence, unpack_sequence

KINDS = ("RNN", "LSTM", "GRU")
RNG = np.random.default_rng(0)


def normal(*shape, grad=False):
    return tc.tensor(RNG.standard_normal(shape), requires_grad=grad)


def layer(kind, *sizes, **how):
    tc.manual_seed(0)
    return getattr(nn, kind)(*sizes, **how, dtype=tc.float64)


def parts(kind, result):
    """The output, and the last states as a list."""
    y, states = result
    return y, list(states) if kind == "LSTM" else [states]


def near(a, b):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_cell_in_a_loop(kind):
    net, cell = layer(kind, 3, 4), layer(f"{kind}Cell", 3, 4)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in net.state_dict().items()})
    x, hx = normal(5, 2, 3), None
    y, states = parts(kind, net(x))
    for t in range(5):
        hx = cell(x[t], hx)
        near(hx[0] if kind == "LSTM" else hx, y[t])
    for state, last in zip(states, hx if kind == "LSTM" else [hx], strict=True):
        near(state[0], last)


@pytest.mark.parametrize("kind", KINDS)
def test_two_directions_are_two_layers_of_which_one_reads_backwards(kind):
    both, one = layer(kind, 3, 4, bidirectional=True), layer(kind, 3, 4)
    x = normal(5, 2, 3)
    y, states = parts(kind, both(x))
    for k, suffix in enumerate(("", "_reverse")):
        end = f"_l0{suffix}"
        state = {n: v for n, v in both.state_dict().items() if n.endswith(end)}
        one.load_state_dict({n.removesuffix("_reverse"): v for n, v in state.items()})
        z, lasts = parts(kind, one(x.flip(0) if k else x))
        near(y[..., 4 * k : 4 * k + 4], z.flip(0) if k else z)
        for a, b in zip(states, lasts, strict=True):
            near(a[k], b[0])


@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_are_as_each_alone(kind):
    net = layer(kind, 3, 4, num_layers=2, bidirectional=True)
    xs = [normal(n, 3, grad=True) for n in (2, 5, 1, 5)]
    packed, states = parts(kind, net(pack_sequence(xs, enforce_sorted=False)))
    alone = [parts(kind, net(x)) for x in xs]
    for n, (y, (z, lasts)) in enumerate(zip(unpack_sequence(packed), alone, strict=True)):
        near(y, z)
        for a, b in zip(states, lasts, strict=True):
            near(a[:, n], b)
    (packed.data.sum() + sum(s.sum() for s in states)).backward()
    found = [x.grad for x in xs]
    for x in xs:
        x.grad = None
    sum(z.sum() + sum(s.sum() for s in lasts) for z, lasts in alone).backward()
    for x, g in zip(xs, found, strict=True):
        near(g, x.grad)


@pytest.mark.parametrize("kind", KINDS)
def test_states_continue_a_sequence(kind):
    net = layer(kind, 3, 4, num_layers=2)
    x = normal(6, 2, 3)
    whole, _ = net(x)
    first, hx = net(x[:4])
    second, _ = net(x[4:], hx)
    near(whole, tc.cat([first, second]))


def test_sequences_of_one_length_may_be_packed_too():
    net = layer("LSTM", 3, 4)
    x = normal(3, 2, 3)
    packed = nn.utils.rnn.pack_padded_sequence(x, [3, 3])
    y, _ = net(packed)
    near(pad_packed_sequence(y)[0], net(x)[0])


def test_dropout_is_between_layers_and_in_training_alone():
    with pytest.warns(UserWarning, match="expects num_layers greater than 1"):
        nn.LSTM(3, 4, dropout=0.5)
    net, plain = layer("GRU", 3, 50, num_layers=2, dropout=0.5), layer("GRU", 3, 50, num_layers=2)
    plain.load_state_dict(net.state_dict())
    x = normal(4, 2, 3)
    near(net.eval()(x)[0], plain(x)[0])
    y, h = net.train()(x)
    assert not np.allclose(y.detach().numpy(), plain(x)[0].detach().numpy())
    near(h[0], plain(x)[1][0])  # the first layer is as it was
    assert (y.detach().numpy() != 0).all()  # and the output itself is not dropped
    one = layer("GRU", 3, 4, num_layers=2, dropout=1.0)
    near(one(x)[0], one(x * 0)[0])


def test_parameters_start_in_the_interval_of_the_hidden_size():
    net = nn.LSTM(7, 16, num_layers=2)
    for parameter in net.parameters():
        assert parameter.abs().max() <= 0.25
        assert parameter.abs().max() > 0.2
    before = net.weight_hh_l1.detach().clone()
    net.reset_parameters()
    assert not tc.equal(before, net.weight_hh_l1)


def test_all_weights_are_the_parameters_layer_by_layer():
    net = nn.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2)
    assert [id(w) for ws in net.all_weights for w in ws] == [id(p) for p in net.parameters()]
    net.flatten_parameters()
    assert len(net.all_weights) == 4


def test_copies_and_pickles_are_independent():
    net = layer("GRU", 3, 4)
    other, loaded = copy.deepcopy(net), pickle.loads(pickle.dumps(net))
    x = normal(2, 1, 3)
    near(other(x)[0], net(x)[0])
    near(loaded(x)[0], net(x)[0])
    with tc.no_grad():
        other.weight_ih_l0 += 1
    assert not tc.equal(other.weight_ih_l0, net.weight_ih_l0)


def test_a_weight_may_be_replaced_by_a_tensor_for_each_call():
    net = layer("RNN", 3, 4)
    raw = net.weight_hh_l0
    del net.weight_hh_l0
    net.register_parameter("raw", nn.Parameter(raw.detach()))
    net.weight_hh_l0 = net.raw * 0.5
    net(normal(3, 2, 3))[0].sum().backward()
    assert net.raw.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_last_states_are_not_views_of_the_output(kind):
    y, states = parts(kind, layer(kind, 3, 4)(normal(3, 2, 3)))
    kept = y.detach().clone()
    for state in states:
        assert not np.shares_memory(state.detach().numpy(), y.detach().numpy())
        state.detach().zero_()
    near(y, kept)


@pytest.mark.parametrize("kind", [*KINDS, "LSTMCell", "GRUCell"])
def test_results_may_be_overwritten_before_the_backward_pass(kind):
    net, x, found = layer(kind, 3, 4), normal(2, 3, grad=True), []
    for write in (False, True):
        y = net(x)
        results = [y] if isinstance(y, tc.Tensor) else [y[0], *(y[1] if kind == "LSTM" else y[1:])]
        for result in results if write else ():
            result *= 2
        (sum(r.sum() for r in results) * (1 if write else 2)).backward()
        found.append(x.grad)
        x.grad = None
    near(*found)


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_and_no_sequences(kind):
    net = getattr(nn, kind)(3, 4, num_layers=2, bidirectional=True).half()
    y, _ = net(tc.ones(2, 5, 3, dtype=tc.float16))
    assert y.dtype == tc.float16
    y, states = parts(kind, layer(kind, 3, 4)(normal(2, 0, 3)))
    assert y.shape == (2, 0, 4)
    assert all(s.shape == (1, 0, 4) for s in states)


def test_wrong_kinds_of_arguments_are_named():
    with pytest.raises(TypeError, match="LSTM: hx must be a tuple of two Tensors, got Tensor"):
        nn.LSTM(3, 4)(tc.ones(2, 1, 3), tc.ones(1, 1, 4))
    with pytest.raises(TypeError, match="LSTMCell: hx must be a tuple of two Tensors"):
        nn.LSTMCell(3, 4)(tc.ones(1, 3), tc.ones(1, 4))
    with pytest.raises(TypeError, match="GRU: input must be a Tensor or a PackedSequence"):
        nn.GRU(3, 4)([1.0])
    with pytest.raises(RuntimeError, match="RNN: the input has dtype .* initial state"):
        nn.RNN(3, 4)(tc.ones(2, 1, 3), tc.ones(1, 1, 4).double())


def test_it_learns_to_remember_the_first_number():
    tc.manual_seed(3)
    net, head = nn.LSTM(1, 16), nn.Linear(16, 1)
    optimizer = tc.optim.Adam([*net.parameters(), *head.parameters()], lr=0.02)
    x = tc.tensor(RNG.standard_normal((8, 64, 1)).astype(np.float32))
    losses = []
    for _ in range(150):
        _, (h, _) = net(x)
        loss = ((head(h[-1]) - x[0]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
