"""Folders of files, random images, and the base of data sets."""

import sys

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.utils.data import DataLoader
from tinygrad_cnn.utils.datasets import DatasetFolder, FakeData, ImageFolder, VisionDataset
from tinygrad_cnn.utils.transforms import ToTensor


@pytest.fixture
def tree(tmp_path):
    for path in ("dog/b.txt", "dog/a.txt", "dog/in/c.TXT", "dog/x.csv", "cat/z.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    (tmp_path / "a file").write_text("")
    return tmp_path


def read(path):
    with open(path) as file:
        return file.read()


def test_folders(tree):
    data = DatasetFolder(tree, read, (".txt",))
    assert (data.classes, data.class_to_idx) == (["cat", "dog"], {"cat": 0, "dog": 1})
    assert [*data] == [("cat/z.txt", 0), ("dog/a.txt", 1), ("dog/b.txt", 1), ("dog/in/c.TXT", 1)]
    assert data.targets == [0, 1, 1, 1]
    assert data.samples[0] == (str(tree / "cat" / "z.txt"), 0)
    valid = DatasetFolder(str(tree), read, is_valid_file=lambda p: p.endswith(("z.txt", "csv")))
    assert [*valid] == [("cat/z.txt", 0), ("dog/x.csv", 1)]
    changed = DatasetFolder(tree, read, (".txt",), str.upper, lambda k: -k)
    assert changed[-1] == ("DOG/IN/C.TXT", -1)


def test_errors_of_folders(tree):
    with pytest.raises(ValueError, match="Both extensions and is_valid_file"):
        DatasetFolder(tree, read)
    with pytest.raises(FileNotFoundError, match=r"classes cat\. Supported extensions are: \.csv$"):
        DatasetFolder(tree, read, (".csv",))
    assert len(DatasetFolder(tree, read, (".csv",), allow_empty=True)) == 1
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder"):
        DatasetFolder(tree / "cat", read, (".txt",))


def test_images(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "image.png")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "b" / "z.png")
    data = ImageFolder(tmp_path)
    assert (data[0][0] == pixels).all()
    assert data[0][0].flags.writeable
    assert data[2][0].shape == (4, 5, 3)  # grey
    assert data.imgs is data.samples
    x, t = next(iter(DataLoader(ImageFolder(tmp_path, ToTensor()), 3)))
    assert (tuple(x.shape), t.tolist()) == ((3, 3, 4, 5), [0, 1, 1])


def test_images_without_pillow_name_the_extra(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"")
    data = ImageFolder(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"tinygrad_cnn\[images\]"):
        data[0]
    assert ImageFolder(tmp_path, loader=str)[0] == (str(tmp_path / "a" / "x.png"), 0)


def test_fake_data():
    data = FakeData(3, (1, 2, 4), 7, random_offset=5)
    assert data[1][0].shape == (2, 4, 1)
    before = tc.get_rng_state()
    assert (data[1][0] == FakeData(9, (1, 2, 4), 7, random_offset=4)[2][0]).all()
    assert (tc.get_rng_state() == before).all()
    assert {type(label) for _, label in data} == {int}
    assert (data[-1][0] == data[2][0]).all()
    with pytest.raises(IndexError, match="FakeData index out of range"):
        data[3]
    assert str(data) == "Dataset FakeData\n    Number of datapoints: 3"


def test_the_base():
    class Pair(VisionDataset):
        def __getitem__(self, index):
            return self.transforms(index, index)

        def __len__(self):
            return 2

        def extra_repr(self):
            return "Extra"

    data = Pair("~/x", transforms=lambda a, b: (a, b + 1))
    assert (data[1], "~" in data.root, "    Extra\n" in str(data)) == ((1, 2), False, True)
    assert len(Pair() + data) == 4
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform"):
        Pair(transforms=max, transform=abs)
