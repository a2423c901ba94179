"""Embedding, and the bilinear layer."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape)


def test_embedding_takes_rows_and_adds_gradients():
    weight = tc.tensor(normal(4, 3), requires_grad=True)
    index = tc.tensor([[1, 3], [1, 1]])
    y = F.embedding(index, weight, padding_idx=-1)
    assert y.detach().numpy().tolist() == weight.detach().numpy()[index.numpy()].tolist()
    (y * tc.tensor([[[1.0], [2.0]], [[3.0], [4.0]]])).sum().backward()
    assert weight.grad.tolist() == [[0] * 3, [8] * 3, [0] * 3, [0] * 3]
    weight.grad = None
    seen = []
    y = F.embedding(index, weight, scale_grad_by_freq=True)
    y.register_hook(lambda g: seen.append(g.numpy().copy()))
    y.sum().backward()
    assert (seen[0] == 1).all()
    np.testing.assert_allclose(weight.grad.numpy(), [[0] * 3, [1] * 3, [0] * 3, [1] * 3])
    assert F.embedding(tc.zeros(0, 2).long(), weight).shape == (0, 2, 3)


def test_rows_longer_than_max_norm_are_shortened_in_place():
    layer = nn.Embedding(3, 2, max_norm=1.0)
    with tc.no_grad():
        layer.weight.copy_(tc.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]]))
    layer(tc.tensor([0, 1, 0]))
    np.testing.assert_allclose(
        layer.weight.detach().numpy(), [[0.6, 0.8], [0.3, 0.4], [6, 8]], rtol=1e-6
    )


def test_embedding_modules():
    layer = nn.Embedding(5, 3, padding_idx=-2)
    assert layer.padding_idx == 3
    assert layer.weight.tolist()[3] == [0, 0, 0]
    assert repr(layer) == "Embedding(5, 3, padding_idx=3)"
    table = tc.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer = nn.Embedding.from_pretrained(table, max_norm=2.0)
    assert repr(layer) == "Embedding(2, 2, max_norm=2.0)"
    assert not layer.weight.requires_grad
    assert np.shares_memory(layer.weight.numpy(), table.numpy())
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: F.embedding(tc.tensor([2]), w), IndexError, "index out of range in self"),
        (lambda w: F.embedding(tc.tensor([-1]), w), IndexError, "index out of range in self"),
        (
            lambda w: F.embedding(tc.tensor([1.0]), w),
            RuntimeError,
            "Expected tensor for argument #1",
        ),
        (lambda w: F.embedding(tc.tensor([1]), w[0]), RuntimeError, "'weight' must be 2-D"),
        (lambda w: F.embedding(tc.tensor([1]), w, 2), ValueError, "Padding_idx must be within"),
        (lambda w: F.embedding(tc.tensor([1]), w, sparse=True), NotImplementedError, "no sparse"),
        (lambda w: nn.Embedding(2, 3, padding_idx=2), ValueError, "Padding_idx must be within"),
        (lambda w: nn.Embedding(2, 2, _weight=w), ValueError, "Shape of weight"),
        (lambda w: nn.Embedding.from_pretrained(w[0]), ValueError, "expected to be 2-D"),
        (lambda w: F.bilinear(w, w, w), RuntimeError, "bilinear"),
        (lambda w: nn.Bilinear(0, 1, 1), ValueError, "in1_features must be > 0"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.ones(2, 3))


def test_bilinear():
    a, b, w, bias = normal(5, 2), normal(5, 3), normal(4, 2, 3), normal(4)
    wanted = np.einsum("ni,kij,nj->nk", a, w, b) + bias
    np.testing.assert_allclose(F.bilinear(*map(tc.tensor, (a, b, w, bias))).numpy(), wanted)
    assert (
        repr(nn.Bilinear(2, 3, 4))
        == "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)"
    )
    assert nn.Bilinear(2, 3, 4)(tc.ones(2), tc.ones(3)).shape == (4,)
