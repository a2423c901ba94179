"""Pickles that ask for memory, depth or time out of proportion to their size."""

import io
import time
import tracemalloc

import pytest

import tinygrad_cnn as tc
from tests.serialization.hostile import (
    PROTOCOL,
    archive,
    call,
    load_watched,
    number,
    text,
)
from tinygrad_cnn.serialization import CheckpointError


def levels(n, first, inner):
    """A pickle of n levels; each refers ten times to the one before, which the memo holds."""
    made = first
    for k in range(n):
        made += b"q%c" % k  # the last level, which stays on the stack
        made += inner(b"h%c" % k * 10)
    return made + b"t."


BOMBS = {
    "lists of the same lists": b"(" + levels(12, b"]K\x01a", lambda items: b"](" + items + b"e"),
    "tuples of the same tuples": b"(" + levels(12, b"K\x01\x85", lambda items: b"(" + items + b"t"),
    "dicts of the same dicts": b"("
    + levels(
        12, b"}", lambda items: b"}(" + b"".join(b"K%c" % k + items[:2] for k in range(10)) + b"u"
    ),
    "a tuple of many tuples as a key": b"}"
    + b"K\x01\x85"
    + b"".join(b"q%ch%c\x86" % (k, k) for k in range(40))
    + b"K\x01s.",
    "a list that contains itself": b"]q\x00h\x00a.",
    "a dict that contains itself": b"}q\x00" + text("x") + b"h\x00s.",
    "a dict in its own attributes": call("collections.OrderedDict")
    + b"q\x00}"
    + text("x")
    + b"h\x00sb.",
    "a list in a tuple in itself": b"]q\x00h\x00\x85a.",
    "200,000 levels of lists": b"]" * 200_000 + b"a" * 199_999 + b".",
    "200,000 levels of tuples": b")" + b"\x85" * 200_000 + b".",
    "a key of 200,000 levels": b"})" + b"\x85" * 200_000 + b"K\x01s.",
    "200,000 marks": b"(" * 200_000 + b".",
    "one text encoded again and again": text("x" * 50_000)
    + b"q\x00("
    + b"".join(call("_codecs.encode", b"h\x00", text("latin1")) for _ in range(500))
    + b"t\x86.",
    "one list made a set again and again": b"]("
    + b"".join(b"M%c%c" % (k % 256, k // 256) for k in range(5000))
    + b"eq\x00("
    + b"".join(call("builtins.set", b"h\x00") for _ in range(500))
    + b"t\x86.",
    "a bytearray of a number": call("builtins.bytearray", number(10**12)) + b".",
    "a range in a set": call("builtins.set", call("builtins.range", number(10**12))) + b".",
    "a range of an OrderedDict": call(
        "collections.OrderedDict", call("builtins.range", number(10**12))
    )
    + b".",
    "a large integer as a key": b"}\x8b\xe8\x03\x00\x00" + b"\x7f" * 1000 + b"K\x01s.",
}


@pytest.mark.parametrize("what", BOMBS)
def test_bombs(what):
    start = time.perf_counter()
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(archive(PROTOCOL + BOMBS[what]))
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    "body",
    [
        b"]" * 100_000,
        b"\x8f" * 100_000,
        b"}" * 100_000,
        b")" * 100_000,
        b"ccollections\nOrderedDict\nq\x00" + b"h\x00)R" * 25_000,
    ],
)
def test_memory_is_in_proportion_to_the_pickle(body):
    data = archive(PROTOCOL + body + b".")
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        tc.load(io.BytesIO(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * len(body)
