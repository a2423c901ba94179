"""Module: what is registered, how it is found, copied, saved, loaded, moved and shown."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import nn


class Net(nn.Module):
    """Two linear layers, a buffer of each kind, and a layer that is there twice."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(tc.ones(1))
        self.first = nn.Linear(3, 4)
        self.again = self.first
        self.register_buffer("offset", tc.zeros(4))
        self.register_buffer("scratch", tc.zeros(2), persistent=False)
        self.act = nn.ReLU()
        self.second = nn.Linear(4, 2, bias=False)

    def forward(self, x):
        return self.second(self.act(self.first(x) * self.scale + self.offset))


def names(pairs):
    return [name for name, _ in pairs]


# --- What there is --------------------------------------------------------------------------------


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
    """Against a plain recursion, on trees in which modules and parameters are shared."""
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
    net.extra = nn.Parameter(tc.zeros(1))  # a plain attribute gives way
    assert "extra" not in net.__dict__
    assert names(net.named_parameters())[-2:] == ["extra", "first.weight"]
    net.extra = nn.ReLU()  # and a parameter to a module of the same name
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
        (lambda m: m.to(tc.int64), TypeError, "only accepts floating point dtypes, .*=int64"),
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


def test_get_by_dotted_name():
    net = nn.Sequential(Net(), nn.BatchNorm1d(2))
    assert net.get_submodule("") is net
    assert net.get_submodule("0.first") is net[0].first
    assert net.get_parameter("0.first.weight") is net[0].first.weight
    assert net.get_buffer("1.running_mean") is net[1].running_mean


# --- Parameter ------------------------------------------------------------------------------------


def test_a_parameter_is_a_leaf_on_the_same_memory():
    data = tc.tensor([1.0, 2.0])
    p = nn.Parameter(data)
    assert isinstance(p, tc.Tensor)
    assert p.is_leaf
    assert p.requires_grad
    with tc.no_grad():
        data.mul_(3.0)
    assert p.tolist() == [3.0, 6.0]
    assert repr(p) == "Parameter containing:\ntensor([3., 6.], requires_grad=True)"
    assert not nn.Parameter(tc.arange(3), requires_grad=False).requires_grad
    assert nn.Parameter().shape == (0,)
    assert nn.Parameter(p * 2).is_leaf, "a result of the graph is cut off from it"
    (p * p).sum().backward()
    assert p.grad.tolist() == [6.0, 12.0]
    assert not isinstance(p * 1, nn.Parameter)
    assert not isinstance(p.detach(), nn.Parameter)


# --- Everything below at once ---------------------------------------------------------------------


def test_train_eval_apply_and_requires_grad():
    net, seen = Net(), []
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train() is net
    assert all(m.training for m in net.modules())
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Linear", "Net"]
    assert net.requires_grad_(False) is net
    assert not any(p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    net = Net()
    net(tc.ones(2, 3)).sum().backward()
    held = net.first.weight.grad
    net.zero_grad(set_to_none)
    if set_to_none:
        assert all(p.grad is None for p in net.parameters())
    else:
        assert net.first.weight.grad is held
        assert all((p.grad == 0).all() for p in net.parameters())
    assert nn.Linear(1, 1).zero_grad(False) is None  # no gradients: nothing to do


def test_zero_grad_of_a_recorded_gradient_leaves_its_graph_alone():
    p = nn.Parameter(tc.tensor([2.0]))
    (p**3).sum().backward(create_graph=True)
    recorded = p.grad
    net = nn.Module()
    net.p = p
    net.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0]
    assert recorded.tolist() == [12.0]
    (second,) = tc.autograd.grad(recorded, p)
    assert second.tolist() == [12.0]


