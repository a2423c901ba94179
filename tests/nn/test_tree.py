"""Walks over the modules of a tree, and the search by name."""

import numpy as np
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import nn

from .nets import Net, names


def test_names_come_in_order_and_shared_parts_once():
    net = Net()
    assert names(net.named_parameters()) == ["scale", "first.weight", "first.bias", "second.weight"]
    assert names(net.named_parameters("net", recurse=False)) == ["net.scale"]
    assert names(net.named_parameters(remove_duplicate=False)) == [
        "scale", "first.weight", "first.bias", "again.weight", "again.bias", "second.weight",
    ]  # fmt: skip
    assert names(net.named_buffers()) == ["offset", "scratch"]
    assert names(net.named_modules()) == ["", "first", "act", "second"]
    assert names(net.named_modules(prefix="x", remove_duplicate=False)) == [
        "x", "x.first", "x.again", "x.act", "x.second",
    ]  # fmt: skip
    assert names(net.named_children()) == ["first", "act", "second"]
    assert [type(m).__name__ for m in net.modules()] == ["Net", "Linear", "ReLU", "Linear"]
    assert len(list(net.parameters())) == 4
    assert len(list(net.buffers())) == 2
    assert len(list(net.children())) == 3
    assert set(net.parameters()) >= {net.scale, net.second.weight}


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_a_random_tree_is_gone_through_parents_first(seed, n):
    """Against a plain recursion, on trees with shared modules and parameters."""
    rng = np.random.default_rng(seed)
    modules = [nn.Module() for _ in range(n)]
    parameters = [nn.Parameter(tc.ones(1)) for _ in range(3)]
    for i, module in enumerate(modules):
        for k in range(rng.integers(0, 3)):
            setattr(module, f"p{k}", parameters[rng.integers(3)])
        for k in range(rng.integers(0, 3) if i + 1 < n else 0):
            setattr(module, f"m{k}", modules[rng.integers(i + 1, n)])

    def walk(module, prefix, seen):
        if id(module) in seen:
            return
        seen.add(id(module))
        yield prefix, module
        for key, child in module._modules.items():
            yield from walk(child, f"{prefix}.{key}" if prefix else key, seen)

    root = modules[0]
    assert list(root.named_modules()) == list(walk(root, "", set()))
    wanted = {}
    for prefix, module in walk(root, "", set()):
        for key, p in module._parameters.items():
            wanted.setdefault(id(p), f"{prefix}.{key}" if prefix else key)
    assert names(root.named_parameters()) == list(wanted.values())


def test_get_by_dotted_name():
    net = nn.Sequential(Net(), nn.BatchNorm1d(2))
    assert net.get_submodule("") is net
    assert net.get_submodule("0.first") is net[0].first
    assert net.get_parameter("0.first.weight") is net[0].first.weight
    assert net.get_buffer("1.running_mean") is net[1].running_mean
