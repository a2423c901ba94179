"""Attention: softmax(q kᵀ) v, alone, and with several heads and their projections."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ... import functions, ops, random
from ...dtypes import shown
from ...engine import wrap
from ...functions.arguments import optional_tensors
from ...functions.public import body
from ...tensor import Tensor
from .check import floating
from .conv import linear
from .precision import SINGLE, is_narrow

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

_linear = body(linear)


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, *, scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """softmax(query keyᵀ · scale + mask) value. (Vaswani et al. 2017.)

    query (.., L, E), key (.., S, E) and value (.., S, D) give (.., L, D). The leading axes
    broadcast. With `enable_gqa` each head (axis -3) of key and value serves several of query.

    - `attn_mask` broadcasts to (.., L, S). A bool mask lets True places through; a floating-point
      mask is added to the scores. A query that sees no key gives 0.
    - `is_causal` lets query i see the keys up to i.
    - `scale` is 1 / √E by default.
    - `dropout_p` is applied always: give 0 in evaluation.

    Raises RuntimeError for shapes or dtypes that do not fit.

    >>> value = tc.tensor([[0.0], [3.0], [6.0]])
    >>> scaled_dot_product_attention(tc.zeros(1, 2), tc.ones(3, 2), value)
    tensor([[3.]])
    """
    name = "scaled_dot_product_attention"
    floating(name, query=query, key=key, value=value)
    shapes = [x._array.shape for x in (query, key, value)]
    if min(map(len, shapes)) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be at least 2 dimensional, but got shapes {}, "
            "{} and {}".format(*shapes)
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
        if len(shapes[0]) < 3:
            raise RuntimeError(f"{name}: enable_gqa wants query (.., H, L, E), got {shapes[0]}")
        key, value = (_repeated(x, shapes[0][-3]) for x in (key, value))
    long, short = shapes[0][-2], shapes[1][-2]
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError(f"{name}: Explicit attn_mask should not be set when is_causal=True")
        attn_mask = wrap(np.tri(long, short, dtype=bool))
    bias = None
    if attn_mask is not None:
        optional_tensors(name, 4, attn_mask=attn_mask)
        given = attn_mask._array.dtype
        if given != np.bool_ and given != query._array.dtype:
            raise RuntimeError(
                f"Expected attn_mask dtype to be bool or to match query dtype, but got {given} and "
                f"{query.dtype}"
            )
        bias = _additive(attn_mask, ~attn_mask._array if given == np.bool_ else None, query)
    return _attend(query, key, value, bias, dropout_p, scale, safe=True)[0]


def _repeated(x: Any, heads: int) -> Any:
    """x (.., H, S, E) with each head repeated, to (.., heads, S, E)."""
    shape = x._array.shape
    if len(shape) < 3 or heads % shape[-3]:
        raise RuntimeError(f"enable_gqa: {heads} heads of query, shape {shape} of key or value")
    grown = functions.unsqueeze(x, -3)
    grown = grown.expand((*shape[:-2], heads // shape[-3], *shape[-2:]))
    return grown.reshape((*shape[:-3], heads, *shape[-2:]))


def _additive(mask: Any, hidden: Any, query: Any) -> Any:
    """The mask to add to the scores: the mask itself, or −∞ where `hidden` and 0 elsewhere."""
    if hidden is None:
        return mask
    return wrap(np.where(hidden, -np.inf, 0).astype(query._array.dtype))


def _attend(
    q: Any, k: Any, v: Any, bias: Any, dropout_p: float, scale: float | None, safe: bool
) -> tuple[Any, Any]:
    """Output (.., L, D) and weights (.., L, S). `safe`: rows that see no key are 0, not NaN.

    float16 is computed in float32, since scores above 65,504 would be infinite.
    """
    if is_narrow(q):
        dtype = q._array.dtype
        q, k, v = (ops.cast(x, dtype=SINGLE) for x in (q, k, v))
        bias = None if bias is None else ops.cast(bias, dtype=SINGLE)
        y, weights = _attend(q, k, v, bias, dropout_p, scale, safe)
        return ops.cast(y, dtype=dtype), ops.cast(weights, dtype=dtype)
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
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None,
    bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor,
    out_proj_bias: Tensor | None, training: bool = True, key_padding_mask: Tensor | None = None,
    need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """The function of `nn.MultiheadAttention`: query (L, N, E), key and value (S, N, ..).

    Returns the output (L, N, E) and the weights, or None without `need_weights`. The weights are
    (N, L, S), the mean over the heads, or (N, H, L, S) without `average_attn_weights`. Query, key
    and value may come without N, all three; then the results do too.

    `in_proj_weight` (3 E, E) and `in_proj_bias` (3 E,) project query, key and value; with
    `use_separate_proj_weight` the three weights do. `attn_mask` is (L, S) or (N · H, L, S),
    `key_padding_mask` (N, S): bool masks hide True places, floating-point ones are added. `bias_k`,
    `bias_v` and `add_zero_attn` append a learned key and a key of zeros. `is_causal` is a hint,
    which needs the mask too. Raises ValueError or RuntimeError for shapes that do not fit,
    NotImplementedError for `static_k` and `static_v`.

    >>> x, w = tc.ones(3, 1, 2), tc.eye(2)
    >>> y, weights = multi_head_attention_forward(
    ...     x, x, x, 2, 1, tc.cat([w, w, w]), None, None, None, False, 0.0, w, None)
    >>> y.shape, weights.shape
    (torch.Size([3, 1, 2]), torch.Size([1, 3, 3]))
    """
    if static_k is not None or static_v is not None:
        raise NotImplementedError("multi_head_attention_forward: no static_k and static_v")
    name = "multi_head_attention_forward"
    floating(name, query=query, key=key, value=value)
    optional_tensors(name, 6, in_proj_weight=in_proj_weight, in_proj_bias=in_proj_bias,
                     bias_k=bias_k, bias_v=bias_v)  # fmt: skip
    optional_tensors(name, 12, out_proj_weight=out_proj_weight, out_proj_bias=out_proj_bias)
    optional_tensors(name, 15, key_padding_mask=key_padding_mask)
    optional_tensors(name, 17, attn_mask=attn_mask)
    optional_tensors(name, 19, q_proj_weight=q_proj_weight, k_proj_weight=k_proj_weight,
                     v_proj_weight=v_proj_weight)  # fmt: skip
    batched = query._array.ndim == 3
    ndims = [x._array.ndim for x in (query, key, value)]
    if ndims not in ([3, 3, 3], [2, 2, 2]):
        raise ValueError(
            "query should be unbatched 2D or batched 3D tensor, key and value likewise, but "
            "received {}-D, {}-D and {}-D".format(*ndims)
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
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = _projected(query, key, value, in_proj_weight, in_proj_bias, separate)
    extra = 0
    if bias_k is not None and bias_v is not None:
        k, v = (
            functions.cat([x, functions.broadcast_to(b, (1, n, embed))])
            for x, b in ((k, bias_k), (v, bias_v))
        )
        extra += 1
    if add_zero_attn:
        zero = wrap(np.zeros((1, n, embed), k._array.dtype))
        k, v = functions.cat([k, zero]), functions.cat([v, zero])
        extra += 1
    if bias is not None and extra:
        bias = ops.pad(bias, widths=((0, 0), (0, 0), (0, 0), (0, extra)), value=0.0)
    q, k, v = (
        x.reshape((-1, n, num_heads, embed // num_heads)).permute((1, 2, 0, 3)) for x in (q, k, v)
    )  # (N, H, L or S, D)
    y, weights = _attend(q, k, v, bias, dropout_p if training else 0.0, None, safe=not need_weights)
    y = y.permute((2, 0, 1, 3)).reshape((length, n, embed))
    y = _linear(y, out_proj_weight, out_proj_bias)
    if need_weights and average_attn_weights:
        weights = weights.mean(1)
    if not batched:
        y, weights = functions.squeeze(y, 1), functions.squeeze(weights, 0)
    return y, weights if need_weights else None


def _projected(query: Any, key: Any, value: Any, weight: Any, bias: Any, separate: Any) -> Any:
    """Query, key and value through the rows of `weight` (3 E, E), or through `separate` weights."""
    embed = query._array.shape[-1]
    parts = [slice(i * embed, (i + 1) * embed) for i in range(3)]
    if separate is None and query is key is value:  # one product for the three
        projected: Any = _linear(query, weight, bias)
        return [projected[..., part] for part in parts]
    weights = [weight[part] for part in parts] if separate is None else separate
    biases = [None if bias is None else bias[part] for part in parts]
    inputs = (query, key, value)
    return [_linear(x, w, b) for x, w, b in zip(inputs, weights, biases, strict=True)]


def _merged(
    attn_mask: Any, key_padding_mask: Any, n: int, heads: int, length: int, source: int, query: Any
) -> Any:
    """Both masks as one that is added to scores (N, H, L, S); None without masks."""
    found = []
    for name, mask in (("attn_mask", attn_mask), ("key_padding_mask", key_padding_mask)):
        if mask is None:
            continue
        a = mask._array
        if a.dtype.kind not in "bf":
            raise ValueError(
                f"only bool and floating types of {name} are supported, got {shown(a.dtype)}"
            )
        if name == "key_padding_mask":
            wanted: Any = [(n, source)]
        else:
            wanted = [(length, source), (n * heads, length, source)]
        if a.shape not in wanted:
            listed = " or ".join(map(str, wanted))
            raise RuntimeError(f"The shape of the {name} is {a.shape}, but should be {listed}.")
        mask = _additive(mask, a if a.dtype == np.bool_ else None, query)
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
                "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same "
                "type for both instead.",
                stacklevel=3,
            )
        return found[0] + found[1]
    return found[0] if found else None
