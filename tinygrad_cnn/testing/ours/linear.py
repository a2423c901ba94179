"""Calls and references of the products: matrices, linear layers, contractions."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ..calls import Call
from ..entries import register_strategy
from ..strategies import broadcastable_shapes, generators, shapes
from ..values import Array, separated


def matmul(a: Array, b: Array) -> Array:
    """Σⱼ a[.., i, j] b[.., j, k], one j at a time."""
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    y = np.zeros((*lead, a.shape[-2], b.shape[-1]))
    for j in range(a.shape[-1]):
        y += a[..., :, j, None] * b[..., None, j, :]
    return y


@st.composite
def products(draw: st.DrawFn) -> Call:
    """Matrices whose leading axes broadcast. Any size may be 0."""
    leads = draw(broadcastable_shapes(2, max_dims=2, max_side=3))
    i, j, k = (draw(st.sampled_from([1, 2, 3, 4, 2, 3, 4, 0])) for _ in range(3))
    return Call(tuple(separated(draw(generators()), (*leads[0], i, j), (*leads[1], j, k))))


register_strategy("matmul", products(), linear_in=("a", "b"), reference=matmul)


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Σ_d x[.., d] weight[f, d] + bias[f]"""
    y = (x[..., None, :] * weight).sum(-1)
    return y if bias is None else y + bias


@st.composite
def linears(draw: st.DrawFn) -> Call:
    """x of up to three axes, with and without bias."""
    d, f = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    lead = draw(shapes(0, 2, 0, 4))
    xs = separated(draw(generators()), (*lead, d), (f, d), (f,))
    return Call(tuple(xs[: draw(st.integers(2, 3))]))


register_strategy("linear", linears(), linear_in=("x", "weight", "bias"), reference=linear)


def contract(a: Array, b: Array, of_a: str, of_b: str, of_y: str) -> Array:
    """NumPy's einsum."""
    return np.asarray(np.einsum(f"{of_a},{of_b}->{of_y}", a, b))


@st.composite
def contractions(draw: st.DrawFn) -> Call:
    """Up to five labels. Each is in two or in all three of a, b and y, in any order."""
    kinds = draw(st.lists(st.sampled_from(["ab", "ay", "by", "aby"]), min_size=0, max_size=5))
    size = {label: draw(st.sampled_from([1, 2, 3, 2, 3, 0])) for label in "ijklm"[: len(kinds)]}
    of = {
        name: "".join(
            draw(st.permutations([k for k, kind in zip(size, kinds, strict=True) if name in kind]))
        )
        for name in "aby"
    }
    parts = separated(draw(generators()), *(tuple(size[k] for k in of[name]) for name in "ab"))
    return Call(tuple(parts), {f"of_{name}": labels for name, labels in of.items()})


register_strategy("contract", contractions(), linear_in=("a", "b"), reference=contract)
