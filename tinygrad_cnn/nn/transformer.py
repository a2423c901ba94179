"""The Transformer (Vaswani et al. 2017): its layers, stacks of them, and encoder and decoder."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import creation, functions, ops
from ..engine import grad_mode, wrap
from ..naming import own_methods
from ..tensor import Tensor
from ..types import Device, DType
from . import functional as F, init
from .activations import GELU, ReLU
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .layers import Linear
from .module import Module
from .norm import LayerNorm

__all__ = [
    "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
    "TransformerEncoderLayer",
]  # fmt: skip

Activation = str | Callable[[Tensor], Tensor]


class _Layer(Module):
    """Attention to the input itself, and a network for each position: what both layers have."""

    self_attn: MultiheadAttention
    linear1: Linear
    dropout: Dropout
    linear2: Linear
    norm_first: bool

    def _feed_forward(self, d_model: int, width: int, dropout: float, **how: Any) -> None:
        self.linear1 = Linear(d_model, width, **how)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(width, d_model, **how)

    def _activate_by(self, activation: Activation) -> None:
        self.activation: Any = (
            _get_activation_fn(activation) if isinstance(activation, str) else activation
        )

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _sa_block(self, x: Tensor, mask: Any, padding: Any, is_causal: bool) -> Tensor:
        return _attended(self.self_attn, x, x, mask, padding, is_causal)

    def _block(self, x: Tensor, norm: Module, block: Callable[[Tensor], Tensor]) -> Tensor:
        """x and a block of it, added. It is normalised before the block or after the sum."""
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))


def _attended(
    attention: MultiheadAttention, x: Tensor, to: Tensor, mask: Any, padding: Any, is_causal: bool
) -> Tensor:
    return attention(
        x, to, to, attn_mask=mask, key_padding_mask=padding, need_weights=False,
        is_causal=is_causal,
    )[0]  # fmt: skip


class TransformerEncoderLayer(_Layer):
    """x + attention(x), then x + linear2(activation(linear1(x))), each followed by a LayerNorm.

    With `norm_first` the LayerNorm comes before each of the two instead (Xiong et al. 2020). src is
    (S, N, d_model), (N, S, d_model) with `batch_first`, or (S, d_model), and so is the result.
    `activation` is "relu", "gelu" or a function of one Tensor. Masks are those of
    `MultiheadAttention`. Raises RuntimeError for another activation, and its errors.

    >>> layer = tc.nn.TransformerEncoderLayer(8, nhead=2, batch_first=True)
    >>> layer(tc.ones(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        how: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, batch_first=batch_first, **how
        )
        self._feed_forward(d_model, dim_feedforward, dropout, **how)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, **how)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, **how)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self._activate_by(activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """The encoded sequence. `is_causal` says that `src_mask`, also given, is causal."""
        mask, padding = _additive_masks(
            src, src_mask, "src_mask", src_key_padding_mask, "src_key_padding_mask"
        )
        x = self._block(
            src, self.norm1, lambda x: self.dropout1(self._sa_block(x, mask, padding, is_causal))
        )
        return self._block(x, self.norm2, lambda x: self.dropout2(self._ff_block(x)))


class TransformerDecoderLayer(_Layer):
    """As `TransformerEncoderLayer`, with attention to a memory between the two blocks.

    tgt is (T, N, d_model), (N, T, d_model) with `batch_first`, or (T, d_model), and so is the
    result; memory has the same form, of any length.

    >>> layer = tc.nn.TransformerDecoderLayer(8, nhead=2, batch_first=True)
    >>> layer(tc.ones(3, 5, 8), tc.ones(3, 7, 8)).shape
    torch.Size([3, 5, 8])
    """

    multihead_attn: MultiheadAttention

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        how: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        attention: dict[str, Any] = {"dropout": dropout, "batch_first": batch_first, **how}
        self.self_attn = MultiheadAttention(d_model, nhead, **attention)
        self.multihead_attn = MultiheadAttention(d_model, nhead, **attention)
        self._feed_forward(d_model, dim_feedforward, dropout, **how)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, **how)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, **how)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, **how)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self._activate_by(activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoded sequence. The masks of tgt and of memory serve their own attention."""

        def to_itself(x: Tensor) -> Tensor:
            return self.dropout1(self._sa_block(x, tgt_mask, tgt_key_padding_mask, tgt_is_causal))

        def to_memory(x: Tensor) -> Tensor:
            masks = memory_mask, memory_key_padding_mask, memory_is_causal
            return self.dropout2(_attended(self.multihead_attn, x, memory, *masks))

        x = self._block(tgt, self.norm1, to_itself)
        x = self._block(x, self.norm2, to_memory)
        return self._block(x, self.norm3, lambda x: self.dropout3(self._ff_block(x)))


class _Stack(Module):
    layers: Any
    num_layers: int
    norm: Any

    def __init__(self, layer: Module, num_layers: int, norm: Module | None):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def _normed(self, x: Tensor) -> Tensor:
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """`num_layers` copies of a `TransformerEncoderLayer`, one after the other, and perhaps a norm.

    All copies start with the same parameters. src and the result have the form of the layer's.

    Padding: a call without gradients, in evaluation, with a `src_key_padding_mask` and no mask,
    gives 0 at the hidden positions (before the norm), as PyTorch's nested tensors do. It does so
    for the layers that PyTorch has them for: `use_nested_tensor` says whether.

    >>> layer = tc.nn.TransformerEncoderLayer(8, nhead=2, batch_first=True)
    >>> tc.nn.TransformerEncoder(layer, num_layers=2)(tc.ones(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        encoder_layer: TransformerEncoderLayer,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ):
        super().__init__(encoder_layer, num_layers, norm)
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check
        self.use_nested_tensor = enable_nested_tensor and _is_plain(encoder_layer)

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """The encoded sequence. Without `is_causal`, the mask itself shows whether it is causal."""
        hidden = self._blanked(src, mask, src_key_padding_mask)
        added, padding = _additive_masks(
            src, mask, "mask", src_key_padding_mask, "src_key_padding_mask"
        )
        causal = _is_causal(added, is_causal, src, self.layers[0])
        x = src
        for layer in self.layers:
            x = layer(x, src_mask=added, is_causal=causal, src_key_padding_mask=padding)
        return self._normed(x if hidden is None else ops.keep(x, ~hidden[:, :, None]))

    def _blanked(self, src: Any, mask: Any, padding: Any) -> Any:
        """The hidden positions (N, S) if they are to be 0, else None."""
        if not self.use_nested_tensor or mask is not None or padding is None or src.ndim != 3:
            return None
        first = self.layers[0]
        recorded = grad_mode.enabled and any(x.requires_grad for x in (src, *first.parameters()))
        if first.training or recorded:
            return None
        hidden = padding._array
        hidden = hidden if hidden.dtype == np.bool_ else hidden != 0
        return None if self.mask_check and (hidden[:, :-1] & ~hidden[:, 1:]).any() else hidden


def _is_plain(layer: Any) -> bool:
    """Whether PyTorch has a fast path for stacks of this layer in evaluation."""
    return (
        isinstance(layer, TransformerEncoderLayer)
        and not layer.norm_first
        and layer.self_attn.batch_first
        and layer.self_attn._qkv_same_embed_dim
        and layer.self_attn.in_proj_bias is not None
        and (layer.activation in (F.relu, F.gelu) or isinstance(layer.activation, (ReLU, GELU)))
        and layer.norm1.eps == layer.norm2.eps
        and layer.self_attn.num_heads % 2 == 0
    )


class TransformerDecoder(_Stack):
    """`num_layers` copies of a `TransformerDecoderLayer`, one after the other, and perhaps a norm.

    All copies start with the same parameters, and attend to the same memory.

    >>> layer = tc.nn.TransformerDecoderLayer(8, nhead=2, batch_first=True)
    >>> tc.nn.TransformerDecoder(layer, num_layers=2)(tc.ones(3, 5, 8), tc.ones(3, 7, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(
        self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None
    ):
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoded sequence. Without `tgt_is_causal`, `tgt_mask` shows whether it is causal."""
        causal = _is_causal(tgt_mask, tgt_is_causal, tgt, self.layers[0])
        x = tgt
        for layer in self.layers:
            x = layer(
                x, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return self._normed(x)


class Transformer(Module):
    """An encoder of src, and a decoder of tgt that attends to the encoded sequence.

    src (S, N, d_model) and tgt (T, N, d_model) give (T, N, d_model); with `batch_first` N comes
    first, and all may come without N. Both stacks end with a LayerNorm. All weights start by
    Xavier's uniform initialisation. `custom_encoder` and `custom_decoder` replace the stacks.
    Raises RuntimeError for sizes that do not fit.

    >>> net = tc.nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> net(tc.ones(3, 5, 8), tc.ones(3, 4, 8)).shape
    torch.Size([3, 4, 8])
    """

    encoder: Any
    decoder: Any

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any | None = None,
        custom_decoder: Any | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Device = None,
        dtype: DType | None = None,
    ):
        super().__init__()
        of_layers: Any = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
            norm_first, bias, device, dtype,
        )  # fmt: skip
        how: dict[str, Any] = {
            "eps": layer_norm_eps, "bias": bias, "device": device, "dtype": dtype
        }  # fmt: skip
        if custom_encoder is None:
            layer = TransformerEncoderLayer(*of_layers)
            custom_encoder = TransformerEncoder(
                layer, num_encoder_layers, LayerNorm(d_model, **how)
            )
        self.encoder = custom_encoder
        if custom_decoder is None:
            other = TransformerDecoderLayer(*of_layers)
            custom_decoder = TransformerDecoder(
                other, num_decoder_layers, LayerNorm(d_model, **how)
            )
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """The decoded sequence. Masks are those of `MultiheadAttention`, of src, tgt and memory."""
        axis = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[axis] != tgt.shape[axis]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: Device = None, dtype: DType | None = None
    ) -> Tensor:
        """The causal mask (sz, sz): −∞ above the diagonal, 0 elsewhere.

        >>> tc.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        whole = creation.full((sz, sz), -np.inf, dtype=dtype, device=device)
        return functions.triu(whole, diagonal=1)


def _get_activation_fn(activation: str) -> Callable[[Tensor], Tensor]:
    """The function of that name. RuntimeError for another name than "relu" and "gelu"."""
    known: dict[str, Any] = {"relu": F.relu, "gelu": F.gelu}
    if activation not in known:
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return known[activation]


def _additive_masks(src: Any, mask: Any, mask_name: str, padding: Any, padding_name: str) -> Any:
    """A mask and a padding mask, as numbers that are added to the scores. Either may be None.

    RuntimeError for masks of integers. Masks of different dtypes are deprecated.
    """
    given = {mask_name: mask, padding_name: padding}
    for name, m in given.items():
        if m is not None and m._array.dtype.kind not in "bf":
            raise RuntimeError(f"only bool and floating types of {name} are supported")
    if mask is not None and padding is not None and mask._array.dtype != padding._array.dtype:
        warnings.warn(
            f"Support for mismatched {padding_name} and {mask_name} is deprecated. Use same type for "
            "both instead.",
            stacklevel=4,
        )

    def added(m: Any) -> Any:
        if m is None or m._array.dtype != np.bool_:
            return m
        return wrap(np.where(m._array, -np.inf, 0).astype(src._array.dtype))

    return added(mask), added(padding)


def _is_causal(mask: Any, given: bool | None, x: Any, layer: Any) -> bool:
    """What the caller says, or else whether the mask is that of a causal attention."""
    if given is not None or mask is None:
        return given is True
    size = x.shape[1 if x.ndim == 3 and layer.self_attn.batch_first else 0]
    causal = np.triu(np.full((size, size), -np.inf), 1)
    return mask._array.shape == causal.shape and bool((mask._array == causal).all())


own_methods(globals())
