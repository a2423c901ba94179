"""The state of modules: saved and loaded, with hooks and overrides."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import nn

from .nets import Net


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


class Renaming(nn.Linear):
    """A module that also loads an old name of its weight, and has state that is no tensor."""

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


# --- Versions -------------------------------------------------------------------------------------


class Second(nn.Linear):
    """A layer whose state has a second form; in the first one the weight had another name."""

    _version = 2

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        if local_metadata.get("version", 1) < 2:
            state_dict[prefix + "weight"] = state_dict.pop(prefix + "kernel")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


def test_the_version_of_each_module_is_in_the_metadata():
    net = nn.Sequential(Second(1, 1), nn.Sequential(nn.BatchNorm1d(1)))
    state = net.state_dict()
    assert list(state._metadata.items()) == [
        ("", {"version": 1}), ("0", {"version": 2}), ("1", {"version": 1}), ("1.0", {"version": 2}),
    ]  # fmt: skip
    assert list(net.state_dict(prefix="net.")._metadata) == ["net", "net.0", "net.1", "net.1.0"]
    plain = {}
    assert net.state_dict(destination=plain) is plain


def test_a_state_of_an_older_version_is_read():
    net = nn.Sequential(Second(1, 1, bias=False))
    net.load_state_dict({"0.kernel": tc.full((1, 1), 3.0)})
    assert net[0].weight.item() == 3.0
    state = net.state_dict()
    state["0.weight"].fill_(4.0)
    net.load_state_dict(state)
    assert net[0].weight.item() == 4.0


def test_hooks_see_the_metadata():
    net, seen = nn.BatchNorm1d(1), []
    net.register_state_dict_post_hook(lambda m, state, prefix, metadata: seen.append(metadata))
    net.register_load_state_dict_pre_hook(
        lambda m, state, prefix, metadata, *rest: seen.append(metadata["version"])
    )
    net.load_state_dict(net.state_dict())
    assert seen == [{"version": 2}, 2]


def test_batch_norm_counted_no_batches_before_version_2():
    net = nn.BatchNorm1d(1)
    state = net.state_dict()
    del state["num_batches_tracked"]
    with pytest.raises(RuntimeError, match="Missing key.*num_batches_tracked"):
        net.load_state_dict(state)
    state._metadata[""]["version"] = 1
    net.load_state_dict(state)
    net.load_state_dict(dict(state))  # no metadata at all
    assert net.num_batches_tracked.item() == 0
