"""Pickles made to do harm: each is one CheckpointError, and runs nothing."""

import contextlib
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tests.serialization.hostile import (
    EVENTS,
    FORMS,
    ONE,
    PROTOCOL,
    archive,
    call,
    load_watched,
    name,
    number,
    storage,
    tensor,
    text,
    tuple_of,
)
from tests.serialization.values import alike
from tinygrad_cnn.serialization import CheckpointError


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
        "builtins.getattr",
        call("builtins.getattr", name("torch.Size"), text("__class__")),
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
    "the name of a name": b"X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93"
    + tuple_of(text("a"))
    + b"R",
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
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("what", CALLS)
def test_calls(what, form):
    with pytest.raises(CheckpointError, match=r"^the file: is "):
        load_watched(FORMS[form](CALLS[what] + b".", ONE))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "code",
    [
        b"cos\nsystem\n",
        b"cbuiltins\neval\n",
        b"ctorch.nn.modules.linear\nLinear\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch\nFloatStorage\n",
        b"cnumpy\nndarray\n",
        b"cbuiltins\nlist\n",
        storage(),
    ],
)
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
    "BUILD of a function": name("collections.OrderedDict")
    + b"}"
    + text("call")
    + text("x")
    + b"sb",
    "BUILD of a Tensor": tensor() + b"}" + text("_array") + b"Nsb",
    "BUILD of a Tensor by set_": tensor() + tuple_of(storage(), number(0), b")", b")") + b"b",
    "BUILD of a dtype of torch": name("torch.float32") + tuple_of(b"K\x03", text(">")) + b"b",
    "BUILD of a class": name("numpy.ndarray") + b"}b",
    "BUILD of an OrderedDict with a tuple": call("collections.OrderedDict") + b")b",
    "BUILD of an OrderedDict's class": call("collections.OrderedDict")
    + b"}"
    + text("__class__")
    + b"Nsb",
    "BUILD of an OrderedDict with numbers": call("collections.OrderedDict") + b"}K\x01K\x01sb",
    "attributes of a Tensor": call(
        "torch._tensor._rebuild_from_type_v2",
        name("torch._utils._rebuild_tensor_v2"),
        name("torch.Tensor"),
        b")",
        b"}",
    ),
    "a Tensor by another function": call(
        "torch._tensor._rebuild_from_type_v2", name("torch.Size"), name("torch.Tensor"), b")", b"}"
    ),
    "a subclass of Tensor": call(
        "torch._tensor._rebuild_from_type_v2",
        name("torch._utils._rebuild_tensor_v2"),
        name("torch.Size"),
        b")",
        b"}",
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
    "a Namespace with a function": call("argparse.Namespace")
    + b"}"
    + text("x")
    + name("torch.Size")
    + b"sb",
    "a Namespace in itself": call("argparse.Namespace") + b"q\x00}" + text("x") + b"h\x00sb",
    "a path of numbers": call("pathlib.PosixPath", b"K\x01"),
    "another name of pathlib": call("pathlib.os.system", text("true")),
    "a dict in a set": b"\x8f(}\x90",
    "a list in a frozenset": b"(]\x91",
}


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
    b"}"
    + text("x")
    + tensor()
    + b"s"
    + text("n")
    + call(
        "numpy._core.multiarray.scalar",
        call("numpy.dtype", text("f4"), b"\x89", b"\x88")
        + tuple_of(b"K\x03", text("<"), b"NNN", b"J\xff\xff\xff\xff" * 2, b"K\x00")
        + b"b",
        call("_codecs.encode", text("abcd"), text("latin1")),
    )
    + b"s"
    + text("s")
    + call("builtins.set", b"](K\x01K\x02e")
    + b"s."
)


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


# --- Messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, words",
    [
        ("os.system", r"is refused: it asks for os\.system, which no model needs"),
        ("builtins.eval", r"is refused: it asks for builtins\.eval, which no model needs"),
        (
            "types.SimpleNamespace",
            r"needs types\.SimpleNamespace, .*safe_globals\(\[SimpleNamespace\]\)",
        ),
        (
            "__main__.Net",
            r"needs __main__\.Net, .*torch\.save\(model\.state_dict\(\), 'weights\.pth'\)",
        ),
        (
            "torch.nn.modules.conv.Conv2d",
            r"whole model.*state_dict\(\), 'weights\.pth'\).*modules\.conv\.Conv2d",
        ),
        ("torch._utils._rebuild_sparse_tensor", "is not supported: it holds a sparse tensor"),
        ("torch._utils._rebuild_qtensor", "is not supported: it holds a quantized tensor"),
        ("torch.complex64", r"is not supported: .* torch\.complex64"),
        ("torch.ComplexFloatStorage", "is not supported: .* ComplexFloatStorage"),
        ("torch.float8_e4m3fn", r"is not supported: .* torch\.float8_e4m3fn"),
    ],
)
def test_messages_say_what_to_do(path, words):
    with pytest.raises(CheckpointError, match=words):
        load_watched(archive(PROTOCOL + name(path) + b"."))
