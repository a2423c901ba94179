"""Attention, against plain loops and definitions."""

import copy

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn
from tinygrad_cnn.testing import check_second_order, check_vjp

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


def by_rows(q, k, v, hidden=None, added=None, scale=None):
    """Attention in a loop over the queries."""
    y = np.zeros((len(q), v.shape[1]))
    for i, row in enumerate(q):
        seen = [j for j in range(len(k)) if hidden is None or not hidden[i, j]]
        if seen:
            scores = k[seen] @ row * (len(row) ** -0.5 if scale is None else scale)
            scores = scores if added is None else scores + added[i, seen]
            shares = np.exp(scores - scores.max())
            y[i] = shares / shares.sum() @ v[seen]
    return y


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 5), st.integers(1, 3))
def test_scaled_dot_product_attention(seed, length, source, size):
    rng = np.random.default_rng(seed)
    q, k, v = (rng.normal(size=s) for s in ((length, size), (source, size), (source, 2)))
    hidden, added = rng.random((length, source)) < 0.4, rng.normal(size=(length, source))
    tensors = [tc.tensor(a) for a in (q, k, v)]

    def attend(**how):
        return F.scaled_dot_product_attention(*tensors, **how).numpy()

    np.testing.assert_allclose(attend(scale=0.3), by_rows(q, k, v, scale=0.3))
    np.testing.assert_allclose(attend(attn_mask=tc.tensor(~hidden)), by_rows(q, k, v, hidden))
    np.testing.assert_allclose(attend(attn_mask=tc.tensor(added)), by_rows(q, k, v, None, added))
    later = ~np.tri(length, source, dtype=bool)
    np.testing.assert_allclose(attend(is_causal=True), by_rows(q, k, v, later))
    infinite = tc.tensor(np.where(hidden, -np.inf, added))
    np.testing.assert_allclose(attend(attn_mask=infinite), by_rows(q, k, v, hidden, added))


def test_gradients_of_attention():
    mask = tc.tensor(np.array([[True, False, True], [False, False, False]]))

    def attend(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, mask)

    inputs = normal(2, 2, 3), normal(2, 3, 3), normal(2, 3, 4)
    check_vjp(attend, *inputs)
    check_second_order(attend, *inputs)


def test_heads_may_share_keys_and_dropout_is_applied_always():
    q, k = tc.tensor(normal(2, 4, 3, 5)), tc.tensor(normal(2, 2, 6, 5))
    y = F.scaled_dot_product_attention(q, k, k, enable_gqa=True)
    assert y[:, 3].allclose(F.scaled_dot_product_attention(q[:, 3], k[:, 1], k[:, 1]))
    assert (
        F.scaled_dot_product_attention(q, q, q, dropout_p=1.0).tolist()
        == tc.zeros(2, 4, 3, 5).tolist()
    )


@pytest.mark.parametrize(
    ("shapes", "how", "message"),
    [
        ([(3, 4), (5, 3), (5, 2)], {}, "expected query"),
        ([(3, 4), (5, 4), (4, 2)], {}, "expected query"),
        ([(4,), (5, 4), (5, 2)], {}, "at least 2 dimensional"),
        ([(3, 4), (5, 4), (5, 2)], {"dropout_p": 2.0}, "dropout probability has to be between"),
        (
            [(3, 4), (5, 4), (5, 2)],
            {"attn_mask": tc.ones(3, 5), "is_causal": True},
            "Explicit attn",
        ),
        ([(3, 4), (5, 4), (5, 2)], {"attn_mask": tc.ones(3, 5).long()}, "Expected attn_mask dtype"),
        ([(2, 3, 4), (4, 3, 4), (4, 3, 4)], {"enable_gqa": True}, "enable_gqa: 2 heads"),
        ([(3, 4), (4, 3, 4), (4, 3, 4)], {"enable_gqa": True}, "enable_gqa wants query"),
    ],
)
def test_errors_of_attention(shapes, how, message):
    with pytest.raises(RuntimeError, match=message):
        F.scaled_dot_product_attention(*(tc.ones(*s) for s in shapes), **how)


# --- MultiheadAttention -------------------------------------------------------------------------


def twins(**how):
    attention = nn.MultiheadAttention(6, 2, batch_first=True, **how).double()
    return attention, copy.deepcopy(attention)


