"""Attributes that a module registers: parameters, buffers, children."""

import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import nn

from .nets import Net, names


def test_attributes_replace_delete_and_are_listed():
    net = Net()
    net.second = None
    assert net.second is None
    assert "second" in net._modules
    net.first.bias = None
    assert names(net.named_parameters()) == ["scale", "first.weight"]
    net.offset = tc.ones(4)
    assert names(net.named_buffers())[0] == "offset"
    net.extra = 3
    net.extra = nn.Parameter(tc.zeros(1))  # it replaces a plain attribute
    assert "extra" not in net.__dict__
    assert names(net.named_parameters())[-2:] == ["extra", "first.weight"]
    net.extra = nn.ReLU()  # and a module replaces a parameter of the same name
    assert "extra" in net._modules
    assert "extra" not in net._parameters
    net.plain = 1
    del net.plain, net.extra, net.scale, net.offset, net.scratch
    for gone in ("plain", "extra", "scale", "offset", "scratch"):
        assert not hasattr(net, gone)
    assert net._not_persistent == set()
    assert {"first", "forward", "training"} <= set(dir(net))
    assert "0" not in dir(nn.Sequential(nn.ReLU()))


class BeforeInit(nn.Module):
    def __init__(self, part):
        self.part = part


class Taken(nn.Module):
    weight = None

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(tc.ones(1))


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda m: m.nothing, AttributeError, r"^'Net' object has no attribute 'nothing'$"),
        (lambda m: delattr(m, "nothing"), AttributeError, "'Net' object has no attribute"),
        (lambda m: BeforeInit(nn.Parameter(tc.ones(1))), AttributeError,
         r"^cannot assign parameters before Module.__init__\(\) call$"),
        (lambda m: BeforeInit(nn.ReLU()), AttributeError,
         r"^cannot assign module before Module.__init__\(\) call$"),
        (lambda m: nn.Module.register_buffer(object.__new__(Net), "x", None), AttributeError,
         r"^cannot assign buffer before Module.__init__\(\) call$"),
        (lambda m: setattr(m, "scale", tc.ones(1)), TypeError,
         r"cannot assign 'Tensor' as parameter 'scale' \(nn.Parameter or None expected\)"),
        (lambda m: setattr(m, "first", 3), TypeError, "cannot assign 'int' as child module 'first'"),
        (lambda m: setattr(m, "offset", 3), TypeError, "cannot assign 'int' as buffer 'offset'"),
        (lambda m: m.register_parameter("a.b", None), KeyError, "parameter name can.*t contain"),
        (lambda m: m.register_parameter("", None), KeyError, "can.*t be empty string"),
        (lambda m: m.register_parameter(1, None), TypeError,
         "parameter name should be a string. Got int"),
        (lambda m: m.register_parameter("forward", None), KeyError, "'forward' already exists"),
        (lambda m: m.register_parameter("training", None), KeyError, "already exists"),
        (lambda m: m.register_parameter("x", tc.ones(1)), TypeError,
         r"cannot assign 'Tensor' object to parameter 'x' \(nn.Parameter or None required\)"),
        (lambda m: m.register_buffer("x", 3), TypeError, "object to buffer 'x'"),
        (lambda m: m.register_buffer("first", None), KeyError, "already exists"),
        (lambda m: m.add_module("x", 3), TypeError, "int is not a Module subclass"),
        (lambda m: m.add_module("a.b", None), KeyError, "module name can.*t contain"),
        (lambda m: Taken(), KeyError, "attribute 'weight' already exists"),
        (lambda m: nn.Module()(), NotImplementedError,
         r'Module \[Module\] is missing the required "forward" function'),
        (lambda m: m.train(3), ValueError, "training mode is expected to be boolean"),
        (lambda m: m.get_submodule("nothing"), AttributeError, "Net has no attribute `nothing`"),
        (lambda m: m.get_submodule("first.weight"), AttributeError, "`weight` is not an nn.Module"),
        (lambda m: m.get_parameter("first.x"), AttributeError, "Linear has no attribute `x`"),
        (lambda m: m.get_parameter("first"), AttributeError, "`first` is not an nn.Parameter"),
        (lambda m: m.get_buffer("scale"), AttributeError, "`scale` is not a buffer"),
        (lambda m: m.to(tc.int64), TypeError, "only accepts floating point dtypes, .*=torch.int64"),
        (lambda m: m.to("cuda"), RuntimeError, "cuda"),
        (lambda m: nn.Parameter(3), TypeError, "wanted a Tensor, got int"),
        (lambda m: nn.Parameter(tc.ones(1, dtype=tc.int64)), RuntimeError,
         "Only Tensors of floating point dtype can require gradients"),
    ],
)  # fmt: skip
def test_errors(act, error, message):
    net = Net()
    before = {name: id(part) for name, part in net.named_parameters()}
    with pytest.raises(error, match=message):
        act(net)
    assert {name: id(part) for name, part in net.named_parameters()} == before


def test_an_empty_shell_raises_and_does_not_recurse():
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'x'"):
        object.__new__(Net).x  # noqa: B018
