"""Layers of sequences: embedding, bilinear, and attention of several heads."""

from __future__ import annotations

import math
from typing import Any

from .. import creation
from . import functional as F, init
from .layers import Linear
from .module import Module
from .parameter import Parameter

__all__ = ["Bilinear", "Embedding", "MultiheadAttention"]


class Embedding(Module):
    """The rows of a table (num_embeddings, embedding_dim) that integers (..) number.

    The table `weight` begins as N(0, 1), with the row `padding_idx`, which is not trained, at 0. With
    `max_norm` rows longer than that (by the `norm_type`-norm) are shortened, in place, when they
    are taken. Gradients are dense: `sparse=True` is a NotImplementedError when called. Raises
    ValueError for a padding_idx that is no row.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.Embedding(10, 3)(tc.tensor([[1, 2], [4, 9]])).shape == (2, 2, 3)
    True
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False, _weight: Any = None, _freeze: bool = False, device: Any = None,
        dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"Padding_idx must be within num_embeddings, got {padding_idx}")
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx, self.max_norm, self.norm_type = padding_idx, max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        size = (num_embeddings, embedding_dim)
        if _weight is None:
            table = creation.empty(size, device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        elif tuple(_weight.shape) != size:
            raise ValueError(f"Shape of weight {_weight.shape} does not match {size}")
        else:
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None,
        max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:  # fmt: skip
        """One on the memory of the Tensor `embeddings` (V, D); not trained unless told."""
        if embeddings.ndim != 2:
            raise ValueError(f"Embeddings parameter is expected to be 2-D, got {embeddings.shape}")
        rows, columns = embeddings.shape
        return cls(
            rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
            _weight=embeddings, _freeze=freeze,
        )  # fmt: skip

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    def forward(self, input: Any) -> Any:
        """The rows that the input numbers."""
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq, self.sparse,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not as usual."""
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2,
                 "scale_grad_by_freq": False, "sparse": False}  # fmt: skip
        set_ = (f"{k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v)
        return ", ".join([str(self.num_embeddings), str(self.embedding_dim), *set_])


class Bilinear(Module):
    """y[.., k] = Σᵢⱼ x1[.., i] weight[k, i, j] x2[.., j] + bias[k].

    weight (out, in1, in2) and bias (out,) begin as U(±1 / √in1).
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        given = {"device": device, "dtype": dtype}
        self.weight = Parameter(creation.empty(out_features, in1_features, in2_features, **given))
        self.register_parameter(
            "bias", Parameter(creation.empty(out_features, **given)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        """The bilinear form of each pair, one for each output."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear under the name that PyTorch prints for `out_proj`."""


class MultiheadAttention(Module):
    """Attention of several heads: each a scaled dot product of its own projections of q, k and v.

    query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), or (N, L, ..) with `batch_first`,
    or all without N. Returns the output, of query's shape, and the weights (N, L, S), averaged over
    the heads; (N, H, L, S) with `average_attn_weights=False`; None with `need_weights=False`.

    Masks of bool *hide* what is True, those of floating point are added to the scores:
    `key_padding_mask` (N, S), `attn_mask` (L, S) or (N · heads, L, S). Vaswani et al. 2017, 3.2.2.

    >>> import tinygrad_cnn as tc
    >>> attention = tc.nn.MultiheadAttention(8, num_heads=2, batch_first=True)
    >>> x = tc.ones(3, 5, 8)
    >>> y, weights = attention(x, x, x)
    >>> y.shape == (3, 5, 8), weights.shape == (3, 5, 5)
    (True, True)
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, device: Any = None, dtype: Any = None,
    ):  # fmt: skip
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                f"num_heads={num_heads} instead"
            )
        if embed_dim % num_heads:
            raise ValueError(
                f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}"
            )
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        self._qkv_same_embed_dim = self.kdim == self.vdim == embed_dim

        def made(*shape: int) -> Parameter:
            return Parameter(creation.empty(shape, device=device, dtype=dtype))

        if self._qkv_same_embed_dim:
            self.in_proj_weight = made(3 * embed_dim, embed_dim)
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                self.register_parameter(name, None)
        else:
            self.q_proj_weight = made(embed_dim, embed_dim)
            self.k_proj_weight = made(embed_dim, self.kdim)
            self.v_proj_weight = made(embed_dim, self.vdim)
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", made(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(
            embed_dim, embed_dim, bias=bias, device=device, dtype=dtype
        )
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, made(1, 1, embed_dim) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for name, parameter in self.named_parameters(recurse=False):
            if name.endswith("_weight"):
                init.xavier_uniform_(parameter)
            elif name != "in_proj_bias":
                init.xavier_normal_(parameter)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None,
        need_weights: bool = True, attn_mask: Any = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        """Output and weights. `is_causal` says that attn_mask, which must be given, is causal."""
        swapped = self.batch_first and query.ndim == 3
        if swapped:
            same = query is key is value
            query = query.transpose(0, 1)
            key, value = (
                (query, query) if same else (x.transpose(0, 1) for x in (key, value))
            )  # what is one stays one: then one product projects it
        y, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight,
            self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn, self.dropout,
            self.out_proj.weight, self.out_proj.bias, self.training, key_padding_mask,
            need_weights, attn_mask, not self._qkv_same_embed_dim, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )  # fmt: skip
        return (y.transpose(0, 1) if swapped else y), weights