@pytest.mark.parametrize("how", [
    lambda m: m.double(), lambda m: m.to(tc.float64), lambda m: m.to("cpu", tc.float64),
    lambda m: m.to(dtype=tc.float64), lambda m: m.to(tc.zeros(1, dtype=tc.float64)),
])  # fmt: skip
def test_to_changes_floating_tensors_in_place(how):
    net = nn.Sequential(Net(), nn.BatchNorm1d(2))
    parameters = list(net.parameters())
    net(tc.ones(2, 3)).sum().backward()
    assert how(net) is net
    assert list(map(id, net.parameters())) == list(map(id, parameters))
    assert all(p.dtype == p.grad.dtype == tc.float64 for p in parameters)
    assert net[0].offset.dtype == net[1].running_var.dtype == tc.float64
    assert net[1].num_batches_tracked.dtype == tc.int64
    net(tc.ones(2, 3, dtype=tc.float64)).sum().backward()
    assert net[0].scale.grad.dtype == tc.float64
    assert net.half()[0].scale.dtype == tc.float16
    assert net.float()[0].scale.dtype == tc.float32
    assert net.cpu().to("cpu") is net


# --- State ----------------------------------------------------------------------------------------


def test_state_dict_has_names_in_order_and_shares_memory():
    net = Net()
    state = net.state_dict()
    assert list(state) == ["scale", "offset", "first.weight", "first.bias", "again.weight",
                           "again.bias", "second.weight"]  # fmt: skip
    assert not any(t.requires_grad for t in state.values())
    with tc.no_grad():
        net.scale.fill_(7.0)
    assert state["scale"].tolist() == [7.0]
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    mine = {}
    assert net.state_dict(destination=mine, prefix="net.") is mine
    assert next(iter(mine)) == "net.scale"


@given(st.integers(0, 2**32))
def test_what_is_saved_loads(seed):
    tc.manual_seed(seed)
    a, b = (nn.Sequential(Net(), nn.BatchNorm1d(2)) for _ in range(2))
    a(tc.randn(5, 3))
    places = [t._array for t in b.state_dict(keep_vars=True).values()]
    report = b.load_state_dict(a.state_dict())
    assert report == ([], [])
    assert repr(report) == str(report) == "<All keys matched successfully>"
    x = tc.randn(4, 3)
    assert a.eval()(x).equal(b.eval()(x))
    assert all(t._array is p for t, p in zip(b.state_dict(keep_vars=True).values(), places,
                                              strict=True))  # fmt: skip


def test_arrays_load_and_take_the_dtype_of_the_place():
    net = nn.Linear(2, 1)
    net.load_state_dict({"weight": np.array([[1.0, 2.0]]), "bias": np.array([3])})
    assert net.weight.tolist() == [[1.0, 2.0]]
    assert net.weight.dtype == net.bias.dtype == tc.float32
    assert net.bias.tolist() == [3.0]


def test_a_state_that_does_not_fit_is_one_error_and_loads_nothing():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = {name: t.clone() for name, t in net.state_dict().items()}
    state = {"0.weight": tc.ones(1), "1.weight": tc.ones(1, 3), "0.bias": 3, "more": tc.ones(1)}
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    assert str(caught.value) == (
        "Error(s) in loading state_dict for Sequential:\n"
        '\tMissing key(s) in state_dict: "1.bias". \n'
        '\tUnexpected key(s) in state_dict: "more". \n'
        "\tsize mismatch for 0.weight: copying a param with shape [1] from checkpoint, the shape "
        "in current model is [3, 2].\n"
        '\tWhile copying the parameter named "0.bias", expected a Tensor or an array from '
        "checkpoint but received <class 'int'>"
    )
    with pytest.raises(RuntimeError, match=r"size mismatch for 0\.weight") as caught:
        net.load_state_dict({"0.weight": tc.ones(1), "1.weight": tc.ones(1, 3)}, strict=False)
    assert "Missing" not in str(caught.value)
    assert all(t.equal(before[name]) for name, t in net.state_dict().items())
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like, got <class 'int'>"):
        net.load_state_dict(3)


def test_loading_what_is_there_and_reporting_the_rest():
    net = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    report = net.load_state_dict({"0.bias": tc.tensor([5.0]), "x": tc.ones(1)}, strict=False)
    assert net[0].bias.tolist() == [5.0]
    assert report.missing_keys == ["0.weight", "1.weight", "1.bias", "1.running_mean",
                                   "1.running_var"]  # fmt: skip
    assert report.unexpected_keys == ["x"]
    assert repr(report).startswith("_IncompatibleKeys(missing_keys=['0.weight', ")


