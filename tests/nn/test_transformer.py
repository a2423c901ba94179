"""Transformers: what masks hide, what the layers share, and that they learn."""

import copy
import warnings

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn

RNG = np.random.default_rng(0)
INF = float("inf")


def normal(*shape):
    return tc.tensor(RNG.standard_normal(shape))


def encoder(layers=2, **how):
    tc.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, dtype=tc.float64, **how)
    return nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)


def near(a, b):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), atol=1e-12)


def test_a_causal_mask_hides_what_comes_later():
    net, x = encoder(batch_first=True), normal(2, 5, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=tc.float64)
    whole = net(x, mask=mask)
    near(net(x[:, :3], mask=mask[:3, :3]), whole[:, :3])
    near(net(x, mask=mask, is_causal=True), whole)
    near(net(x, mask=mask == -INF), whole)


def test_hidden_keys_do_not_matter():
    net, x = encoder(batch_first=True), normal(2, 5, 8)
    hidden = tc.tensor([[False] * 3 + [True] * 2] * 2)
    near(net(x, src_key_padding_mask=hidden)[:, :3], net(x[:, :3]))


def test_the_axis_of_the_batch_may_come_first_or_second_or_not_at_all():
    first, second, x = encoder(batch_first=True), encoder(), normal(3, 5, 8)
    near(first(x), second(x.transpose(0, 1)).transpose(0, 1))
    near(second(x[0]), first(x)[0])


def test_layers_are_copies_with_parameters_of_their_own():
    layer = nn.TransformerEncoderLayer(8, 2)
    net = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    a, b = net.layers
    assert tc.equal(a.linear1.weight, b.linear1.weight)
    assert a.linear1.weight is not b.linear1.weight
    assert len({id(p) for p in net.parameters()}) == 2 * len(list(layer.parameters()))


@pytest.mark.parametrize("activation", ["gelu", F.silu, nn.Tanh()])
def test_activations_are_names_functions_or_modules(activation):
    layer = nn.TransformerEncoderLayer(4, 1, 8, 0.0, activation, norm_first=True)
    x = tc.ones(2, 1, 4)
    function = F.gelu if activation == "gelu" else activation
    z = x + layer.self_attn(*[layer.norm1(x)] * 3)[0]
    near(layer(x), z + layer.linear2(function(layer.linear1(layer.norm2(z)))))


def test_dropout_acts_in_training_alone():
    layer = nn.TransformerDecoderLayer(8, 2, 16, 0.5)
    x, memory = tc.ones(3, 2, 8), tc.ones(4, 2, 8)
    assert not tc.equal(layer(x, memory), layer(x, memory))
    layer.eval()
    assert tc.equal(layer(x, memory), layer(x, memory))


def test_masks_of_different_kinds_are_deprecated():
    net = encoder()
    hidden = tc.zeros(2, 5, dtype=tc.bool)
    with pytest.warns(UserWarning, match="mismatched src_key_padding_mask and mask"):
        net(normal(5, 2, 8), mask=tc.zeros(5, 5, dtype=tc.float64), src_key_padding_mask=hidden)


def test_hidden_positions_are_zero_where_pytorch_nests():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    net = nn.TransformerEncoder(layer, 2).eval()
    hidden = tc.tensor([[False, False, True], [False, True, True]])
    x = tc.ones(2, 3, 8)
    with tc.no_grad():
        assert (net(x, src_key_padding_mask=hidden)[hidden] == 0).all()
        assert (net(x, src_key_padding_mask=tc.where(hidden, -INF, 0.0))[hidden] == 0).all()
        assert (net(x, src_key_padding_mask=hidden.flip(1))[hidden.flip(1)] != 0).any()
        net.use_nested_tensor = False
        assert (net(x, src_key_padding_mask=hidden)[hidden] != 0).any()
    net.use_nested_tensor = True
    assert (net(x, src_key_padding_mask=hidden)[hidden] != 0).any()
    assert not nn.TransformerEncoder(layer, 1, enable_nested_tensor=False).use_nested_tensor
    first = nn.TransformerEncoderLayer(8, 2, norm_first=True)
    assert not nn.TransformerEncoder(first, 1).use_nested_tensor


def test_parts_of_ones_own():
    inner = nn.Identity()

    class Decoder(nn.Module):
        def forward(self, tgt, memory, **masks):
            assert set(masks) > {"tgt_mask", "memory_mask"}
            return tgt + memory.mean(0)

    class Encoder(nn.Module):
        def forward(self, src, mask, src_key_padding_mask, is_causal):
            return inner(src)

    net = nn.Transformer(8, 2, custom_encoder=Encoder(), custom_decoder=Decoder())
    near(net(tc.ones(3, 1, 8), tc.zeros(2, 1, 8)), tc.ones(2, 1, 8))


def test_nothing_is_said_where_nothing_is_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = copy.deepcopy(nn.Transformer(8, 2, 1, 1, 16))
    assert str(net).startswith("Transformer(\n  (encoder): TransformerEncoder(")
    assert all(p.ndim == 1 or p.abs().max() <= np.sqrt(6 / 10) for p in net.parameters())


def test_it_learns_to_copy():
    tc.manual_seed(0)
    net = nn.Transformer(16, 2, 1, 1, 32, 0.0, batch_first=True)
    table, head = nn.Embedding(6, 16), nn.Linear(16, 5)
    parameters = [p for m in (net, table, head) for p in m.parameters()]
    optimizer = tc.optim.Adam(parameters, lr=3e-3)
    words = tc.tensor(RNG.integers(0, 5, (32, 4)))
    shifted = tc.cat([tc.full((32, 1), 5), words[:, :-1]], 1)
    place = tc.tensor(RNG.standard_normal((4, 16)).astype(np.float32))
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    losses = []
    for _ in range(60):
        y = head(net(table(words) + place, table(shifted) + place, tgt_mask=mask))
        loss = F.cross_entropy(y.reshape(-1, 5), words.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
