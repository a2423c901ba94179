"""Sequential, ModuleList, ModuleDict: lists and dictionaries whose parts are registered."""

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import nn


def layers(n):
    return [nn.Linear(1, 1) for _ in range(n)]


@given(
    st.sampled_from([nn.Sequential, nn.ModuleList]),
    st.integers(0, 4),
    st.lists(st.tuples(st.sampled_from(["append", "insert", "delete", "set", "pop", "slice",
                                        "extend"]), st.integers(-4, 4), st.integers(-4, 4)),
             max_size=8),
)  # fmt: skip
def test_it_is_a_list(kind, n, acts):
    """Any list operations, against a list; the names stay 0, 1, 2 .."""
    wanted = layers(n)
    box = kind(*wanted) if kind is nn.Sequential else kind(wanted)
    for act, i, j in acts:
        new = nn.Linear(1, 1)
        inside = -len(wanted) <= i < len(wanted)
        if act == "append":
            assert box.append(new) is box
            wanted.append(new)
        elif act == "extend":
            box += [new]
            wanted.append(new)
        elif act == "insert" and -len(wanted) <= i <= len(wanted):
            assert box.insert(i, new) is box
            wanted.insert(i, new)
        elif act == "set" and inside:
            box[i] = wanted[i] = new
        elif act == "delete" and inside:
            del box[i]
            del wanted[i]
        elif act == "pop" and inside:
            assert box.pop(i) is wanted.pop(i)
        elif act == "slice":
            del box[i:j]
            del wanted[i:j]
            assert list(box[j:]) == wanted[j:]
        elif not inside:
            with pytest.raises(IndexError, match="out of range"):
                box[i]
        assert list(box) == wanted
        assert list(box._modules) == [str(k) for k in range(len(wanted))]
    assert len(box) == len(wanted)
    assert all(module in box for module in wanted)
    assert list(box + box) == wanted + wanted


def test_sequential_runs_in_order_and_slices_keep_names():
    net = nn.Sequential(OrderedDict(fc=nn.Linear(2, 3), act=nn.ReLU(), out=nn.Linear(3, 1)))
    x = tc.randn(4, 2)
    assert net(x).equal(net.out(net.act(net.fc(x))))
    assert list(net[1:]._modules) == ["act", "out"]
    assert net[-1] is net.out
    assert list(net.state_dict()) == ["fc.weight", "fc.bias", "out.weight", "out.bias"]
    assert nn.Sequential()(x) is x
    part = nn.Sequential(*layers(4))[2:]
    part.append(nn.ReLU())
    assert len(part) == 3, "an appended layer must not take the place of one whose name it has"


def test_module_list_and_dict():
    box = nn.ModuleList([nn.ReLU(), nn.Linear(1, 1), nn.Linear(1, 1), nn.Tanh()])
    assert repr(box) == (
        "ModuleList(\n"
        "  (0): ReLU()\n"
        "  (1-2): 2 x Linear(in_features=1, out_features=1, bias=True)\n"
        "  (3): Tanh()\n"
        ")"
    )
    assert isinstance(box[1:3], nn.ModuleList)
    with pytest.raises(NotImplementedError, match="missing the required"):
        box(tc.ones(1))
    named = nn.ModuleDict({"a": nn.ReLU()})
    named.update([("b", nn.Linear(1, 1))])
    named["c"] = nn.Tanh()
    assert list(named) == list(named.keys()) == ["a", "b", "c"]
    assert [*named.values()] == [named["a"], named["b"], named["c"]]
    assert "b" in named
    assert named.pop("b") is not None
    del named["a"]
    assert len(named) == 1
    assert dict(named.items()) == {"c": named["c"]}
    named.clear()
    assert repr(named) == "ModuleDict()"


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda s: nn.Sequential(3), TypeError, "int is not a Module subclass"),
        (lambda s: nn.Sequential([s]), TypeError, "list is not a Module subclass"),
        (lambda s: nn.ModuleList([3]), TypeError, "int is not a Module subclass"),
        (lambda s: nn.ModuleDict({"a": 3}), TypeError, "int is not a Module subclass"),
        (lambda s: s.append(3), TypeError, "int is not a Module subclass"),
        (lambda s: s.insert(0, 3), TypeError, "int is not a Module subclass"),
        (lambda s: s.insert(5, nn.ReLU()), IndexError, "Index out of range: 5"),
        (lambda s: s[2], IndexError, "index 2 is out of range"),
        (lambda s: s["a"], TypeError, "Sequential indices must be integers or slices, not str"),
        (lambda s: s + 3, TypeError, "unsupported operand"),
        (lambda s: s.__setitem__(0, 3), TypeError, "cannot assign 'int' as child module '0'"),
        (lambda s: s.pop(9), IndexError, "index 9 is out of range"),
    ],
)
def test_errors_change_nothing(act, error, message):
    net = nn.Sequential(nn.ReLU(), nn.Tanh())
    before = list(net)
    with pytest.raises(error, match=message):
        act(net)
    assert list(net) == before
