"""Contexts and modules leave no cycle of references: counting alone frees all that they made."""

import contextlib
import gc

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import engine, nn
from tinygrad_cnn.nn import Module

from .test_interrupts import CONTEXTS


def garbage(run):
    """The types of the objects that only the collector can free after `run()`."""
    run()
    run()  # caches are full
    gc.disable()
    gc.freeze()  # the objects of before: a collection need not look at them
    flags = gc.get_debug()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        run()
        gc.collect()
        return [type(x).__name__ for x in gc.garbage]
    finally:
        gc.set_debug(flags)
        gc.garbage.clear()
        gc.unfreeze()
        gc.enable()


def test_the_meter_sees_a_cycle():
    def run():
        cycle = []
        cycle.append(cycle)

    assert garbage(run) == ["list"]


MORE = {
    "set_grad_enabled": lambda: tc.set_grad_enabled(False),
    "enable_grad": tc.enable_grad,
    "set_detect_anomaly": lambda: tc.autograd.set_detect_anomaly(True),
    "profile": tc.profiler.profile,
    "record_function": lambda: tc.profiler.record_function("name"),
    "safe_globals": lambda: tc.serialization.safe_globals([]),
    "device": lambda: tc.device("cpu"),
    "hook": lambda: tc.ones(1, requires_grad=True).register_hook(lambda g: g),
    "sdp_kernel": lambda: tc.backends.cuda.sdp_kernel(),
    "Observer": lambda: engine.observe(engine.Observer()),
}


@pytest.mark.parametrize("name", [*CONTEXTS, *MORE])
def test_contexts(name):
    make = {**CONTEXTS, **MORE}[name]

    def run():
        x = tc.ones(2, requires_grad=True)
        with make():
            y = (x * x).sum()
        if y.requires_grad:
            y.backward()

    assert garbage(run) == []


def test_an_error_in_a_context_leaves_none():
    def run():
        with contextlib.suppress(RuntimeError), tc.autograd.detect_anomaly():
            tc.log(tc.zeros(1, requires_grad=True))

    assert garbage(run) == []


IMAGE, TEXT = (2, 4, 8, 8), (2, 6, 4)
SIZES = {  # how to make a module and the shape of its input, where (4, ...) does not do
    "Linear": (lambda: nn.Linear(4, 3), TEXT), "Conv2d": (lambda: nn.Conv2d(4, 3, 3), IMAGE),
    "Conv1d": (lambda: nn.Conv1d(6, 3, 3), TEXT), "BatchNorm2d": (lambda: nn.BatchNorm2d(4), IMAGE),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(4, 3, 3), IMAGE),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(4), IMAGE), "LSTM": (lambda: nn.LSTM(4, 3), TEXT),
    "GRU": (lambda: nn.GRU(4, 3), TEXT), "RNN": (lambda: nn.RNN(4, 3), TEXT),
    "LayerNorm": (lambda: nn.LayerNorm(4), TEXT), "GroupNorm": (lambda: nn.GroupNorm(2, 4), IMAGE),
    "RMSNorm": (lambda: nn.RMSNorm(4), TEXT), "MaxPool2d": (lambda: nn.MaxPool2d(2), IMAGE),
    "AvgPool2d": (lambda: nn.AvgPool2d(2), IMAGE), "LPPool2d": (lambda: nn.LPPool2d(2, 2), IMAGE),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d(2), IMAGE),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d(2), IMAGE),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), IMAGE),
    "PixelShuffle": (lambda: nn.PixelShuffle(2), IMAGE), "ZeroPad2d": (lambda: nn.ZeroPad2d(1), IMAGE),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(4, 2, 8), TEXT),
    "TransformerEncoder": (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 1), TEXT,
    ),
    "Sequential": (lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU()), TEXT),
    "Dropout2d": (lambda: nn.Dropout2d(), IMAGE), "Unfold": (lambda: nn.Unfold(2), IMAGE),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(2), IMAGE),
}  # fmt: skip


def modules():
    """Each public module that has a recipe or can be made without arguments and takes one Tensor."""
    for name in sorted(dir(nn)):
        cls = getattr(nn, name)
        if not (isinstance(cls, type) and issubclass(cls, Module)) or name.startswith("Lazy"):
            continue
        make, shape = SIZES.get(name, (cls, TEXT))
        try:
            module = make()
            module(tc.ones(shape))
        except Exception:  # it has no recipe
            continue
        yield name, make, shape


MODULES = {name: (make, shape) for name, make, shape in modules()}


def test_most_modules_are_here():
    assert set(SIZES) <= set(MODULES)
    assert len(MODULES) > 50


@pytest.mark.parametrize("name", MODULES)
def test_modules(name):
    make, shape = MODULES[name]
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)

    def run():
        y = make()(tc.tensor(values, requires_grad=True))
        y = y[0] if isinstance(y, tuple) else y
        y.sum().backward()

    assert garbage(run) == []
