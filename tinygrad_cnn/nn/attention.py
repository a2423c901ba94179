"""MultiheadAttention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import creation
from ..functions import transpose
from ..tensor import Tensor
from ..types import Device, DType
from . import functional as F, init
from .layers import NonDynamicallyQuantizableLinear
from .module import Module
from .parameter import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Several scaled dot-product attentions, of learned projections (Vaswani et al. 2017, 3.2.2).

    query (L, N, embed_dim), key (S, N, kdim) and value (S, N, vdim); with `batch_first` N comes
    first; all three may come without N. The call returns

    - the output, with the shape of the query;
    - the attention weights (N, L, S), averaged over the heads. With `average_attn_weights=False` they
      are (N, num_heads, L, S), with `need_weights=False` None.

    A bool mask hides the positions where it is True. A floating-point mask is added to the scores.
    `key_padding_mask` is (N, S), `attn_mask` (L, S) or (N · num_heads, L, S).

    Raises ValueError where num_heads does not divide embed_dim, or a size is not positive.

    >>> attention = tc.nn.MultiheadAttention(8, num_heads=2, batch_first=True)
    >>> x = tc.ones(3, 5, 8)
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 5]))
    """

    embed_dim: int
    num_heads: int
    head_dim: int
    kdim: int
    vdim: int
    dropout: float
    batch_first: bool
    add_zero_attn: bool
    in_proj_weight: Tensor
    q_proj_weight: Tensor
    k_proj_weight: Tensor
    v_proj_weight: Tensor
    in_proj_bias: Tensor
    bias_k: Tensor | None
    bias_v: Tensor | None
    out_proj: NonDynamicallyQuantizableLinear

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Device = None,
        dtype: DType | None = None,
    ):
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
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The output and the weights. `is_causal` says that `attn_mask`, also given, is causal."""
        swapped = self.batch_first and query.ndim == 3
        if swapped:
            same = query is key is value
            query = transpose(query, 0, 1)
            # one Tensor stays one: its three projections are then one product
            key, value = (query, query) if same else (transpose(key, 0, 1), transpose(value, 0, 1))
        y, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight,
            self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn, self.dropout,
            self.out_proj.weight, self.out_proj.bias, self.training, key_padding_mask,
            need_weights, attn_mask, not self._qkv_same_embed_dim, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )  # fmt: skip
        return (transpose(y, 0, 1) if swapped else y), weights


if not TYPE_CHECKING:  # PyTorch's module of this name has these
    from ..compat.missing import not_here as _not_here

    _not_here(globals(), names={"..compat.backends": ("SDPBackend", "sdpa_kernel")})
