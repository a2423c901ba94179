"""Sequential, ModuleList, ModuleDict: lists and dictionaries that register their parts."""

import copy
from collections import OrderedDict

import pytest
from hypothesis import given, strategies as st

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
            box += [new] if kind is nn.ModuleList else nn.Sequential(new)
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
        (lambda s: s + 3, ValueError, "add operator supports only objects of Sequential"),
        (
            lambda s: s.__add__([nn.ReLU()]),
            ValueError,
            "add operator supports only objects of Sequential",
        ),
        (
            lambda s: s.__iadd__([nn.ReLU()]),
            ValueError,
            "supports only objects of Sequential class",
        ),
        (lambda s: nn.ModuleList(s) + 3, TypeError, "unsupported operand"),
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


def test_a_sequential_times_a_number_repeats_its_modules():
    net = nn.Sequential(nn.ReLU(), nn.Tanh())
    assert list(net * 2) == list(2 * net) == [*net, *net]
    first = list(net)
    net *= 3
    assert list(net) == first * 3
    with pytest.raises(ValueError, match="Non-positive multiplication factor 0"):
        net * 0
    with pytest.raises(TypeError, match="unsupported operand"):
        net * 1.5


@pytest.mark.parametrize("kind", [list, tuple, iter, nn.ModuleList, lambda ms: nn.Sequential(*ms)])
def test_a_module_list_plus_any_iterable(kind):
    first, more = layers(2), layers(2)
    box = nn.ModuleList(first)
    both = box + kind(more)
    assert type(both) is nn.ModuleList
    assert list(both) == [*first, *more]
    assert list(both._modules) == ["0", "1", "2", "3"]
    assert list(box) == first
    box += kind(more)
    assert list(box) == [*first, *more]


def test_containers_of_something_without_a_truth():
    for kind in (nn.ModuleList, nn.ModuleDict):
        with pytest.raises(TypeError):
            kind(tc.ones(2))


# --- Of parameters ------------------------------------------------------------------------------


def test_parameter_list():
    box = nn.ParameterList([tc.ones(2, 3), 3, nn.Parameter(tc.zeros(1))])
    box.append(tc.ones(2)).extend([tc.zeros(4)])
    box += (tc.ones(1),)
    assert list(dict(box.named_parameters())) == ["0", "2", "3", "4", "5"]
    assert len(box) == 6
    assert box[1] == 3
    assert box[-1] is box[5]
    assert isinstance(box[1:3], nn.ParameterList)
    assert len(box[1:3]) == 2
    box[1] = tc.ones(1)
    assert isinstance(box[1], nn.Parameter)
    box[0] = "text"
    assert list(dict(box.named_parameters())) == ["2", "3", "4", "5", "1"]
    assert repr(nn.ParameterList([tc.ones(2, 3), 3])) == (
        "ParameterList(\n"
        "    (0): Parameter containing: [torch.float32 of size 2x3]\n"
        "    (1): Object of type: int\n"
        ")"
    )
    with pytest.raises(IndexError, match="index 6 is out of range"):
        box[6]
    with pytest.raises(TypeError, match="should be called with an iterable, but got int"):
        box.extend(3)
    with pytest.raises(RuntimeError, match="ParameterList should not be called"):
        box(1)


def test_parameter_dict():
    box = nn.ParameterDict({"left": tc.ones(2)})
    box["right"] = tc.zeros(1)
    box.update([("name", "text")])
    assert list(box) == list(box.keys()) == ["left", "right", "name"]
    assert list(reversed(box)) == ["name", "right", "left"]
    assert list(box.state_dict()) == ["left", "right"]
    assert box.left is box["left"]
    assert isinstance(box.left, nn.Parameter)
    assert box.get("name") == "text"
    assert box.get("no", 3) == box.setdefault("new", 3) == 3
    assert box.popitem() == ("new", 3)
    assert box.pop("name") == "text"
    assert "name" not in box
    assert dict(box.copy().items()) == dict(box.items())
    assert list(box | {"more": 1}) == ["left", "right", "more"]
    assert list({"more": 1} | box) == ["more", "left", "right"]
    assert dict(box.fromkeys("ab", 1).items()) == {"a": 1, "b": 1}
    assert repr(box) == (
        "ParameterDict(\n"
        "    (left): Parameter containing: [torch.FloatTensor of size 2]\n"
        "    (right): Parameter containing: [torch.FloatTensor of size 1]\n"
        ")"
    )
    twin = copy.deepcopy(box)
    assert twin["left"] is not box["left"]
    assert twin["left"].equal(box["left"])
    del box["left"]
    assert list(box.values()) == [box["right"]]
    box.clear()
    assert list(box.parameters()) == []
    with pytest.raises(TypeError, match="cannot be used as a key as it is not a string"):
        box[3] = 1
    with pytest.raises(KeyError, match="attribute 'keys' already exists"):
        box["keys"] = tc.ones(1)
    assert "keys" not in box


def test_pop_and_extend_take_pytorchs_names():
    chain = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.ELU())
    assert isinstance(chain.pop(key=-1), nn.ELU)
    assert len(chain.extend(sequential=nn.Sequential(nn.ELU()))) == 3
    assert len(chain.pop(slice(1, 3))) == 2
    assert len(nn.ModuleList().extend(modules=[nn.ReLU()])) == 1
    with pytest.raises(TypeError, match=r"^Sequential.pop\(\) missing 1 required .*'key'"):
        chain.pop()


def test_the_union_of_parameter_dicts_and_dicts():
    box, other = nn.ParameterDict({"a": tc.ones(1)}), {"b": tc.zeros(1)}
    assert type(box | other) is nn.ParameterDict
    assert list(box | other) == ["a", "b"]
    assert type(other | box) is dict
    assert list(other | box) == ["b", "a"]
    assert list(other) == ["b"]
    for key in (0, None, 1.0):
        for call in (lambda key=key: box[key], lambda key=key: box.pop(key)):
            with pytest.raises(TypeError, match="cannot be used as a key as it is not a string"):
                call()


def test_operators_in_place_with_a_module_are_no_operators():
    x = tc.ones(2, dtype=tc.int64)
    for act in ("__ior__", "__iand__", "__ixor__"):
        with pytest.raises(TypeError, match="unsupported operand"):
            getattr(x, act)(nn.ReLU())
