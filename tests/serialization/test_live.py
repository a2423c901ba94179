"""Files in both directions with PyTorch itself, if it is installed."""

import io
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import tinygrad_cnn as tc
from tests.serialization import objects
from tests.serialization.values import alike, arrays, nests, saved

torch = pytest.importorskip("torch")

NUMPYS = ("np.", "array(", "range(", "frozenset(")  # in the text of what weights_only refuses
NEWER = (
    "uint16",
    "uint32",
    "uint64",
)  # PyTorch writes these in the old format, and cannot read them


def theirs(value):
    """The same value of PyTorch's types."""
    if isinstance(value, tc.nn.Parameter):
        return torch.nn.Parameter(torch.tensor(value.detach().numpy()), value.requires_grad)
    if isinstance(value, tc.Tensor):
        return torch.tensor(value.detach().numpy(), requires_grad=value.requires_grad)
    if isinstance(value, tc.dtype):
        return getattr(torch, str(value).removeprefix("torch."))
    if isinstance(value, tc.Size):
        return torch.Size(value)
    if isinstance(value, tc.device):
        return torch.device(str(value))
    if type(value) in (list, tuple):
        return type(value)(map(theirs, value))
    if isinstance(value, dict) and type(value) is not Counter:
        return type(value)((k, theirs(v)) for k, v in value.items())
    return value


def same(a, b):
    """Whether PyTorch's value has the same content, types included."""
    if isinstance(a, torch.Tensor):
        if isinstance(a, torch.nn.Parameter) != isinstance(b, torch.nn.Parameter):
            return False
        return (
            a.dtype == b.dtype and a.shape == b.shape and a.requires_grad == b.requires_grad
            and a.detach().numpy().tobytes() == b.detach().numpy().tobytes()
        )  # fmt: skip
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        pairs = zip(a.items(), b.items(), strict=True)
        return all(same(k, m) and same(v, w) for (k, v), (m, w) in pairs)
    if isinstance(a, (list, tuple)) and not isinstance(a, torch.Size):
        return len(a) == len(b) and all(map(same, a, b))
    return alike(a, b)


def loaded(data, **how):
    return torch.load(io.BytesIO(data), **how)


@given(nests, st.booleans())
def test_pytorch_reads_what_is_saved(value, new):
    refused = any(word in repr(value) for word in NUMPYS)
    file = io.BytesIO()
    new = new or any(dtype in repr(value) for dtype in NEWER)
    tc.save(value, file, _use_new_zipfile_serialization=new)
    assert same(loaded(file.getvalue(), weights_only=not refused), theirs(value))


@given(nests, st.sampled_from([2, 3, 4, 5]), st.booleans())
def test_what_pytorch_saves_is_read(value, protocol, new):
    file = io.BytesIO()
    torch.save(theirs(value), file, pickle_protocol=protocol, _use_new_zipfile_serialization=new)
    file.seek(0)
    assert alike(tc.load(file), value)


@given(arrays, st.data())
def test_layouts_in_both_directions(array, data):
    x = torch.tensor(array)
    axes = data.draw(st.permutations(range(x.ndim)))
    view = x.permute(axes)
    if x.ndim and x.shape[axes[0]]:
        view = view[data.draw(st.integers(0, x.shape[axes[0]] - 1)) :]
    file = io.BytesIO()
    torch.save([x, view], file)
    file.seek(0)
    mine = tc.load(file)
    assert mine[1].shape == tuple(view.shape)
    assert mine[1].tolist() == view.tolist() or x.is_floating_point()
    if view.numel():
        assert mine[1].stride() == view.stride()
        assert mine[1].data_ptr() - mine[0].data_ptr() == view.data_ptr() - x.data_ptr()
    for new in (True, False):
        if not new and str(array.dtype) in NEWER:
            continue
        file = io.BytesIO()
        tc.save(mine, file, _use_new_zipfile_serialization=new)
        back = loaded(file.getvalue())
        assert all(map(same, back, [x, view]))
        if view.numel():
            assert back[1].data_ptr() - back[0].data_ptr() == view.data_ptr() - x.data_ptr()


@pytest.mark.parametrize("make", [objects.layouts, objects.containers, objects.dtypes])
def test_objects(make, tmp_path):
    tc.save(make(tc), tmp_path / "x.pt")
    for how in ({}, {"mmap": True}, {"map_location": "cpu"}):
        back = torch.load(tmp_path / "x.pt", **how)
        assert all(map(same, back.values(), make(torch).values()))


@pytest.mark.parametrize("name", objects.OPTIMIZERS)
def test_training_goes_on_over_there(name, tmp_path):
    mine, other = objects.run(tc, name), objects.run(torch, name)
    objects.train(tc, *mine, 3)
    tc.save([part.state_dict() for part in mine], tmp_path / "x.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, about schedules
        for part, state in zip(other, torch.load(tmp_path / "x.pt"), strict=True):
            part.load_state_dict(state)
        wanted = objects.train(torch, *other, 3)
    np.testing.assert_allclose(objects.train(tc, *mine, 3), wanted, rtol=2e-5)


@settings(max_examples=5)
@given(st.integers(0, 2**31))
def test_random_state_dicts(seed):
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.PReLU())
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    mine = tc.nn.Sequential(tc.nn.Conv2d(1, 2, 3), tc.nn.BatchNorm2d(2), tc.nn.PReLU())
    mine.load_state_dict(tc.load(file))
    state = loaded(saved(mine.state_dict()))
    assert state._metadata == net.state_dict()._metadata
    assert same(state, net.state_dict())
