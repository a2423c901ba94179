"""The backward pass step by step, on the user's own graph."""

import struct
import zlib

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from visualize.images import BLANK, image
from visualize.steps import MAX_NUMBERS, glance


def test_steps_by_hand():
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    w = tc.tensor([3.0, 4.0], requires_grad=True)
    found = visualize.steps((x * w + x).sum(), names={"x": x, "w": w})
    assert [step.name for step in found] == ["sum", "add", "mul"]
    total, add, mul = found
    assert total.arrives.numbers == (1.0,)
    assert [(name, g.numbers) for _, name, g in total.leaves] == [("x", (1.0, 1.0))]
    assert [(name, g.numbers) for _, name, g in mul.leaves] == [
        ("a", (3.0, 4.0)),
        ("b", (1.0, 2.0)),
    ]
    names = [node.name for node in found.graph.nodes]
    assert {names[at]: g.numbers for at, g in add.filled.items()} == {"x": (1.0, 1.0)}
    assert {names[at]: g.numbers for at, g in mul.filled.items()} == {
        "x": (4.0, 5.0), "w": (1.0, 2.0)
    }  # fmt: skip
    assert x.grad.tolist() == [4.0, 5.0]
    assert w.grad.tolist() == [1.0, 2.0]
    assert len(found) == 3
    assert "mul  2, norm 1.414 [1, 1]" in str(found)


def test_gradients_of_what_was_broadcast_have_its_shape():
    x, b = tc.ones(3, 2, requires_grad=True), tc.ones(2, requires_grad=True)
    found = visualize.steps((x + b).sum(), names={"x": x, "b": b})
    assert [g.shape for _, _, g in found[-1].leaves] == [(3, 2), (2,)]
    assert found[-1].leaves[1][2].numbers == (3.0, 3.0)


def test_one_tensor_used_as_both_inputs():
    w = tc.tensor([3.0], requires_grad=True)
    found = visualize.steps((w * w).sum(), names={"w": w})
    assert found[-1].filled[0].numbers == (6.0,)
    assert w.grad.tolist() == [6.0]


def test_it_is_a_real_backward():
    w = tc.ones(2, requires_grad=True)
    y = (w.exp() * 2).sum()
    visualize.steps(y, retain_graph=True)
    visualize.steps(y)
    np.testing.assert_allclose(w.grad.numpy(), 4 * np.exp([1.0, 1.0]), rtol=1e-6)
    with pytest.raises(RuntimeError, match="second time"):
        visualize.steps(y)
    with pytest.raises(RuntimeError, match="can be implicitly created only for scalar"):
        visualize.steps(w * 2)
    found = visualize.steps(w * 2, gradient=tc.tensor([1.0, 3.0]))
    assert found[0].arrives.numbers == (1.0, 3.0)


def test_a_function_with_two_outputs():
    class Both(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, g, h):
            return g + 2 * h

    w = tc.ones(2, requires_grad=True)
    a, b = Both.apply(w)
    found = visualize.steps((a * b).sum(), names={"w": w})
    assert found[-1].filled[found.graph.nodes.index(found.graph.nodes[0])].numbers == (4.0, 4.0)
    assert found[-1].arrives is None  # the cotangents of two outputs at once


def test_glances():
    assert glance(np.arange(MAX_NUMBERS, dtype=np.float32)).numbers is not None
    large = glance(np.arange(MAX_NUMBERS + 1, dtype=np.float32))
    assert large.numbers is None
    assert large.png.startswith(b"\x89PNG")
    assert large.limit == MAX_NUMBERS
    assert glance(np.zeros((0, 3))).numbers == ()


def pixels(png):
    """The numbers of the colours of an image with 16 of them."""
    at, data, size = 8, b"", None
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            kind + body
        )
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
            assert tuple(body[8:]) == (4, 3, 0, 0, 0)
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(size[1], -1)[:, 1:]
    return np.stack([rows >> 4, rows & 15], axis=-1).reshape(size[1], -1)[:, : size[0]]


def test_images_have_the_right_colours():
    values = np.array([[-2.0, 0.0, 2.0], [np.nan, 0.5, np.inf]])
    png, limit = image(values)
    assert limit == 2.0
    np.testing.assert_array_equal(pixels(png), [[0, 7, 14], [BLANK, 11, BLANK]])


@pytest.mark.parametrize("shape", [(30,), (1, 200), (200, 1), (7, 3, 5), (2, 40, 9, 9), (100, 100)])
def test_images_of_any_shape_are_small(shape):
    png, _ = image(np.random.default_rng(0).normal(size=shape))
    height, width = pixels(png).shape
    assert 1 <= height <= 3 * 29
    assert 1 <= width <= 3 * 29
    assert len(png) < 5000


def test_planes_stand_in_a_grid():
    png, _ = image(np.stack([np.full((2, 2), v) for v in (1.0, -1.0, 0.0)]))
    np.testing.assert_array_equal(
        pixels(png),
        [
            [14, 14, 15, 0, 0],
            [14, 14, 15, 0, 0],
            [15] * 5,
            [7, 7, 15, 15, 15],
            [7, 7, 15, 15, 15],
        ],
    )
