"""examples/train_mnist.py on small IDX files made here."""

import gzip

import numpy as np
import pytest

import tinygrad_cnn as tc

FILES = {
    "train-images-idx3-ubyte": 3, "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3, "t10k-labels-idx1-ubyte": 1,
}  # fmt: skip


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()


def write(folder, name, array, zipped):
    data = idx(array)
    path = folder / (f"{name}.gz" if zipped else name)
    path.write_bytes(gzip.compress(data) if zipped else data)
    return path


@pytest.fixture(params=[False, True], ids=["plain", "gzipped"])
def data(request, tmp_path):
    """Images with a bright row whose height is the label: easy to learn."""
    random = np.random.default_rng(0)
    folder = tmp_path / "data"
    folder.mkdir()
    for part, n in (("train", 200), ("t10k", 50)):
        labels = random.integers(0, 10, n).astype(np.uint8)
        images = random.integers(0, 60, (n, 12, 12)).astype(np.uint8)
        images[np.arange(n), labels + 1] = 255
        write(folder, f"{part}-images-idx3-ubyte", images, request.param)
        write(folder, f"{part}-labels-idx1-ubyte", labels, request.param)
    return folder


@pytest.fixture
def mnist(example):
    return example("train_mnist")


def stops(mnist, folder, *more):
    """The only line of the error that ends the program."""
    with pytest.raises(SystemExit) as stopped:
        mnist.main(["--data", str(folder), "--epochs", "1", *more])
    message = stopped.value.code
    assert isinstance(message, str)
    assert message.startswith("train_mnist.py: ")
    assert "\n" not in message
    return message


def test_it_learns(mnist, data, capsys):
    reached = mnist.main(
        ["--data", str(data), "--epochs", "6", "--batch-size", "20", "--lr", "0.01"]
    )
    assert reached > 0.8
    assert capsys.readouterr().out.startswith(f"test accuracy {reached:.2%} after 6 epochs")


def test_resume_equals_uninterrupted(mnist, data, tmp_path):
    def run(file, epochs, *more):
        settings = ["--batch-size", "32", "--seed", "5", "--epochs", epochs]
        mnist.main(["--data", str(data), *settings, "--save", str(tmp_path / file), *more])
        return tc.load(tmp_path / file)

    whole = run("whole.ckpt", "3")
    run("part.ckpt", "2")
    resumed = run("rest.ckpt", "3", "--resume", str(tmp_path / "part.ckpt"))
    assert resumed["epochs"] == whole["epochs"] == 3
    assert resumed["schedule"] == whole["schedule"]
    assert (resumed["random"] == whole["random"]).all()
    assert resumed["optimizer"]["param_groups"] == whole["optimizer"]["param_groups"]
    for name, value in whole["model"].items():
        assert (value == resumed["model"][name]).all(), name
    for number, state in whole["optimizer"]["state"].items():
        for name, value in state.items():
            assert np.all(
                np.asarray(value) == np.asarray(resumed["optimizer"]["state"][number][name])
            )
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "data",
        "part.ckpt",
        "rest.ckpt",
        "whole.ckpt",
    ]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(mnist, data, name):
    for path in data.glob(f"{name}*"):
        path.unlink()
    message = stops(mnist, data)
    assert f"there is no {name} and no {name}.gz in {data}" in message


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0, 3, 7, -1])
def test_a_truncated_file_is_named(mnist, data, name, keep):
    (path,) = data.glob(f"{name}*")
    path.write_bytes(path.read_bytes()[:keep])
    assert str(path) in stops(mnist, data)


def test_truncated_inside_the_gzip(mnist, data):
    path = data / "train-images-idx3-ubyte"
    if path.exists():
        whole = path.read_bytes()
        path.unlink()
    else:
        path = path.with_name(f"{path.name}.gz")
        whole = gzip.decompress(path.read_bytes())
    path = data / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(whole[:-10]))
    message = stops(mnist, data)
    assert f"{path}: is truncated: it has 28790 bytes of data" in message
    assert "shape (200, 12, 12) needs 28800" in message


def test_other_wrong_files_are_named(mnist, data):
    for old in data.glob("train-labels*"):
        old.unlink()
    path = data / "train-labels-idx1-ubyte"
    for array, words in [
        (np.zeros(199, np.uint8), "has 199 labels for the 200 images"),
        (np.full(200, 10, np.uint8), "has a label 10, wanted 0 to 9"),
        (np.zeros((200, 1), np.uint8), "is not an IDX file of bytes with 1 axes"),
    ]:
        path.write_bytes(idx(array))
        message = stops(mnist, data)
        assert str(path) in message
        assert words in message
    path.write_bytes(idx(np.zeros(200, np.uint8)) + b"!")
    assert "is too long" in stops(mnist, data)


def test_a_folder_that_is_not_there(mnist, tmp_path):
    assert str(tmp_path / "nowhere") in stops(mnist, tmp_path / "nowhere")


def test_a_wrong_checkpoint_is_named(mnist, data, tmp_path):
    file = tmp_path / "run.ckpt"
    assert str(file) in stops(mnist, data, "--resume", str(file))
    file.write_bytes(b"PK\x03\x04 not really")
    assert f"{file}: is cut off or damaged" in stops(mnist, data, "--resume", str(file))
    tc.save({"model": {}}, file)
    assert f"{file}: does not fit" in stops(mnist, data, "--resume", str(file))
    tc.save([1], file)
    assert f"{file}: does not fit" in stops(mnist, data, "--resume", str(file))
    file.write_bytes(file.read_bytes()[:-1])
    assert f"{file}: is cut off" in stops(mnist, data, "--resume", str(file))
