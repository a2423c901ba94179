"""examples/train_digits.py on a short setting."""

import re
from xml.etree import ElementTree

import pytest


def test_it_learns_and_draws(example, tmp_path, capsys):
    file = tmp_path / "digits.svg"
    reached = example("train_digits").main(["--epochs", "2", "--out", str(file)])
    assert reached > 0.9
    out, bar = capsys.readouterr()
    assert re.fullmatch(
        r"test accuracy \d\d\.\d\d% after \d+\.\d s of training; its graph: .*\n", out
    )
    assert str(file) in out
    assert "loss=" in bar
    assert "acc=" in bar
    svg = ElementTree.parse(file)
    words = {element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"images", "labels", "loss", "conv1", "cross_entropy", "batch_norm"} <= words


def test_the_split_is_fixed_and_a_quarter(example):
    digits = example("train_digits")
    (train, test), (again, _) = digits.load(), digits.load()
    assert (len(train), len(test)) == (1348, 449)
    assert (train[0][0] == again[0][0]).all()


def test_the_same_seed_gives_the_same_run(example, tmp_path):
    digits = example("train_digits")
    small = ["--epochs", "1", "--batch-size", "256", "--out", str(tmp_path / "d.dot")]
    assert digits.main(small) == digits.main(small)


def test_no_epochs_is_an_error(example, capsys):
    with pytest.raises(SystemExit):
        example("train_digits").main(["--epochs", "0"])
    assert "--epochs must be at least 1" in capsys.readouterr().err