def test_loading_by_assignment():
    net, weight, bias = nn.Linear(2, 1), tc.ones(1, 2, dtype=tc.float64), np.zeros(1)
    net.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    assert isinstance(net.weight, nn.Parameter)
    assert net.weight.dtype == tc.float64
    assert net.bias.requires_grad
    with tc.no_grad():
        weight.fill_(4.0)
    assert net.weight.tolist() == [[4.0, 4.0]]


def test_assigned_parameters_and_buffers_are_those_given():
    net = nn.BatchNorm1d(1)
    given_ones = {name: tc.ones(1) for name in ("bias", "running_mean", "running_var")}
    weight = nn.Parameter(tc.ones(1))
    net.load_state_dict({"weight": weight, **given_ones}, assign=True)
    assert net.weight is weight
    assert np.shares_memory(net.running_mean.numpy(), given_ones["running_mean"].numpy())


def test_what_cannot_be_written_is_said_before_anything_is():
    net = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match='"bias": it is of dtype complex128'):
        net.load_state_dict({"weight": tc.zeros(1, 1), "bias": np.ones(1, complex)})
    locked = np.ones(1, np.float32)
    locked.flags.writeable = False
    net.bias = nn.Parameter(tc.from_numpy(locked))
    before = net.weight.clone()
    with pytest.raises(RuntimeError, match="the memory of the model is read-only"):
        net.load_state_dict({"weight": tc.zeros(1, 1), "bias": tc.zeros(1)})
    assert net.weight.equal(before)


def test_a_write_by_loading_is_seen_by_a_graph_that_saved_the_weight():
    net = nn.Linear(2, 2)
    y = net(tc.ones(1, 2, requires_grad=True))
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_equal_and_apart(twin):
    net = nn.Sequential(Net(), nn.BatchNorm1d(2))
    other = twin(net)
    assert str(other) == str(net)
    assert other[0].again is other[0].first
    assert isinstance(other[0].scale, nn.Parameter)
    for (name, a), (same, b) in zip(net.state_dict().items(), other.state_dict().items(),
                                     strict=True):  # fmt: skip
        assert name == same
        assert a.equal(b)
        assert not np.shares_memory(a.numpy(), b.numpy())
    other(tc.ones(2, 3)).sum().backward()
    assert net[0].scale.grad is None
    assert other[0]._not_persistent == {"scratch"}


def test_an_empty_shell_raises_and_does_not_recurse():
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'x'"):
        object.__new__(Net).x  # noqa: B018


def test_a_tower_of_modules_needs_no_deep_stack():
    tower = nn.Module()
    for _ in range(3000):
        above = nn.Module()
        above.below = tower
        tower = above
    assert sum(1 for _ in tower.modules()) == 3001
    tower.eval()
    assert len(tower.state_dict()) == 0
    while "below" in tower._modules:  # or the interpreter takes it apart recursively
        tower = tower._modules.pop("below")


def test_a_module_is_freed_without_the_garbage_collector():
    gc.disable()
    try:
        net = nn.Sequential(Net(), nn.ReLU())
        net(tc.ones(2, 3)).sum().backward()
        gone = weakref.ref(net[0])
        del net
        assert gone() is None
    finally:
        gc.enable()


# --- Hooks ----------------------------------------------------------------------------------------


def test_forward_hooks_see_and_change():
    net, seen = nn.Linear(2, 2), []
    pre = net.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
    first = net.register_forward_pre_hook(lambda m, args: seen.append("first"), prepend=True)
    single = net.register_forward_pre_hook(lambda m, args: seen.append(args[0].tolist()))
    post = net.register_forward_hook(lambda m, args, y: y * 0 + len(args))
    x = tc.ones(1, 2)
    assert net(x).tolist() == [[1.0, 1.0]]
    assert seen == ["first", [[2.0, 2.0]]]
    for handle in (pre, single, post):
        handle.remove()
        handle.remove()
    with first:
        pass
    assert net(x).equal(nn.functional.linear(x, net.weight, net.bias))
    assert len(seen) == 2


