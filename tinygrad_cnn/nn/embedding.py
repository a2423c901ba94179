"""Embedding: a table of learned rows."""

from __future__ import annotations

from .. import creation
from ..tensor import Tensor
from ..types import Device, DType
from . import functional as F, init
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding"]


class Embedding(Module):
    """The rows of a table that the input indexes.

    Shape (..) of integers → (.., embedding_dim). The table `weight` (num_embeddings, embedding_dim)
    starts as N(0, 1). The row `padding_idx` starts at 0 and is not trained. With `max_norm`, a row
    whose `norm_type`-norm is larger is scaled down, in place, when it is used. `scale_grad_by_freq`
    divides the gradient of a row by the count of its index in the input.

    Raises ValueError for a padding_idx outside the table. Gradients are dense: with `sparse=True`
    the call raises NotImplementedError.

    >>> tc.nn.Embedding(10, 3)(tc.tensor([[1, 2], [4, 9]])).shape
    torch.Size([2, 2, 3])
    """

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    max_norm: float | None
    norm_type: float
    scale_grad_by_freq: bool
    sparse: bool
    weight: Tensor

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Device = None,
        dtype: DType | None = None,
    ):
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
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An Embedding whose table is the Tensor `embeddings` (rows, columns), on the same memory.

        It is not trained, unless `freeze` is False. Raises ValueError where the table is not 2-D.

        >>> tc.nn.Embedding.from_pretrained(tc.tensor([[1.0, 2.0]]))(tc.tensor([0]))
        tensor([[1., 2.]])
        """
        if embeddings.ndim != 2:
            raise ValueError(f"Embeddings parameter is expected to be 2-D, got {embeddings.shape}")
        rows, columns = embeddings.shape
        return cls(
            rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
            _weight=embeddings, _freeze=freeze,
        )  # fmt: skip

    def reset_parameters(self) -> None:
        """Draw a new table."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    def forward(self, input: Tensor) -> Tensor:
        """The rows that the input indexes."""
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type,
            self.scale_grad_by_freq, self.sparse,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The sizes, and the settings that differ from their defaults."""
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2,
                 "scale_grad_by_freq": False, "sparse": False}  # fmt: skip
        set_ = (f"{k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v)
        return ", ".join([str(self.num_embeddings), str(self.embedding_dim), *set_])
