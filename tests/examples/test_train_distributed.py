"""examples/train_distributed.py in one process; tests/distributed runs it in several."""

import pytest

import tinygrad_cnn.distributed as dist

pytestmark = pytest.mark.usefixtures("vectorized")


def test_it_learns_and_continues(example, tmp_path, capsys):
    file = tmp_path / "run.pt"
    options = ["--batch-size", "128", "--save", str(file)]
    script = example("train_distributed")
    script.main(["--epochs", "1", *options])
    reached = script.main(["--epochs", "2", *options])
    printed = capsys.readouterr().out
    assert printed.count("epoch 1: loss") == printed.count("epoch 2: loss") == 1
    assert 0.5 < reached <= 1
    assert not dist.is_initialized()


def test_its_options(example, capsys):
    with pytest.raises(SystemExit):
        example("train_distributed").main(["--epochs", "0"])
    assert "at least 1" in capsys.readouterr().err