def test_forward_hooks_with_keyword_arguments():
    class Add(nn.Module):
        def forward(self, x, *, other):
            return x + other

    add = Add()
    add.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"other": kwargs["other"] * 10}), with_kwargs=True
    )
    add.register_forward_hook(lambda m, args, kwargs, y: y + kwargs["other"], with_kwargs=True)
    assert add(tc.tensor(1.0), other=tc.tensor(2.0)).item() == 41.0
    add.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="new args and kwargs"):
        add(tc.tensor(1.0), other=tc.tensor(2.0))


def test_backward_hook_sees_both_gradients_and_may_replace_the_first():
    layer, seen = nn.Linear(2, 3), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi[0].clone(), go[0].clone())))
    x = tc.randn(4, 2, requires_grad=True)
    y = layer(x)
    g = tc.randn(4, 3)
    (y * g).sum().backward()
    ((grad_input, grad_output),) = seen
    assert grad_output.allclose(g)
    assert grad_input.allclose(g @ layer.weight.detach())
    assert x.grad.allclose(grad_input)
    handle = layer.register_full_backward_hook(lambda m, gi, go: (gi[0] * 0,))
    x.grad = None
    layer(x).sum().backward()
    assert (x.grad == 0).all()
    handle.remove()
    layer.register_full_backward_hook(lambda m, gi, go: gi * 2)
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
        layer(x).sum().backward()


def test_backward_hook_where_the_input_needs_no_gradient_and_relu_follows_in_place():
    conv, seen = nn.Conv2d(1, 2, 3), []
    conv.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].shape)))
    net = nn.Sequential(conv, nn.ReLU(inplace=True))
    net(tc.randn(1, 1, 5, 5)).sum().backward()
    assert seen == [((None,), (1, 2, 3, 3))]
    with tc.no_grad():
        net(tc.randn(1, 1, 5, 5))
    assert len(seen) == 1


def test_backward_hooks_that_are_not_there_say_so():
    class Two(nn.Module):
        def forward(self, *xs):
            return xs[0] + xs[1] if len(xs) == 2 else list(xs)

    two = Two()
    two.register_full_backward_hook(lambda m, gi, go: None)
    x = tc.ones(1, requires_grad=True)
    with pytest.raises(NotImplementedError, match="2 Tensors that require grad"):
        two(x, x)
    with pytest.raises(NotImplementedError, match="it returned a list"):
        two(x)
    assert two(x, tc.ones(1)).item() == 2.0


# --- Text -----------------------------------------------------------------------------------------


def test_the_representation_is_indented_as_pytorchs():
    class Lines(nn.Module):
        def extra_repr(self):
            return "a=1\nb=2"

    assert repr(Lines()) == "Lines(\n  a=1\n  b=2\n)"
    outer = Lines()
    outer.inner = nn.Sequential(nn.ReLU(), Lines())
    outer.none = None
    assert repr(outer) == (
        "Lines(\n"
        "  a=1\n"
        "  b=2\n"
        "  (inner): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Lines(\n"
        "      a=1\n"
        "      b=2\n"
        "    )\n"
        "  )\n"
        ")"
    )


