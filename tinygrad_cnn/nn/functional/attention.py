"""Attention: softmax(q kᵀ) v, by itself and of several heads with their projections."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ... import functions, ops, random
from ...engine import wrap
from .check import floating, tensors
from .conv import linear

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    """softmax(query keyᵀ · scale + mask) value (Vaswani et al. 2017).

    query (.., L, E), key (.., S, E), value (.., S, D): (.., L, D). The leading axes broadcast, with
    `enable_gqa` each head (axis -3) of key and value serves several of query. `scale` is 1 / √E
    unless told. A mask of bool lets through what is True, one of floating point is added; it
    broadcasts to (.., L, S). `is_causal` lets query i see keys up to i. A query that sees no key
    gives 0. `dropout_p` is applied always: give 0 in evaluation. Raises RuntimeError for shapes or
    types that do not fit.

    >>> import tinygrad_cnn as tc
    >>> scaled_dot_product_attention(tc.zeros(1, 2), tc.ones(3, 2), tc.tensor([[0.0], [3.0], [6.0]]))
    tensor([[3.]])
    """
    name = "scaled_dot_product_attention"
    floating(name, query=query, key=key, value=value)
    shapes = [x._array.shape for x in (query, key, value)]
    if min(map(len, shapes)) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be at least 2 dimensional, but got shapes {}, {} "
            "and {}".format(*shapes)
        )
    if shapes[0][-1] != shapes[1][-1] or shapes[1][-2] != shapes[2][-2]:
        raise RuntimeError(
            f"{name}: expected query (.., L, E), key (.., S, E) and value (.., S, D), got shapes "
            "{}, {} and {}".format(*shapes)
        )
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(
            f"dropout probability has to be between 0 and 1, but got {dropout_p}, in {name}"
        )
    if enable_gqa:
        key, value = (_shared_heads(x, shapes[0][-3]) for x in (key, value))
    long, short = shapes[0][-2], shapes[1][-2]
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError(f"{name}: Explicit attn_mask should not be set when is_causal=True")
        attn_mask = wrap(np.tri(long, short, dtype=bool))
    bias = None
    if attn_mask is not None:
        tensors(name, attn_mask=attn_mask)
        given = attn_mask._array.dtype
        if given != np.bool_ and given != query._array.dtype:
            raise RuntimeError(
                f"Expected attn_mask dtype to be bool or to match query dtype, but got {given} and "
                f"{query._array.dtype}"
            )
        bias = _additive(attn_mask, ~attn_mask._array if given == np.bool_ else None, given, query)
    return _attend(query, key, value, bias, dropout_p, scale, safe=True)[0]


def _shared_heads(x: Any, heads: int) -> Any:
    """x (.., H, S, E) with each head repeated, so that there are `heads`."""
    shape = x._array.shape
    if len(shape) < 3 or heads % shape[-3]:
        raise RuntimeError(f"enable_gqa: {heads} heads of query, shape {shape} of key or value")
    grown = functions.unsqueeze(x, -3)
    grown = grown.expand((*shape[:-2], heads // shape[-3], *shape[-2:]))
    return grown.reshape((*shape[:-3], heads, *shape[-2:]))


def _additive(mask: Any, hidden: Any, given: Any, query: Any) -> Any:
    """A mask as what is added to the scores: −∞ where `hidden`, 0 elsewhere."""
    if hidden is None:
        return mask
    return wrap(np.where(hidden, -np.inf, 0).astype(query._array.dtype))


def _attend(
    q: Any, k: Any, v: Any, bias: Any, dropout_p: float, scale: float | None, safe: bool
) -> tuple[Any, Any]:
    """Output (.., L, D) and weights (.., L, S); `safe`: where all is hidden they are 0, not NaN."""
    scale = 1 / math.sqrt(max(q._array.shape[-1], 1)) if scale is None else scale
    scores = functions.matmul(q * scale, k.transpose(-2, -1))
    if bias is not None:
        scores = scores + bias
        blind = (scores._array == -np.inf).all(-1, keepdims=True) if safe else np.False_
        if blind.any():
            weights = ops.softmax(ops.where(blind, 0.0, scores), dim=-1)
            weights = ops.keep(weights, ~blind)
        else:
            weights = ops.softmax(scores, dim=-1)
    else:
        weights = ops.softmax(scores, dim=-1)
    if dropout_p > 0:
        weights = ops.dropout(weights, p=dropout_p, random=random.source().random)
    return functions.matmul(weights, v), weights


def multi_head_attention_forward(
    query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Any, in_proj_bias: Any, bias_k: Any, bias_v: Any, add_zero_attn: bool,
    dropout_p: float, out_proj_weight: Any, out_proj_bias: Any, training: bool = True,
    key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """What `nn.MultiheadAttention` computes, of query (L, N, E), key and value (S, N, ..).

    Returns the output (L, N, E) and, with `need_weights`, the weights (N, L, S), the mean over the
    heads, or (N, H, L, S) without `average_attn_weights`. Without N in all three it is without N.
    Raises ValueError or RuntimeError for shapes that do not fit.
    """
    if static_k is not None or static_v is not None:
        raise NotImplementedError("multi_head_attention_forward: no static_k and static_v")
    floating("multi_head_attention_forward", query=query, key=key, value=value)
    batched = query._array.ndim == 3
    ndims = [x._array.ndim for x in (query, key, value)]
    if ndims not in ([3, 3, 3], [2, 2, 2]):
        raise ValueError(
            "query should be unbatched 2D or batched 3D tensor, key and value likewise, but received "
            "{}-D, {}-D and {}-D".format(*ndims)
        )
    if not batched:
        query, key, value = (functions.unsqueeze(x, 1) for x in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = functions.unsqueeze(key_padding_mask, 0)
    length, n, embed = query._array.shape
    if embed != embed_dim_to_check:
        raise ValueError(
            f"was expecting embedding dimension of {embed_dim_to_check}, but got {embed}"
        )
    if embed % num_heads:
        raise ValueError(f"embed_dim {embed} not divisible by num_heads {num_heads}")
    shapes = key._array.shape, value._array.shape
    if shapes[0][:2] != shapes[1][:2] or (not use_separate_proj_weight and shapes[0] != shapes[1]):
        raise ValueError("key shape {} does not match value shape {}".format(*shapes))
    if shapes[0][1] != n:
        raise RuntimeError(f"key has a batch of {shapes[0][1]}, query one of {n}")
    if is_causal and attn_mask is None:
        raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
    bias = _merged(attn_mask, key_padding_mask, n, num_heads, length, shapes[0][0], query)

    weights = (q_proj_weight, k_proj_weight, v_proj_weight)
    if not use_separate_proj_weight and query is key is value:
        projected = linear(query, in_proj_weight, in_proj_bias)
        parts = [projected[..., i * embed : (i + 1) * embed] for i in range(3)]
    else:
        if not use_separate_proj_weight:
            weights = tuple(in_proj_weight[i * embed : (i + 1) * embed] for i in range(3))
        biases: Any = [None] * 3
        if in_proj_bias is not None:
            biases = [in_proj_bias[i * embed : (i + 1) * embed] for i in range(3)]
        inputs = (query, key, value)
        parts = [linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True)]
    q, k, v = parts
    extra = 0
    if bias_k is not None and bias_v is not None:
        k, v = (functions.cat([x, b.expand((1, n, embed))]) for x, b in ((k, bias_k), (v, bias_v)))
        extra += 1
    if add_zero_attn:
        zero = wrap(np.zeros((1, n, embed), k._array.dtype))
        k, v = functions.cat([k, zero]), functions.cat([v, zero])
        extra += 1
    if bias is not None and extra:
        bias = ops.pad(bias, widths=((0, 0), (0, 0), (0, 0), (0, extra)), value=0.0)

    heads = [
        x.reshape((-1, n, num_heads, embed // num_heads)).permute(1, 2, 0, 3) for x in (q, k, v)
    ]  # (N, H, L or S, D)
    p = dropout_p if training else 0.0
    q, k, v = heads
    y, shares = _attend(q, k, v, bias, p, None, safe=not need_weights)
    y = y.permute(2, 0, 1, 3).reshape((length, n, embed))
    y = linear(y, out_proj_weight, out_proj_bias)
    if need_weights and average_attn_weights:
        shares = shares.mean(1)
    if not batched:
        y, shares = y.squeeze(1), shares.squeeze(0)
    return y, shares if need_weights else None


def _merged(
    attn_mask: Any, key_padding_mask: Any, n: int, heads: int, length: int, source: int, query: Any
) -> Any:
    """Both masks in one that is added to scores (N, H, L, S); None where there is none."""
    found = []
    for name, mask in (("attn_mask", attn_mask), ("key_padding_mask", key_padding_mask)):
        if mask is None:
            continue
        tensors("multi_head_attention_forward", **{name: mask})
        a = mask._array
        if a.dtype.kind not in "bf":
            raise ValueError(f"only bool and floating types of {name} are supported, got {a.dtype}")
        if name == "key_padding_mask":
            wanted: Any = [(n, source)]
        else:
            wanted = [(length, source), (n * heads, length, source)]
        if a.shape not in wanted:
            shown = " or ".join(map(str, wanted))
            raise RuntimeError(f"The shape of the {name} is {a.shape}, but should be {shown}.")
        mask = _additive(mask, a if a.dtype == np.bool_ else None, a.dtype, query)
        if name == "key_padding_mask":
            mask = mask.reshape((n, 1, 1, source))
        elif a.ndim == 3:
            mask = mask.reshape((n, heads, length, source))
        else:
            mask = mask.reshape((1, 1, length, source))
        found.append(mask)
    if attn_mask is not None and key_padding_mask is not None:
        if attn_mask._array.dtype != key_padding_mask._array.dtype:
            warnings.warn(
                "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type "
                "for both instead.",
                stacklevel=3,
            )
        return found[0] + found[1]
    return found[0] if found else None