def test_each_head_attends_by_itself():
    attention, _ = twins()
    x = normal(2, 4, 6)
    w, b = attention.in_proj_weight.detach().numpy(), attention.in_proj_bias.detach().numpy()
    q, k, v = np.split(x @ w.T + b, 3, axis=-1)
    heads = [
        np.stack([by_rows(q[n][:, h], k[n][:, h], v[n][:, h]) for n in range(2)])
        for h in (slice(0, 3), slice(3, 6))
    ]
    wanted = attention.out_proj(tc.tensor(np.concatenate(heads, -1)))
    x = tc.tensor(x)
    y, weights = attention(x, x, x)
    assert y.allclose(wanted)
    assert weights.shape == (2, 4, 4)
    assert weights.sum(-1).allclose(tc.ones(2, 4, dtype=tc.float64))
    y, weights = attention(x, x, x, average_attn_weights=False)
    assert weights.shape == (2, 2, 4, 4)
    y, weights = attention(x, x, x, need_weights=False)
    assert weights is None
    assert y.allclose(wanted)
    assert attention(x[0], x[0], x[0])[0].allclose(wanted[0])


def test_batch_first_is_a_transpose_and_masks_add_up():
    attention, other = twins(add_bias_kv=True, add_zero_attn=True)
    other.batch_first = False
    q, k = tc.tensor(normal(2, 3, 6)), tc.tensor(normal(2, 4, 6))
    causal = tc.tensor(~np.tri(3, 4, dtype=bool))
    padding = tc.tensor(np.array([[False, True, False, False], [False] * 4]))
    y, weights = attention(q, k, k, key_padding_mask=padding, attn_mask=causal)
    swapped = [x.transpose(0, 1) for x in (q, k, k)]
    z, same = other(*swapped, key_padding_mask=padding, attn_mask=causal)
    assert y.allclose(z.transpose(0, 1))
    assert weights.allclose(same)
    assert weights.shape == (2, 3, 6)
    assert (weights.detach().numpy()[0, :, 1] == 0).all()
    assert (weights.detach().numpy()[0, 0, 1:4] == 0).all()
    three = causal.expand(4, 3, 4)
    assert attention(q, k, k, key_padding_mask=padding, attn_mask=three)[0].allclose(y)
    added = tc.tensor(np.where(causal.numpy(), -np.inf, 0.0))
    with pytest.warns(UserWarning, match="mismatched key_padding_mask and attn_mask"):
        assert attention(q, k, k, key_padding_mask=padding, attn_mask=added)[0].allclose(y)


def test_names_and_shapes_of_the_parameters():
    attention = nn.MultiheadAttention(4, 2)
    assert {n: tuple(p.shape) for n, p in attention.named_parameters()} == {
        "in_proj_weight": (12, 4), "in_proj_bias": (12,), "out_proj.weight": (4, 4),
        "out_proj.bias": (4,),
    }  # fmt: skip
    other = nn.MultiheadAttention(4, 2, kdim=3, vdim=5, bias=False, add_bias_kv=True)
    assert list(other.state_dict()) == [
        "q_proj_weight", "k_proj_weight", "v_proj_weight", "bias_k", "bias_v", "out_proj.weight",
    ]  # fmt: skip
    assert other.k_proj_weight.shape == (4, 3)
    assert repr(attention) == (
        "MultiheadAttention(\n  (out_proj): NonDynamicallyQuantizableLinear(in_features=4, "
        "out_features=4, bias=True)\n)"
    )
    assert attention.in_proj_bias.tolist() == [0] * 12


@pytest.mark.parametrize(
    ("inputs", "how", "error", "message"),
    [
        (["3 2 4", "3 2 4", "3 4"], {}, ValueError, "batched 3D"),
        (["3 2 5"] * 3, {}, ValueError, "was expecting embedding dimension of 4, but got 5"),
        (["3 2 4", "3 2 4", "4 2 4"], {}, ValueError, "does not match value shape"),
        (["3 2 4", "3 1 4", "3 1 4"], {}, RuntimeError, "key has a batch of 1"),
        (["3 2 4"] * 3, {"attn_mask": tc.ones(2, 2).bool()}, RuntimeError, "The shape of the attn"),
        (["3 2 4"] * 3, {"attn_mask": tc.ones(3, 3).long()}, ValueError, "only bool and floating"),
        (
            ["3 2 4"] * 3,
            {"key_padding_mask": tc.ones(3, 2)},
            RuntimeError,
            "The shape of the key_p",
        ),
        (["3 2 4"] * 3, {"is_causal": True}, RuntimeError, "Need attn_mask if specifying"),
    ],
)
def test_errors_of_multihead_attention(inputs, how, error, message):
    with pytest.raises(error, match=message):
        nn.MultiheadAttention(4, 2)(*(tc.ones(*map(int, s.split())) for s in inputs), **how)


def test_sizes_that_cannot_be():
    with pytest.raises(ValueError, match="embed_dim must be divisible by num_heads"):
        nn.MultiheadAttention(5, 2)
    with pytest.raises(ValueError, match="must be greater than 0"):
        nn.MultiheadAttention(4, 0)