def test_threads_may_call_one_module():
    net, x = nn.Sequential(nn.Linear(3, 3), nn.ReLU()), tc.randn(5, 3)
    wanted, found = net(x), []
    threads = [threading.Thread(target=lambda: found.append(net(x))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(y.equal(wanted) for y in found)


# --- Hooks and overrides around the state -------------------------------------------------------


class Renaming(nn.Linear):
    """Knows its weight under an old name, and has state that is no tensor."""

    calls = 0

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "more"] = tc.ones(1)

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        if prefix + "w" in state_dict:
            state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")
        state_dict.pop(prefix + "more", None)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def get_extra_state(self):
        return {"calls": self.calls}

    def set_extra_state(self, state):
        self.calls = state["calls"]


def test_modules_may_save_and_load_in_their_own_way():
    net = nn.Sequential(Renaming(2, 2), nn.Linear(2, 1))
    net[0].calls = 7
    state = net.state_dict()
    assert list(state) == ["0.weight", "0.bias", "0._extra_state", "0.more", "1.weight", "1.bias"]
    state["0.w"] = state.pop("0.weight")
    given = list(state)
    other = nn.Sequential(Renaming(2, 2), nn.Linear(2, 1))
    assert repr(other.load_state_dict(state)) == "<All keys matched successfully>"
    assert list(state) == given
    assert other[0].weight.equal(net[0].weight)
    assert other[0].calls == 7
    del state["0._extra_state"]
    state["1.bias"] = tc.ones(9)
    before = other[0].weight.detach().clone()
    net[0].weight.detach().zero_()
    with pytest.raises(
        RuntimeError, match=r"Missing key.*0._extra_state.*\n.*size mismatch for 1.bias"
    ):
        other.load_state_dict(state)
    assert other[0].weight.equal(before)


def test_hooks_around_the_state():
    log = []
    net = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    net.register_state_dict_pre_hook(lambda m, prefix, keep: log.append(("save", prefix, keep)))
    net[0].register_state_dict_post_hook(lambda m, state, prefix, meta: log.append(len(state)))
    net[1].register_load_state_dict_pre_hook(lambda m, state, prefix, *rest: state.pop("1.more"))
    with pytest.raises(RuntimeError, match="must return None"):
        net.load_state_dict({**net.state_dict(), "1.more": tc.ones(1)})
    net[1]._hooks.before_load.clear()
    net[1].register_load_state_dict_pre_hook(lambda m, state, *rest: state.__delitem__("1.more"))
    log.clear()
    state = net.state_dict(prefix="net.", keep_vars=True)
    assert log == [("save", "net.", True), 2]
    assert state["net.0.weight"] is net[0].weight
    handle = net.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
    net.load_state_dict({"1.more": tc.ones(1)})
    handle.remove()
    with pytest.raises(RuntimeError, match="Missing key"):
        net.load_state_dict({"1.more": tc.ones(1)})
    with pytest.warns(FutureWarning, match="Positional args are being deprecated"):
        assert "x.0.weight" in net.state_dict({}, "x.")


def test_a_hook_that_is_always_called_sees_a_failure():
    log = []
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(lambda m, args, y: log.append(y is None), always_call=True)
    layer.register_forward_hook(lambda m, args, y: log.append("only after"))
    with pytest.raises(RuntimeError):
        layer(tc.ones(1, 3))
    assert log == [True]
    layer(tc.ones(1, 2))
    assert log == [True, False, "only after"]


def test_a_backward_pre_hook_sees_and_replaces_the_gradient_of_the_output():
    layer, seen = nn.Linear(2, 1, bias=False), []
    layer.register_full_backward_pre_hook(lambda m, g: (g[0] * 2,))
    layer.register_full_backward_hook(lambda m, before, after: seen.append(after[0].item()))
    x = tc.ones(1, 2, requires_grad=True)
    layer(x).sum().backward()
    assert seen == [2]
    assert x.grad.equal(2 * layer.weight.detach())
    assert layer.weight.grad.tolist() == [[2, 2]]


def test_the_rest_of_the_surface():
    net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh()))
    net.set_submodule("1.0", nn.Sigmoid())
    assert isinstance(net[1][0], nn.Sigmoid)
    net.set_submodule("new", nn.ReLU())
    assert len(net) == 3
    for target, module, error in [
        ("", net, ValueError),
        ("0", 3, ValueError),
        ("a.b", net, AttributeError),
    ]:
        with pytest.raises(error):
            net.set_submodule(target, module)
    with pytest.raises(AttributeError, match="has no attribute `other`"):
        net.set_submodule("other", nn.ReLU(), strict=True)
    layer = nn.Linear(1, 1)
    twice = nn.Sequential(layer, layer)
    assert len(list(twice.modules())) == 2
    assert len(list(twice.modules(remove_duplicate=False))) == 3
    assert layer.type(tc.float64).weight.dtype == tc.float64
    assert layer.share_memory() is layer
    with pytest.raises(RuntimeError, match="device 'cuda' is not there"):
        layer.cuda()
