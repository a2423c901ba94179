"""examples/train_cifar10.py on small archives of the same format, made here."""

import pickle

import numpy as np
import pytest

import tinygrad_cnn as tc

NAMES = [f"kind {k}" for k in range(10)]
BATCHES = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
SMALL = ["--width", "4", "--batch-size", "16"]


def batch(seed, n):
    """Noise, with a bright band of rows whose place is the label: easy to learn."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, n)
    images = random.integers(0, 80, (n, 3, 32, 32)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 3 * label + 1 : 3 * label + 4] = 255
    return images.reshape(n, -1), labels.tolist()


def write_python(folder, n):
    folder.mkdir(parents=True)
    for seed, name in enumerate(BATCHES):
        data, labels = batch(seed, n)
        content = {
            b"batch_label": b"a batch",
            b"labels": labels,
            b"data": data,
            b"filenames": [b"x"] * n,
        }
        (folder / name).write_bytes(pickle.dumps(content, 2))
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": NAMES}, 2))


def write_binary(folder, n):
    folder.mkdir(parents=True)
    for seed, name in enumerate(BATCHES):
        data, labels = batch(seed, n)
        rows = np.concatenate([np.array(labels, np.uint8)[:, None], data], 1)
        (folder / f"{name}.bin").write_bytes(rows.tobytes())
    (folder / "batches.meta.txt").write_text("\n".join(name.replace(" ", "_") for name in NAMES))


@pytest.fixture
def cifar(example):
    return example("train_cifar10")


@pytest.fixture
def data(tmp_path):
    write_python(tmp_path / "data" / "cifar-10-batches-py", 16)
    return tmp_path / "data"


def stops(cifar, folder, *more):
    """The only line of the error that ends the program."""
    with pytest.raises(SystemExit) as stopped:
        cifar.main(["--data", str(folder), "--epochs", "1", *SMALL, *more])
    message = stopped.value.code
    assert isinstance(message, str)
    assert message.startswith("train_cifar10.py: ")
    assert "\n" not in message
    return message


def test_it_learns(cifar, tmp_path, capsys):
    write_python(tmp_path / "cifar-10-batches-py", 60)
    reached = cifar.main(
        ["--data", str(tmp_path), "--epochs", "5", "--width", "8", "--batch-size", "20"]
    )
    captured = capsys.readouterr()
    assert reached > 0.2  # 0.1 by chance; crops move the bands
    assert captured.out.startswith(f"test accuracy {reached:.2%} after 5 epochs")
    assert "loss=" in captured.err
    assert "acc=" in captured.err


def test_resume_equals_uninterrupted(cifar, data, tmp_path):
    def run(file, epochs, *more):
        settings = [*SMALL, "--seed", "5", "--epochs", epochs]
        cifar.main(["--data", str(data), *settings, "--save", str(tmp_path / file), *more])
        return tc.load(tmp_path / file)

    whole = run("whole.pt", "3")
    # the cycle is planned for all epochs: the run is interrupted, not shorter
    cifar.runs.save, saved = (
        lambda path, parts, epoch: epoch < 3 and saved(path, parts, epoch),
        cifar.runs.save,
    )
    try:
        run("part.pt", "3")
    finally:
        cifar.runs.save = saved
    assert tc.load(tmp_path / "part.pt")["epochs"] == 2
    resumed = run("rest.pt", "3", "--resume", str(tmp_path / "part.pt"))
    assert resumed["schedule"] == whole["schedule"]
    for name, value in whole["model"].items():
        assert value.equal(resumed["model"][name]), name


def test_both_versions_of_the_archive(cifar, data, tmp_path):
    write_binary(tmp_path / "binary" / "cifar-10-batches-bin", 16)
    settings = ["--epochs", "1", *SMALL]
    folders = (data, data / "cifar-10-batches-py", tmp_path / "binary")
    results = [cifar.main(["--data", str(folder), *settings]) for folder in folders]
    assert results[0] == results[1] == results[2]


def test_crops_and_flips(cifar):
    images = np.arange(40 * 3 * 32 * 32, dtype=np.uint32).reshape(40, 3, 32, 32)
    tc.manual_seed(0)
    found = cifar.cropped_and_flipped(images)
    padded = np.pad(images, ((0, 0), (0, 0), (4, 4), (4, 4)))
    flips = 0
    for k in range(40):
        places = [
            (i, j, flip)
            for i in range(9)
            for j in range(9)
            for flip in (1, -1)
            if (padded[k, :, i : i + 32, j : j + 32][..., ::flip] == found[k]).all()
        ]
        assert len(places) == 1
        flips += places[0][2] == -1
    assert 10 < flips < 30


@pytest.mark.parametrize("name", [*BATCHES, "batches.meta"])
def test_a_missing_file_is_named(cifar, data, name):
    (data / "cifar-10-batches-py" / name).unlink()
    assert name in stops(cifar, data)


@pytest.mark.parametrize("keep", [0, 1, 30, -1, -100])
@pytest.mark.parametrize("name", ["data_batch_3", "test_batch"])
def test_a_truncated_file_is_named(cifar, data, name, keep):
    path = data / "cifar-10-batches-py" / name
    path.write_bytes(path.read_bytes()[:keep])
    assert str(path) in stops(cifar, data)


def test_a_truncated_binary_file_is_named(cifar, tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    write_binary(folder, 4)
    path = folder / "data_batch_2.bin"
    path.write_bytes(path.read_bytes()[:-1])
    assert f"{path}: is truncated" in stops(cifar, tmp_path)


def test_a_wrong_checkpoint_is_named(cifar, data, tmp_path):
    file = tmp_path / "run.pt"
    assert str(file) in stops(cifar, data, "--resume", str(file))
    file.write_bytes(b"PK\x03\x04 not really")
    assert f"{file}: is cut off or damaged" in stops(cifar, data, "--resume", str(file))
    tc.save({"model": {}}, file)
    assert f"{file}: does not fit" in stops(cifar, data, "--resume", str(file))
    tc.save([1], file)
    assert f"{file}: does not fit" in stops(cifar, data, "--resume", str(file))


def test_wrong_options(cifar, data, capsys):
    with pytest.raises(SystemExit):
        cifar.main(["--data", str(data), "--epochs", "0"])
    assert "--epochs must be at least 1" in capsys.readouterr().err
