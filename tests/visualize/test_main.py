"""python -m visualize: pictures from the shell, and errors of one line."""

import subprocess
import sys

import pytest

from visualize.__main__ import main

NETS = """
import tinygrad_cnn as tc
from tinygrad_cnn import nn

def model():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))

def two():
    return nn.Bilinear(2, 3, 4) if hasattr(nn, "Bilinear") else model()

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 3)

    def forward(self, words, scale, *, mask=None):
        assert words.dtype == tc.int64 and mask.shape == (2, 4, 1) and set(mask.flatten().tolist()) <= {0, 1}
        return self.embedding(words) * scale * mask

instance = Words()
loss = (tc.ones(2, requires_grad=True) * 2).sum()

def tensor():
    return tc.ones(2, requires_grad=True).exp().sum()

def number():
    return 3

def broken():
    raise KeyError("no\\nsuch thing")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "my_nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("my_nets", None)


@pytest.mark.parametrize(
    "options",
    [
        ["--out", "net.html"],
        ["--out", "net.svg", "--depth", "0", "--heat", "time", "--direction", "LR"],
        ["--out", "net.dot", "--phase", "backward", "--no-fold"],
        ["--out", "net.png", "--phase", "both", "--heat", "grad"],
    ],
)
def test_a_model(folder, capsys, options):
    assert main(["my_nets:model", "--input", "1,1,4,4", *options]) == 0
    assert capsys.readouterr().out == f"{options[1]}\n"
    assert (folder / options[1]).stat().st_size > 1000


def test_a_tensor_and_a_file(folder):
    assert main(["my_nets.py:tensor", "--out", "a.dot"]) == 0
    assert "exp" in (folder / "a.dot").read_text()
    assert main(["my_nets:model", "--input", "1x1x4x4", "--out", "b.dot"]) == 0


def test_an_instance_with_integers_and_keywords(folder):
    inputs = ["--input", "2,4:int<5", "--input", "2x4x3", "--input", "mask=2,4,1:int<2"]
    assert main(["my_nets:instance", *inputs, "--out", "a.dot"]) == 0
    source = (folder / "a.dot").read_text()
    assert all(f"<B>{name}</B>" in source for name in ("words", "scale", "embedding"))
    assert main(["my_nets:loss", "--out", "b.dot"]) == 0
    assert "<B>mul</B>" in (folder / "b.dot").read_text()


def test_layouts(folder):
    for layout in ("slide", "page"):
        arguments = ["my_nets:model", "--input", "1,1,4,4", "--layout", layout, "--out", "a.dot"]
        assert main(arguments) == 0
        assert "layout=nop2" in (folder / "a.dot").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["my_nets"], "'my_nets': wanted MODULE:FUNCTION"),
        (["my_nets:nope"], "my_nets has no function nope"),
        (["no_such_module:f"], "cannot import no_such_module: ModuleNotFoundError"),
        (["no_such_file.py:f"], "cannot import no_such_file.py: FileNotFoundError"),
        (["my_nets:number"], "my_nets:number() returned a int, wanted a Module or a Tensor"),
        (["my_nets:broken"], "my_nets:broken() failed: KeyError: 'no\\nsuch thing'"),
        (["my_nets:model"], "returned a Module: give the shape of its input, --input 1,3,32,32"),
        (["my_nets:model", "--input", "1,2,4,4"], "conv2d: x has 2 channels, weight expects 1"),
        (["my_nets:tensor", "--heat", "time"], "nothing was measured"),
        (["my_nets:tensor", "--depth", "-1"], "depth: wanted None or at least 0"),
        (["my_nets:tensor", "--verdicts", "nope.json"], "nope.json"),
    ],
)
def test_errors_are_one_line(folder, capsys, arguments, words):
    assert main([*arguments, "--out", "net.svg"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("visualize: ")
    assert err.count("\n") == 1
    assert words in err
    assert not (folder / "net.svg").exists()


@pytest.mark.parametrize(("out", "words"), [("net.gif", "must end in one of"),
                                            ("nowhere/net.svg", "No such file")])  # fmt: skip
def test_files_it_cannot_write(folder, capsys, out, words):
    assert main(["my_nets:tensor", "--out", out]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("shape", ["3,a", "", "3,-1", "3:int<0", "1x=3", "3:float", "2,,3"])
def test_shapes_that_are_none(folder, capsys, shape):
    with pytest.raises(SystemExit):
        main(["my_nets:model", "--out", "a.svg", f"--input={shape}"])
    assert "--input" in capsys.readouterr().err.splitlines()[-1]


def test_as_a_command(folder):
    command = [sys.executable, "-m", "visualize", "my_nets:model", "--input", "1,1,4,4",
               "--out", "net.svg"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "net.svg\n", "")
