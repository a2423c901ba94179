"""Pickles made to do harm: each is one CheckpointError, and runs nothing."""

import argparse
import contextlib
import functools
import io
import pickle
import sys
import time
import tracemalloc
import types
from collections import OrderedDict, defaultdict
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tests.serialization.hostile import (
    PROTOCOL,
    archive,
    call,
    elements,
    legacy,
    name,
    number,
    storage,
    tensor,
    text,
    tuple_of,
)
from tests.serialization.values import alike, nests, through
from tinygrad_cnn.serialization import CheckpointError, safe_globals

ONE = [("data/0", elements(1.0))]  # a storage of one element
FORMS = {
    "archive": lambda body, records: archive(PROTOCOL + body, records),
    "old": lambda body, records: legacy(
        body, b"]" + text("0") + b"a.", number_of_elements(records)
    ),
}


def number_of_elements(records):
    return b"".join((len(data) // 4).to_bytes(8, "little") + data for _, data in records)


# --- Nothing runs ---------------------------------------------------------------------------------

EVENTS = []  # what Python's audit hook saw, while a list is there
WATCHED = ("exec", "compile", "import", "os.", "subprocess.", "socket.", "shutil.", "ctypes.",
           "object.__getattr__", "object.__setattr__", "pickle.find_class", "builtins.input")  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _audit():
    watching = [True]

    def hook(event, args):
        if watching and EVENTS and event.startswith(WATCHED):
            EVENTS.append((event, args))

    sys.addaudithook(hook)
    yield
    watching.clear()


def load_watched(data):
    """`load`; asserts that Python runs, imports and opens nothing on its account."""
    EVENTS.append("start")
    try:
        return tc.load(io.BytesIO(data))
    finally:
        seen = EVENTS[1:]
        EVENTS.clear()
        assert seen == []


def test_the_audit_sees_what_pickle_would_run():
    class Harm:
        def __reduce__(self):
            return exec, ("pass",)

    EVENTS.append("start")
    pickle.loads(pickle.dumps(Harm()))
    events = {event for event, _ in EVENTS[1:]}
    EVENTS.clear()
    assert "exec" in events


# --- Calls of functions ---------------------------------------------------------------------------

SYSTEM = call("os.system", text("echo harm"))
CALLS = {
    "os.system": SYSTEM,
    "posix.system": call("posix.system", text("echo harm")),
    "eval": call("builtins.eval", text("1")),
    "eval, as Python 2 names it": call("__builtin__.eval", text("1")),
    "exec": call("builtins.exec", text("pass")),
    "import": call("builtins.__import__", text("os")),
    "open": call("builtins.open", text("/tmp/harm"), text("w")),
    "getattr": call("builtins.getattr", name("collections.OrderedDict"), text("__init__")),
    "a chain of getattr": call(
        "builtins.getattr", call("builtins.getattr", name("torch.Size"), text("__class__")),
        text("__subclasses__"),
    ),
    "subprocess": call("subprocess.Popen", text("true")),
    "operator": call("operator.attrgetter", text("system")),
    "functools.partial": call("functools.partial", name("torch.Size")),
    "a module by its path": call("tinygrad_cnn.serialization.checkpoint.os.system", text("true")),
    "a dotted name": b"cos\npath.join\n" + tuple_of(text("a")) + b"R",
    "type": call("builtins.type", text("X"), b")", b"}"),
    "object": call("builtins.object"),
    "list": call("builtins.list", b"]"),
    "torch.load": call("torch.load", text("x")),
    "torch.hub.load": call("torch.hub.load", text("x"), text("y")),
    "torch.storage._load_from_bytes": call("torch.storage._load_from_bytes", text("x")),
    "numpy.load": call("numpy.load", text("x")),
    "numpy.core functions": call("numpy.core.multiarray.fromfile", text("x")),
    "numpy's exec": call("numpy.testing._private.utils.runstring", text("1"), b"}"),
    "codecs.decode": call("_codecs.decode", text("x"), text("zip")),
    "an encoding that inflates": call("_codecs.encode", text("x"), text("bz2")),
    "copyreg": call("copyreg._reconstructor", name("torch.Size"), name("builtins.object"), b"N"),
    "copyreg.__newobj__": call("copyreg.__newobj__", name("torch.Size")),
    "the name of a name": b"X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93" + tuple_of(text("a")) + b"R",
    "a name by objects": b"]]\x93)R",
    "a text": text("os.system") + tuple_of(text("a")) + b"R",
    "a number": b"K\x01)R",
    "a tensor": tensor() + b")R",
    "a dtype": name("torch.float32") + b")R",
    "a class of storages": call("torch.FloatStorage", number(2)),
    "a tensor class": call("torch.Tensor", number(2)),
    "args that are a list": name("collections.OrderedDict") + b"]R",
    "args that are a dict": name("collections.OrderedDict") + b"}R",
    "too many args": call("torch.Size", b")", b")", b")"),
    "hooks of a tensor are ignored": call(
        "torch._utils._rebuild_tensor_v2", storage(), b"K\x00", b")", b")", b"\x88", SYSTEM
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("what", CALLS)
def test_calls(what, form):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(FORMS[form](CALLS[what] + b".", ONE))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("code", [b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch.nn.modules.linear\nLinear\n",
                                  b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n",
                                  b"cnumpy\nndarray\n", b"cbuiltins\nlist\n", storage()])  # fmt: skip
def test_a_name_alone_is_no_value(code, form):
    for body in (code, b"]" + code + b"a", b"}" + text("x") + code + b"s", b"(" + code + b"t"):
        with pytest.raises(CheckpointError, match=r"^the file: is "):
            load_watched(FORMS[form](body + b".", ONE))


# --- Objects and their state ----------------------------------------------------------------------

STATES = {
    "INST": b"(ios\nsystem\n",
    "INST of an allowed name": b"(icollections\nOrderedDict\n",
    "OBJ": b"(" + name("collections.OrderedDict") + b"o",
    "NEWOBJ": name("builtins.object") + b")\x81",
    "NEWOBJ of a module's class": name("torch.nn.modules.linear.Linear") + b")\x81",
    "NEWOBJ of NumPy's class": name("numpy.ndarray") + tuple_of(number(10**12)) + b"\x81",
    "NEWOBJ of a text": text("x") + b")\x81",
    "NEWOBJ_EX": name("collections.OrderedDict") + b")}\x92",
    "EXT1": b"\x82\x01",
    "EXT2": b"\x83\x01\x00",
    "EXT4": b"\x84\x01\x00\x00\x00",
    "PERSID": b"Pstorage\n",
    "POP": b"K\x01K\x020",
    "POP_MARK": b"K\x01(1",
    "DUP": b"]2",
    "NEXT_BUFFER": b"\x97",
    "READONLY_BUFFER": b"]\x98",
    "an unknown instruction": b"\xff",
    "BUILD of a dict": b"}}b",
    "BUILD of a list": b"]}b",
    "BUILD of a function": name("collections.OrderedDict") + b"}" + text("call") + text("x") + b"sb",
    "BUILD of a Tensor": tensor() + b"}" + text("_array") + b"Nsb",
    "BUILD of a Tensor by set_": tensor() + tuple_of(storage(), number(0), b")", b")") + b"b",
    "BUILD of a dtype of torch": name("torch.float32") + tuple_of(b"K\x03", text(">")) + b"b",
    "BUILD of a class": name("numpy.ndarray") + b"}b",
    "BUILD of an OrderedDict with a tuple": call("collections.OrderedDict") + b")b",
    "BUILD of an OrderedDict's class": call("collections.OrderedDict") + b"}" + text("__class__") + b"Nsb",
    "BUILD of an OrderedDict with numbers": call("collections.OrderedDict") + b"}K\x01K\x01sb",
    "attributes of a Tensor": call(
        "torch._tensor._rebuild_from_type_v2", name("torch._utils._rebuild_tensor_v2"),
        name("torch.Tensor"), b")", b"}",
    ),
    "a Tensor by another function": call(
        "torch._tensor._rebuild_from_type_v2", name("torch.Size"), name("torch.Tensor"), b")", b"}"
    ),
    "a subclass of Tensor": call(
        "torch._tensor._rebuild_from_type_v2", name("torch._utils._rebuild_tensor_v2"),
        name("torch.Size"), b")", b"}",
    ),
    "APPEND to a tuple": b")K\x01a",
    "APPEND to a set": b"\x8fK\x01a",
    "APPENDS to a dict": b"}(K\x01K\x02e",
    "SETITEM of a list": b"]K\x00K\x01s",
    "SETITEMS of a Tensor": tensor() + b"(K\x00K\x01u",
    "SETITEMS with a key and no value": b"}(K\x01u",
    "ADDITEMS to a list": b"](K\x01\x90",
    "a list as a key": b"}]K\x01s",
    "a Namespace of a list": call("argparse.Namespace", b"]"),
    "a Namespace of texts": name("argparse.Namespace") + tuple_of(text("a")) + b"\x81",
    "a Namespace with numbers": call("argparse.Namespace") + b"}K\x01K\x01sb",
    "a Namespace with a class": call("argparse.Namespace") + b"}" + text("__class__") + b"Nsb",
    "a Namespace with a function": call("argparse.Namespace") + b"}" + text("x") + name("torch.Size") + b"sb",
    "a Namespace in itself": call("argparse.Namespace") + b"q\x00}" + text("x") + b"h\x00sb",
    "a path of numbers": call("pathlib.PosixPath", b"K\x01"),
    "another name of pathlib": call("pathlib.os.system", text("true")),
    "a dict in a set": b"\x8f(}\x90",
    "a list in a frozenset": b"(]\x91",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("what", STATES)
def test_objects_and_their_state(what, form):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(FORMS[form](STATES[what] + b".", ONE))


def test_attributes_of_tensors_cannot_replace_their_parts():
    state = (
        b"}" + text("_array") + b"Ns" + text("_node") + b"Ns" + text("requires_grad") + b"K\x05s"
    )
    body = call("torch._utils._rebuild_parameter_with_state", tensor(), b"\x88", b"N", state)
    back = load_watched(archive(PROTOCOL + body + b".", ONE))
    assert back.tolist() == [1.0]
    assert back.requires_grad is True


# --- Broken pickles -------------------------------------------------------------------------------

BROKEN = {
    "nothing": b"",
    "only an end": b".",
    "two objects": b"K\x01K\x02.",
    "an open mark": b"(K\x01.",
    "a mark that is not there": b"K\x01t.",
    "items without a list": b"(K\x01e.",
    "too little for a tuple": b"K\x01\x87.",
    "a memo that is not there": b"h\x05.",
    "a memo of nothing": b"q\x00.",
    "a memo on a line": b"gx\n.",
    "no end": b"K\x01",
    "a text longer than the file": b"X\xff\xff\xff\x7fab.",
    "a text of 2⁶³ bytes": b"\x8d" + b"\xff" * 7 + b"\x7f" + b"ab.",
    "bytes of 2⁶⁴ − 1": b"\x8e" + b"\xff" * 8 + b".",
    "a bytearray of 2⁶³ bytes": b"\x96" + b"\xff" * 7 + b"\x7f.",
    "a number of 2³¹ bytes": b"\x8b\xff\xff\xff\x7f.",
    "a text that is not UTF-8": b"X\x01\x00\x00\x00\xff.",
    "a number with letters": b"Iabc\n.",
    "a number of 10,000 digits": b"L" + b"9" * 9_000 + b"L\n.",
    "a float with letters": b"Fabc\n.",
    "a line without an end": b"cos",
    "a very long line": b"c" + b"x" * 20_000 + b"\ny\n.",
    "a later protocol": b"\x80\x09K\x01.",
    "a string of Python 2 that is not UTF-8": b"U\x01\xff.",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("what", BROKEN)
def test_broken_pickles(what, form):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(FORMS[form](BROKEN[what], ()))


@given(st.binary(max_size=40))
def test_noise(noise):
    for body in (noise, noise + b"."):
        with contextlib.suppress(CheckpointError):
            load_watched(archive(PROTOCOL + body, ONE))


SAMPLE = (
    b"}" + text("x") + tensor() + b"s" + text("n") + call(
        "numpy._core.multiarray.scalar", call("numpy.dtype", text("f4"), b"\x89", b"\x88")
        + tuple_of(b"K\x03", text("<"), b"NNN", b"J\xff\xff\xff\xff" * 2, b"K\x00") + b"b",
        call("_codecs.encode", text("abcd"), text("latin1")),
    ) + b"s" + text("s") + call("builtins.set", b"](K\x01K\x02e") + b"s."
)  # fmt: skip


def test_the_sample_is_fine():
    found = load_watched(archive(PROTOCOL + SAMPLE, ONE))
    assert alike(found["x"], tc.tensor([1.0]))
    assert found["n"] == np.frombuffer(b"abcd", "f4")[0]
    assert found["s"] == {1, 2}


@given(st.data())
def test_no_damaged_pickle_does_more_than_raise(data):
    """Instructions of a sound pickle, changed, repeated and mixed with others."""
    body = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        if data.draw(st.booleans()):
            body[place] = data.draw(st.integers(0, 255))
        else:
            other = data.draw(st.integers(0, len(SAMPLE) - 1))
            body[place:place] = SAMPLE[other : other + data.draw(st.integers(1, 40))]
    with contextlib.suppress(CheckpointError):
        load_watched(archive(PROTOCOL + bytes(body), ONE))


# --- Memory, depth and time -----------------------------------------------------------------------


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
    "dicts of the same dicts": b"(" + levels(
        12, b"}", lambda items: b"}(" + b"".join(b"K%c" % k + items[:2] for k in range(10)) + b"u"
    ),
    "a tuple of many tuples as a key": b"}" + b"K\x01\x85" + b"".join(
        b"q%ch%c\x86" % (k, k) for k in range(40)
    ) + b"K\x01s.",
    "a list that contains itself": b"]q\x00h\x00a.",
    "a dict that contains itself": b"}q\x00" + text("x") + b"h\x00s.",
    "a dict in its own attributes": call("collections.OrderedDict") + b"q\x00}" + text("x") + b"h\x00sb.",
    "a list in a tuple in itself": b"]q\x00h\x00\x85a.",
    "200,000 levels of lists": b"]" * 200_000 + b"a" * 199_999 + b".",
    "200,000 levels of tuples": b")" + b"\x85" * 200_000 + b".",
    "a key of 200,000 levels": b"})" + b"\x85" * 200_000 + b"K\x01s.",
    "200,000 marks": b"(" * 200_000 + b".",
    "one text encoded again and again": text("x" * 50_000) + b"q\x000" [:2] + b"\x85" + b"(" + b"".join(
        call("_codecs.encode", b"h\x00", text("latin1")) for _ in range(500)
    ) + b"t\x86.",
    "one list made a set again and again": b"](" + b"".join(b"M%c%c" % (k % 256, k // 256) for k in range(5000))
    + b"eq\x00(" + b"".join(call("builtins.set", b"h\x00") for _ in range(500)) + b"t\x86.",
    "a bytearray of a number": call("builtins.bytearray", number(10**12)) + b".",
    "a range in a set": call("builtins.set", call("builtins.range", number(10**12))) + b".",
    "a range of an OrderedDict": call("collections.OrderedDict", call("builtins.range", number(10**12))) + b".",
    "a large integer as a key": b"}\x8b\xe8\x03\x00\x00" + b"\x7f" * 1000 + b"K\x01s.",
}  # fmt: skip


@pytest.mark.parametrize("what", BOMBS)
def test_bombs(what):
    start = time.perf_counter()
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(archive(PROTOCOL + BOMBS[what]))
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("body", [b"]" * 100_000, b"\x8f" * 100_000, b"}" * 100_000, b")" * 100_000,
                                  b"ccollections\nOrderedDict\nq\x00" + b"h\x00)R" * 25_000])  # fmt: skip
def test_memory_is_in_proportion_to_the_pickle(body):
    data = archive(PROTOCOL + body + b".")
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        tc.load(io.BytesIO(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * len(body)


# --- Tensors outside of their storage -------------------------------------------------------------

OUTSIDE = {
    "a larger size": {"size": (2,)},
    "a larger stride": {"size": (1, 2), "stride": (1, 5)},
    "an offset at the end": {"offset": 1},
    "an offset beyond": {"offset": 100, "size": (0,)},
    "a negative offset": {"offset": -1},
    "a negative size": {"size": (-1,)},
    "a negative stride": {"size": (1,), "stride": (-1,)},
    "sizes whose product overflows": {"size": (2**62, 2**62), "stride": (0, 0)},
    "a size of 2⁷⁰": {"size": (2**70,), "stride": (0,)},
    "an empty one of 2⁶² rows": {"size": (0, 2**62, 2**62), "stride": (1, 1, 1)},
    "fewer strides than axes": {"size": (1, 1), "stride": (1,)},
    "65 axes": {"size": (1,) * 65, "stride": (1,) * 65},
    "more elements than the record": {"count": 2},
    "2⁴⁰ elements": {"count": 2**40},
    "2⁷⁰ elements": {"count": 2**70},
    "a negative number of elements": {"count": -1},
    "another storage": {"key": "1"},
    "a path": {"key": "../../data.pkl"},
    "the pickle itself": {"key": "0/../../data.pkl"},
    "a class that is none": {"kind": "collections.OrderedDict"},
    "a wider class": {"kind": "torch.DoubleStorage"},
    "a complex class": {"kind": "torch.ComplexFloatStorage"},
}


@pytest.mark.parametrize("form", ["archive"])
@pytest.mark.parametrize("what", OUTSIDE)
def test_tensors_outside_of_their_storage(what, form):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(FORMS[form](tensor(**OUTSIDE[what]) + b".", ONE))


def test_tensors_of_other_devices_are_on_the_cpu():
    for kind, place in (("torch.FloatStorage", "cuda:0"), ("torch.cuda.FloatStorage", "mps")):
        data = archive(PROTOCOL + tensor(kind=kind, location=place) + b".", ONE)
        for where in (
            None,
            "cpu",
            {"cuda:0": "cpu"},
            {"cuda:5": "cuda:1"},
            lambda storage, place: storage,
        ):
            x = tc.load(io.BytesIO(data), map_location=where)
            assert x.tolist() == [1.0]
            assert x.device == tc.device("cpu")
        with pytest.raises(NotImplementedError, match="'cuda:1' is not available"):
            tc.load(io.BytesIO(data), map_location={place: "cuda:1"})


def test_tensors_that_are_the_negative_of_their_elements():
    for metadata, fine in (
        (b"N", True),
        (b"}", True),
        (b"}" + text("neg") + b"\x88s", False),
        (b"]", False),
    ):
        body = call("torch._utils._rebuild_tensor_v2", storage(), b"K\x00", b"K\x01\x85", b"K\x01\x85", b"\x89",
                    b"N", metadata)  # fmt: skip
        data = archive(PROTOCOL + body + b".", ONE)
        if fine:
            assert load_watched(data).tolist() == [1.0]
        else:
            with pytest.raises(CheckpointError, match="negative or conjugate"):
                load_watched(data)


@pytest.mark.parametrize("form", FORMS)
def test_bools_are_0_or_1(form):
    for data, fine in ((b"\0\1\0\1", True), (b"\0\1\2\1", False)):
        body = tensor(size=(4,), count=4, kind="torch.BoolStorage") + b"."
        if form == "archive":
            made = archive(PROTOCOL + body, [("data/0", data)])
        else:
            made = legacy(
                body.replace(b"\x04tQ", b"\x04NtQ"),
                b"]" + text("0") + b"a.",
                b"\4" + b"\0" * 7 + data,
            )
        if fine:
            assert load_watched(made).tolist() == [False, True, False, True]
        else:
            with pytest.raises(CheckpointError, match="other bytes than 0 and 1"):
                load_watched(made)


def test_an_expanded_tensor_takes_no_memory():
    back = load_watched(archive(PROTOCOL + tensor(size=(2**40,), stride=(0,)) + b".", ONE))
    assert back.shape == (2**40,)
    assert back.stride() == (0,)
    assert back[2**39].item() == 1.0


IDS = [
    b"N", b"K\x01", text("storage"), b"]", b")", tuple_of(text("storage")),
    tuple_of(text("module"), b"N", b"N", b"N"),
    tuple_of(text("other"), name("torch.FloatStorage"), text("0"), text("cpu"), b"K\x01"),
    tuple_of(text("storage"), b"N", text("0"), text("cpu"), b"K\x01"),
    tuple_of(text("storage"), name("torch.FloatStorage"), b"K\x00", text("cpu"), b"K\x01"),
    tuple_of(text("storage"), name("torch.FloatStorage"), text("0"), b"N", b"K\x01"),
    tuple_of(text("storage"), name("torch.FloatStorage"), text("0"), text("cpu"), b"\x88"),
    tuple_of(text("storage"), name("torch.FloatStorage"), text("0"), text("cpu"), text("1")),
    tuple_of(text("storage"), name("torch.FloatStorage"), text("0"), text("cpu"), b"K\x01", b"N", b"N"),
    tuple_of(tensor(), name("torch.FloatStorage"), text("0"), text("cpu"), b"K\x01"),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pid", IDS)
def test_ids_of_storages(pid, form):
    body = call("torch._utils._rebuild_tensor_v2", pid + b"Q", b"K\x00", b")", b")", b"\x89", b"N")
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(FORMS[form](body + b".", ONE))


# --- NumPy ----------------------------------------------------------------------------------------


LITTLE = (b"K\x03", text("<"), b"NNN", b"J\xff\xff\xff\xff" * 2, b"K\x00")
NONE_YET = (b"K\x00\x85", text("b"))


def numpy_dtype(code="f4", state=LITTLE):
    return call("numpy.dtype", text(code), b"\x89", b"\x88") + tuple_of(*state) + b"b"


def array(shape=(1,), dtype=None, data="abcd", start=NONE_YET, version=b"K\x01"):
    made = call("numpy._core.multiarray._reconstruct", name("numpy.ndarray"), *start)
    content = call("_codecs.encode", text(data), text("latin1"))
    size = tuple_of(*map(number, shape))
    return made + tuple_of(version, size, dtype or numpy_dtype(), b"\x89", content) + b"b"


def test_the_array_is_fine():
    assert load_watched(archive(PROTOCOL + array() + b".")) == np.frombuffer(b"abcd", "f4")


NUMPY = {
    "objects": array(dtype=numpy_dtype("O")),
    "a structure": array(dtype=numpy_dtype("V4")),
    "dates": array(dtype=numpy_dtype("M8")),
    "a dtype with fields": array(dtype=numpy_dtype(
        state=(b"K\x03", text("<"), b"N", tuple_of(text("a")), b"}", b"J\xff\xff\xff\xff" * 2, b"K\x00"))),
    "a dtype of another size": array(dtype=numpy_dtype(
        state=(b"K\x03", text("<"), b"NNN", b"M\x00\x10", b"K\x04", b"K\x00"))),
    "a dtype with a text of fields": call("numpy.dtype", text("f4,O"), b"\x89", b"\x88"),
    "a dtype of a class": call("numpy.dtype", name("numpy.ndarray")),
    "a dtype by a number": call("numpy.dtype", b"K\x04"),
    "a text of 2 GB a letter": call("numpy.dtype", text("U999999999"), b"\x89", b"\x88"),
    "no dtype": array(dtype=b"N"),
    "torch's dtype": array(dtype=name("torch.float32")),
    "more elements than bytes": array((2,)),
    "a negative size": array((-1,)),
    "bools of 97": array((4,), dtype=numpy_dtype("b1")),
    "characters that do not exist": array((1,), dtype=numpy_dtype(
        "U1", (b"K\x03", text("<"), b"NNN", b"K\x04", b"K\x04", b"K\x08"))),
    "2⁴⁰ elements": array((2**40,)),
    "2⁶² rows of nothing": array((2**62, 2**62, 0), data=""),
    "a first shape": array(start=(number(10**12) + b"\x85", text("b")), shape=(3,)),
    "a class that is none": call("numpy._core.multiarray._reconstruct", name("torch.Size"), b")", text("b")),
    "an array of objects at once": call("numpy._core.multiarray._reconstruct", name("numpy.ndarray"),
                                        b"K\x00\x85", text("O")),
    "a state, twice": array() + tuple_of(b"K\x01", b")", b"N", b"\x89", text("")) + b"b",
    "a short state": call("numpy._core.multiarray._reconstruct", name("numpy.ndarray"), b"K\x00\x85",
                          text("b")) + b")b",
    "a scalar of too many bytes": call("numpy._core.multiarray.scalar", numpy_dtype(), text("abcdefgh")),
    "a scalar of objects": call("numpy._core.multiarray.scalar", numpy_dtype("O"), text("abcdefgh")),
    "a buffer of too many": call("numpy._core.numeric._frombuffer", text("abcd"), numpy_dtype(),
                                 tuple_of(number(2)), text("C")),
}  # fmt: skip


@pytest.mark.parametrize("what", NUMPY)
def test_arrays_of_numpy(what):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(archive(PROTOCOL + NUMPY[what] + b"."))


def test_no_file_changes_the_dtypes_of_numpy():
    body = b"(" + numpy_dtype(
        "f4", (b"K\x03", text(">"), b"NNN", b"J\xff\xff\xff\xff" * 2, b"K\x00")
    )
    tc.load(io.BytesIO(archive(PROTOCOL + body + b"t.")))
    assert np.dtype("f4").byteorder == "="
    assert tc.float32 == np.float32


# --- Fine pickles of Python -----------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
@given(value=nests.filter(lambda value: "tensor" not in repr(value)))
def test_pickles_of_python(protocol, value):
    """Protocols 1 to 5, as `torch.save(..., pickle_protocol=...)` writes them."""
    if any(word in repr(value) for word in ("device", "dtype", "torch.")):
        return  # under other names in PyTorch
    data = archive(pickle.dumps(value, protocol))
    assert alike(tc.load(io.BytesIO(data)), value)


def test_more_values_of_python():
    value = {"default": defaultdict(list, a=[1]), "range": range(1, 9, 2), "old": OrderedDict(a=1),
             "path": [Path("a") / "b", PureWindowsPath("C:/a"), PurePosixPath("/a")], "bytes": b"\0\xff", "empty": [b"", bytearray(), set(), frozenset(), (), [], {}]}  # fmt: skip
    for protocol in range(6):
        value["args"] = argparse.Namespace(lr=0.1) if protocol > 1 else None
        back = tc.load(io.BytesIO(archive(pickle.dumps(value, protocol))))
        assert repr(back) == repr(value)


def test_strings_of_python_2():
    body = b"}" + b"U\x01\xe9" + b"T\x02\x00\x00\x00ab" + b"s."
    data = archive(PROTOCOL + body)
    assert tc.load(io.BytesIO(data), encoding="latin1") == {"é": "ab"}
    assert tc.load(io.BytesIO(data), encoding="bytes") == {b"\xe9": b"ab"}
    assert tc.load(io.BytesIO(data), errors="replace") == {"\ufffd": "ab"}


# --- Messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path, words", [
    ("os.system", r"is refused: it asks for os\.system, which no model needs"),
    ("builtins.eval", r"is refused: it asks for builtins\.eval, which no model needs"),
    ("types.SimpleNamespace", r"needs types\.SimpleNamespace, .*safe_globals\(\[SimpleNamespace\]\)"),
    ("__main__.Net", r"needs __main__\.Net, .*torch\.save\(model\.state_dict\(\), 'weights\.pth'\)"),
    ("torch.nn.modules.conv.Conv2d", r"whole model.*state_dict\(\), 'weights\.pth'\).*modules\.conv\.Conv2d"),
    ("torch._utils._rebuild_sparse_tensor", "is not supported: it holds a sparse tensor"),
    ("torch._utils._rebuild_qtensor", "is not supported: it holds a quantized tensor"),
    ("torch.complex64", r"is not supported: .* torch\.complex64"),
    ("torch.ComplexFloatStorage", "is not supported: .* ComplexFloatStorage"),
    ("torch.float8_e4m3fn", r"is not supported: .* torch\.float8_e4m3fn"),
])  # fmt: skip
def test_messages_say_what_to_do(path, words):
    with pytest.raises(CheckpointError, match=words):
        load_watched(archive(PROTOCOL + name(path) + b"."))


# --- What a program allows ------------------------------------------------------------------------


class Thing:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return vars(self) == vars(other)


def made(x):
    return Thing(x)


def test_allowed_classes_are_saved_and_loaded(tmp_path):
    value = {"args": types.SimpleNamespace(lr=0.1, w=tc.ones(2)), "thing": Thing([1, 2])}
    with pytest.raises(TypeError, match="is a SimpleNamespace, which cannot be saved"):
        tc.save(value, tmp_path / "x")
    with safe_globals([types.SimpleNamespace, (Thing, "program.Thing")]):
        tc.save(value, tmp_path / "x")
        back = tc.load(tmp_path / "x")
    assert back["args"].w.tolist() == [1.0, 1.0]
    assert back["thing"] == Thing([1, 2])
    with pytest.raises(CheckpointError, match=r"needs types\.SimpleNamespace"):
        tc.load(tmp_path / "x")


def test_allowed_functions_are_called():
    body = call("program.made", b"K\x05") + b"."
    with safe_globals([(made, "program.made")]):
        assert load_watched(archive(PROTOCOL + body)) == Thing(5)
        with pytest.raises(CheckpointError, match=r"TypeError: made\(\)"):
            tc.load(io.BytesIO(archive(PROTOCOL + call("program.made") + b".")))


def test_some_things_cannot_be_allowed():
    import os

    with safe_globals([os.system, eval, getattr, (os.system, "os.system"), np.ndarray]):
        for body in (SYSTEM, call("builtins.eval", text("1")), CALLS["getattr"],
                     call("numpy.ndarray", number(3))):  # fmt: skip
            with pytest.raises(CheckpointError):
                load_watched(archive(PROTOCOL + body + b"."))
    for wrong in ([1], [(Thing,)], [(Thing, 1)], ["os.system"], [functools.partial(made)]):
        with pytest.raises(TypeError, match="safe_globals: wanted"):
            safe_globals(wrong)
    assert tc.serialization.get_safe_globals() == []


def test_what_programs_allow_for_numpy_changes_nothing():
    value = [np.float32(1.5), np.arange(3)]
    functions = [np.ndarray, np.dtype, np.float32(1).__reduce__()[0], value[1].__reduce__()[0],
                 type(np.dtype("f4")), argparse.Namespace, OrderedDict]  # fmt: skip
    with safe_globals(functions):
        assert alike(through(value), value)
        assert through(argparse.Namespace(a=1)) == argparse.Namespace(a=1)
        assert through(OrderedDict(a=1)) == {"a": 1}


def test_an_allowed_block_ends_with_an_exception():
    with pytest.raises(KeyError), safe_globals([Thing]):
        assert tc.serialization.get_safe_globals() == [Thing]
        raise KeyError
    assert tc.serialization.get_safe_globals() == []
