"""Functions and classes that a program allows."""

import argparse
import functools
import io
import os
import types
from collections import OrderedDict

import numpy as np
import pytest

import tinygrad_cnn as tc
from tests.serialization.hostile import (
    PROTOCOL,
    archive,
    call,
    load_watched,
    name,
    number,
    text,
)
from tests.serialization.values import alike, through
from tinygrad_cnn.serialization import CheckpointError, safe_globals

SYSTEM = call("os.system", text("echo harm"))
GETATTR = call("builtins.getattr", name("collections.OrderedDict"), text("__init__"))


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

    with safe_globals([os.system, eval, getattr, (os.system, "os.system"), np.ndarray]):
        for body in (
            SYSTEM,
            call("builtins.eval", text("1")),
            GETATTR,
            call("numpy.ndarray", number(3)),
        ):
            with pytest.raises(CheckpointError):
                load_watched(archive(PROTOCOL + body + b"."))
    for wrong in ([1], [(Thing,)], [(Thing, 1)], ["os.system"], [functools.partial(made)]):
        with pytest.raises(TypeError, match="safe_globals: wanted"):
            safe_globals(wrong)
    assert tc.serialization.get_safe_globals() == []


def test_what_programs_allow_for_numpy_changes_nothing():
    value = [np.float32(1.5), np.arange(3)]
    functions = [
        np.ndarray,
        np.dtype,
        np.float32(1).__reduce__()[0],
        value[1].__reduce__()[0],
        type(np.dtype("f4")),
        argparse.Namespace,
        OrderedDict,
    ]
    with safe_globals(functions):
        assert alike(through(value), value)
        assert through(argparse.Namespace(a=1)) == argparse.Namespace(a=1)
        assert through(OrderedDict(a=1)) == {"a": 1}


def test_an_allowed_block_ends_with_an_exception():
    with pytest.raises(KeyError), safe_globals([Thing]):
        assert tc.serialization.get_safe_globals() == [Thing]
        raise KeyError
    assert tc.serialization.get_safe_globals() == []
