"""Methods that take sizes one by one: every form of a call, views, both derivatives, and errors."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp

from .moves import B, X, check_move


@pytest.mark.parametrize(
    ("fn", "formula", "view"),
    [
        (lambda x: x.reshape(4, -1), lambda a: a.reshape(4, 6), True),
        (lambda x: x.view(4, -1), lambda a: a.reshape(4, 6), True),
        (lambda x: x.reshape_as(tc.zeros(6, 4)), lambda a: a.reshape(6, 4), True),
        (lambda x: x.view_as(tc.zeros(6, 4)), lambda a: a.reshape(6, 4), True),
        (lambda x: x[:1, :, :1].squeeze(0, 1, 2), lambda a: a[0, :, 0], True),
        (lambda x: x.permute(2, 0, 1), lambda a: a.transpose(2, 0, 1), True),
        (lambda x: x.split([1, 2], 1)[1], lambda a: a[:, 1:], True),
        (lambda x: x.split(2, -1)[0], lambda a: a[..., :2], True),
        (lambda x: x.flip(0, 2), lambda a: np.flip(a, (0, 2)), False),
        (lambda x: x.repeat(2, 1, 3), lambda a: np.tile(a, (2, 1, 3)), False),
        (lambda x: x.repeat(1, 1, 1), np.copy, False),
        (lambda x: x.tile(2), lambda a: np.tile(a, 2), False),
        (lambda x: x.repeat_interleave(tc.tensor([2, 0, 1]), 1),
         lambda a: np.repeat(a, [2, 0, 1], 1), False),
    ],
)  # fmt: skip
def test_against_numpy(fn, formula, view):
    check_move(fn, formula, view)


@pytest.mark.parametrize("fn", [
    lambda x: x.expand(2, -1, -1, 4),
    lambda x: x.broadcast_to(2, 2, 3, 4),
    lambda x: x.expand_as(tc.zeros(2, 2, 3, 4)),
])  # fmt: skip
def test_broadcasting(fn):
    x = tc.tensor(B[..., :1])
    assert np.shares_memory(fn(x).numpy(), x.numpy())
    np.testing.assert_array_equal(fn(x).numpy(), np.broadcast_to(B[..., :1], (2, 2, 3, 4)))
    check_vjp(fn, B[..., :1].copy())
    check_second_order(fn, B[..., :1].copy())


WAYS = {  # method: keyword, and sizes for a Tensor (3, 4)
    "reshape": ("shape", (2, 6)),
    "view": ("size", (2, 6)),
    "expand": ("size", (2, 3, 4)),
    "broadcast_to": ("size", (2, 3, 4)),
    "repeat": ("repeats", (2, 1)),
    "tile": ("dims", (2, 1)),
    "permute": ("dims", (1, 0)),
    "flip": ("dims", (1, 0)),
    "squeeze": ("dim", (1, 0)),
}


@pytest.mark.parametrize("name", WAYS)
def test_sizes_come_one_by_one_or_as_a_sequence_or_by_name(name):
    keyword, sizes = WAYS[name]
    method = getattr(tc.tensor(X), name)
    wanted = method(*sizes)
    numbers = [np.int64(sizes[0]), *map(tc.tensor, sizes[1:])]  # as valid as integers
    for given in (sizes, list(sizes), tc.zeros(*sizes).shape if name == "reshape" else sizes):
        np.testing.assert_array_equal(method(given).numpy(), wanted.numpy())
        np.testing.assert_array_equal(method(**{keyword: given}).numpy(), wanted.numpy())
    if name != "squeeze":
        np.testing.assert_array_equal(method(*numbers).numpy(), wanted.numpy())
    with pytest.raises(TypeError, match=f"multiple values for argument '{keyword}'"):
        method(*sizes, **{keyword: sizes})


@pytest.mark.parametrize("name", [name for name in WAYS if name != "squeeze"])
def test_sizes_that_are_none(name):
    keyword, sizes = WAYS[name]
    method = getattr(tc.tensor(X), name)
    wrong = {
        f'{name}.. missing .* "{keyword}"': (),
        f"{name}.. argument '{keyword}' must be tuple of ints, not str": ("a",),
        "but found element of type float at pos 0": (2.0, *sizes[1:]),
        "but found element of type tuple at pos 1": (sizes[0], sizes),
        "but found element of type str at pos 1": ([sizes[0], "a"],),
    }
    for message, given in wrong.items():
        with pytest.raises(TypeError, match=message.replace("..", r"\(\):?", 1)):
            method(*given)


def test_squeeze_of_all_or_of_no_axes():
    x = tc.zeros(1, 3, 1)
    assert x.squeeze().shape == x.squeeze(None).shape == (3,)
    assert x.squeeze(()).shape == (1, 3, 1)
    assert x.squeeze(axis=0).shape == (3, 1)


def test_keywords_of_the_others():
    x = tc.tensor(X)
    assert [len(part) for part in x.split(split_size=2, dim=0)] == [2, 1]
    assert x.expand(2, 3, 4, implicit=True).shape == (2, 3, 4)
    assert x.repeat_interleave(repeats=2, dim=1, output_size=8).shape == (3, 8)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.view(tc.float32), NotImplementedError, r"view\(dtype\) is not supported"),
        (
            lambda x: x.view(dtype=tc.float32),
            NotImplementedError,
            r"view\(dtype\) is not supported",
        ),
        (lambda x: x.mT.view_as(x), RuntimeError, "view size is not compatible"),
        (lambda x: x.repeat(2), RuntimeError, "Number of dimensions of repeat dims"),
        (lambda x: x.expand(-1, 3, 4), RuntimeError, "expand: .* cannot be expanded"),
        (lambda x: x.flip(0, 0), RuntimeError, "appears multiple times"),
        (lambda x: x.split([1, 1]), RuntimeError, "split_sizes to sum exactly to 3"),
        (lambda x: x.view_as(2.0), TypeError, "'other' .* must be Tensor, not float"),
        (lambda x: x.reshape_as(2.0), TypeError, "'other' .* must be Tensor, not float"),
        (lambda x: x.expand_as(2.0), TypeError, "'other' .* must be Tensor, not float"),
        (lambda x: x.repeat_interleave(1.5), TypeError, "received an invalid combination"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.tensor(X))
