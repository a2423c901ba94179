"""Files that PyTorch 2.13 wrote: `record.py` makes them, objects.py says what is in them."""

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tc
from tests.serialization import objects
from tests.serialization.values import alike, saved
from tinygrad_cnn.serialization import CheckpointError

FOLDER = Path(__file__).with_name("recorded")
LOSSES = json.loads((FOLDER / "losses.json").read_text())


@pytest.mark.parametrize("ending", ["pt", "old.pt"])
@pytest.mark.parametrize(
    "make", [objects.dtypes, objects.layouts, objects.containers, objects.arrays]
)
def test_objects(make, ending):
    found, wanted = tc.load(FOLDER / f"{make.__name__}.{ending}"), make(tc)
    assert alike(found, wanted)
    if make is objects.layouts:
        assert {k: x.stride() for k, x in found.items()} == {
            k: x.stride() for k, x in wanted.items()
        }


def test_another_protocol():
    assert alike(tc.load(FOLDER / "containers.protocol4.pt"), objects.containers(tc))


@pytest.mark.parametrize("ending", ["pt", "old.pt"])
def test_storages_stay_shared(ending):
    found = tc.load(FOLDER / f"layouts.{ending}")
    assert found["whole"] is found["again"]
    found["whole"][1, 2, 2] = -1.0
    assert found["part"][1, 2].item() == found["turned"][2, 1, 2].item() == -1.0
    assert found["every other"][1, 2, 1].item() == -1.0
    with tc.no_grad():
        found["weight"].fill_(3.0)
    assert found["tied"].tolist() == [[3.0, 3.0], [3.0, 3.0]]


def test_the_same_pickle_is_written():
    """Instruction for instruction, where the storages are the same."""
    for make in (objects.dtypes, objects.containers):
        with zipfile.ZipFile(FOLDER / f"{make.__name__}.pt") as opened:
            wanted = opened.read(f"{make.__name__}/data.pkl")
        with zipfile.ZipFile(io.BytesIO(saved(make(tc)))) as opened:
            assert opened.read("archive/data.pkl") == wanted
    with zipfile.ZipFile(FOLDER / "Adam.pt") as opened:
        wanted = opened.read("Adam/data.pkl")
    with zipfile.ZipFile(io.BytesIO(saved(tc.load(FOLDER / "Adam.pt")))) as opened:
        assert opened.read("archive/data.pkl") == wanted


@pytest.mark.parametrize("name", objects.OPTIMIZERS)
def test_training_goes_on(name):
    parts = objects.run(tc, name)
    for part, state in zip(parts, tc.load(FOLDER / f"{name}.pt"), strict=True):
        part.load_state_dict(state)
    losses = objects.train(tc, *parts, len(LOSSES[name]))
    np.testing.assert_allclose(losses, LOSSES[name], rtol=2e-5)


@pytest.mark.parametrize("file, words", [
    ("complex.pt", "is not supported: it holds a tensor in a ComplexFloatStorage"),
    ("sparse.pt", "is not supported: it holds a sparse tensor"),
    ("model.pt", r"whole model, .* torch\.save\(model\.state_dict\(\), 'weights\.pth'\)"),
    ("model.old.pt", r"whole model, .* torch\.save\(model\.state_dict\(\), 'weights\.pth'\)"),
    ("object.pt", r"it needs .*\.Net, .* serialization\.safe_globals allows it"),
])  # fmt: skip
def test_what_is_not_read_says_why(file, words):
    with pytest.raises(CheckpointError, match=words):
        tc.load(FOLDER / file, weights_only=False)


@pytest.mark.parametrize("ending", ["pt", "old.pt"])
def test_bfloat16(ending):
    pytest.importorskip("ml_dtypes")
    if not hasattr(tc, "bfloat16"):
        pytest.skip("no Tensor has this dtype yet")
    x = tc.load(FOLDER / f"bfloat16.{ending}")
    assert x.numpy().dtype.name == "bfloat16"
    assert x.numpy().astype(np.float32).tolist() == pytest.approx([1.0, -2.5, 3e38], rel=1e-2)
    assert alike(tc.load(io.BytesIO(saved(x))), x)


@pytest.mark.parametrize("ending", ["pt", "old.pt"])
def test_bfloat16_without_its_package(ending, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    if hasattr(tc, "bfloat16"):
        monkeypatch.setattr(tc.bfloat16, "_numpy", None)  # as before its first use
    with pytest.raises(ImportError, match=r"pip install 'tinygrad_cnn\[bfloat16\]'"):
        tc.load(FOLDER / f"bfloat16.{ending}")


# --- The older format -----------------------------------------------------------------------------


def test_every_cut_of_an_old_file_is_noticed():
    data = (FOLDER / "layouts.old.pt").read_bytes()
    for length in range(len(data)):
        with pytest.raises(CheckpointError, match=r"^the file: is "):
            tc.load(io.BytesIO(data[:length]))


def test_objects_that_follow_an_old_file_can_be_read():
    data = (FOLDER / "arrays.old.pt").read_bytes()
    file = io.BytesIO(data + data)
    for _ in range(2):
        assert alike(tc.load(file), objects.arrays(tc))


def test_old_files_cannot_be_mapped():
    with pytest.raises(CheckpointError, match="the format before PyTorch 1.6: mmap cannot be used"):
        tc.load(FOLDER / "layouts.old.pt", mmap=True)
