"""`python -m tinygrad_cnn.port`: names that are missing, and imports rewritten."""

import ast
import os
import subprocess
import sys

import pytest

from tinygrad_cnn import port


def said(source):
    """(name, lines) of what is to be said, without hints."""
    return [(verdict.name, lines) for verdict, lines in port.check(source)[1]]


@pytest.mark.parametrize(("source", "wanted"), [
    ("import torch\ntorch.fft.rfft(x)\ntorch.fft.rfft(y)", [("torch.fft", [2, 3])]),
    ("import torch as th\nth.polar(a, b)", [("torch.polar", [2])]),
    ("import torch.nn as nn\nnn.CTCLoss()\nnn.Linear(1, 1)", [("torch.nn.CTCLoss", [2])]),
    ("import torch.nn.functional as F\nF.ctc_loss(x)", [("torch.nn.functional.ctc_loss", [2])]),
    ("from torch import nn, sparse as s\nnn.ReLU()", [("torch.sparse", [1])]),
    ("from torch import (\n    nn,\n    sparse,\n)", [("torch.sparse", [3])]),
    ("from torch.nn import CTCLoss as C\nC()", [("torch.nn.CTCLoss", [1])]),
    ("import torch.onnx", [("torch.onnx", [1])]),
    ("import torch\nN = torch.nn\nN.CTCLoss()", [("torch.nn.CTCLoss", [3])]),
    ("import torch\ndef f():\n    N = torch.nn\n    return N.CTCLoss()", [("torch.nn.CTCLoss", [4])]),
    ("def f():\n    import torch.nn as nn\n    return nn.CTCLoss()", [("torch.nn.CTCLoss", [3])]),
    ("from torch.nn import *\nLinear(1, 1), CTCLoss()", [("torch.nn.CTCLoss", [2])]),
    ("from torch.nn import *\nclass CTCLoss: pass\nCTCLoss()", []),
    ("import torch\nprint(f'{torch.polar(a, b)}')", [("torch.polar", [2])]),
    ("import torch\n@torch.polar\ndef f(x: torch.polar = torch.polar): pass", [("torch.polar", [2, 3])]),
    ("import torch\nx = torch.nn.Linear(1, 1).weight.rocket", []),
    ("import torch\nx = torch.nn.Linear.rocket", []),
    ("import torch\nx = torch.Tensor.to_sparse", [("torch.Tensor.to_sparse", [2])]),
    ("import torch\ntorch.backends.cudnn.rocket = True", []),
    ("import torch\ndef f(torch): return torch.polar", []),
    ("import torch\nf = lambda torch: torch.polar", []),
    ("import torch\ndef f():\n    torch = 1\n    return torch.polar", []),
    ("import torch\ndef f():\n    global torch\n    torch = torch.polar", [("torch.polar", [4])]),
    ("import tinygrad_cnn as torch\ntorch.polar(a, b)", [("tinygrad_cnn.polar", [2])]),
    ("import numpy as np\nnp.fft.rfft(x)", []),
    ("from . import torch\ntorch.polar", []),
    ("import torch.distributed as dist\nif dist.is_available(): dist.barrier(); dist.rpc", [("torch.distributed.rpc", [2])]),
    ("import torch\ntorch.jit.save(m, 'f')", [("torch.jit.save", [2])]),
    ("import torch\nx.to_sparse()", [("Tensor.to_sparse", [2])]),
    ("x.to_sparse()", []),
    ("import torchvision\ntorchvision.models.resnet18()", [("torchvision.models", [2])]),
    ("from torchvision import models, transforms\n", [("torchvision.models", [1])]),
    ("from torchvision.transforms import ToTensor, Rocket", [("torchvision.transforms.Rocket", [1])]),
    ("import torchaudio", []),
    ("from torchaudio import load", [("torchaudio.load", [1])]),
])  # fmt: skip
def test_what_is_missing(source, wanted):
    assert said(source) == wanted


def test_hints_and_kinds():
    verdict = port.verdict("torch.fft.rfft")
    assert (verdict.kind, verdict.hint[:22]) == ("is missing", "compute it with `numpy")
    assert port.verdict("torch.jit.save").kind == "is not supported"
    assert port.verdict("torch.distributed.init_process_group") is None
    assert port.verdict("torch.nn.Linear") is None
    assert port.verdict("torch") is None
    assert port.verdict("numpy.fft") is not None or port.ours("numpy.fft") is None


def test_an_extra_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    for name in ("tinygrad_cnn.compat.tensorboard", "tinygrad_cnn.utils.tensorboard"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import tinygrad_cnn.utils

    monkeypatch.delitem(vars(tinygrad_cnn.utils), "tensorboard", raising=False)
    verdict = port.verdict("torch.utils.tensorboard.SummaryWriter")
    assert (verdict.kind, verdict.hint) == ("needs", "pip install 'tinygrad_cnn[tensorboard]'")


# --- Imports ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "wanted"), [
    ("import torch", "import tinygrad_cnn as torch"),
    ("import torch as th, os", "import tinygrad_cnn as th, os"),
    ("import torch.nn as nn", "import tinygrad_cnn.nn as nn"),
    ("import torch.nn", "import tinygrad_cnn as torch"),
    ("from torch import nn", "from tinygrad_cnn import nn"),
    ("from torch import *", "from tinygrad_cnn import *"),
    ("from torch.utils.data import (  # é\n    Dataset,\n    DataLoader,  # a comment\n)",
     "from tinygrad_cnn.utils.data import (  # é\n    Dataset,\n    DataLoader,  # a comment\n)"),
    ("from  \\\n  torch.nn \\\n import Linear", "from  \\\n  tinygrad_cnn.nn \\\n import Linear"),
    ("é = 1; import torch; from torch import nn", "é = 1; import tinygrad_cnn as torch; from tinygrad_cnn import nn"),
    ("if True:\n\timport torch\r\n\timport torch.jit\r\n", "if True:\n\timport tinygrad_cnn as torch\r\n\timport tinygrad_cnn as torch\r\n"),
    ("import torchvision", "import tinygrad_cnn.utils as torchvision"),
    ("import torchvision.transforms as T", "import tinygrad_cnn.utils.transforms as T"),
    ("import torchvision.models as M", "import torchvision.models as M"),
    ("from torchvision import datasets, transforms as T", "from tinygrad_cnn.utils import datasets, transforms as T"),
    ("from torchvision import (\n    models,\n    datasets,\n)\nx = 1", "from tinygrad_cnn.utils import datasets; from torchvision import models\nx = 1"),
    ("from torchvision import models", "from torchvision import models"),
    ("from torchvision.datasets import MNIST", "from tinygrad_cnn.utils.datasets import MNIST"),
    ("from torchvision.models import vgg16", "from torchvision.models import vgg16"),
    ("import numpy, torchaudio", "import numpy, torchaudio"),
    ("from .torch import nn", "from .torch import nn"),
    ("import tinygrad_cnn as torch", "import tinygrad_cnn as torch"),
    ("x = 'import torch'  # import torch", "x = 'import torch'  # import torch"),
    ("", ""),
])  # fmt: skip
def test_only_imports_are_rewritten(source, wanted):
    assert port.rewrite(source) == wanted
    assert port.rewrite(wanted) == wanted
    ast.parse(wanted)


SCRIPT = """\
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

data = TensorDataset(torch.ones(4, 2), torch.zeros(4, 1))
model = nn.DataParallel(nn.Linear(2, 1))
for x, y in DataLoader(data, batch_size=2):
    print(model(x).shape, nn.functional.mse_loss(model(x), y).item() >= 0, torch.jit.is_scripting())
"""


def test_the_command(tmp_path, capsys):
    good, bad = tmp_path / "good.py", tmp_path / "inner" / "bad.py"
    bad.parent.mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "not_python.py").write_text("(")
    good.write_text(SCRIPT)
    bad.write_text("import torch\ny = torch.polar(a, b)\n")
    assert port.main([str(good)]) == 0
    assert capsys.readouterr().out == f"{good}: 0 of 10 names of PyTorch are missing\n"
    assert port.main([str(tmp_path), "--write"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [lines[0], f"{good}: imports rewritten"]
    assert lines[2].startswith(f"{bad}:2: torch.polar is missing: Tensors are real here")
    assert lines[3:] == [f"{bad}: 1 of 1 names of PyTorch is missing", f"{bad}: imports rewritten"]
    assert good.read_text().splitlines()[:2] == [
        "import tinygrad_cnn as torch",
        "import tinygrad_cnn.nn as nn",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == [".hidden", "good.py", "inner"]
    done = subprocess.run([sys.executable, good], capture_output=True, text=True, check=False)
    assert done.stdout == "torch.Size([2, 1]) True False\n" * 2
    assert port.main([str(tmp_path), "--write"]) == 1  # and changes nothing
    assert "rewritten" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [b"import torch\n(", b"\xff\xfe\x00", b"# coding: nothing\nimport torch", b"x = 1\x00"],
)
def test_a_file_that_cannot_be_read_is_left_alone(content, tmp_path, capsys):
    path = tmp_path / "script.py"
    path.write_bytes(content)
    assert port.main([str(path), "--write"]) == 2
    assert capsys.readouterr().out.startswith(f"{path}: cannot be read: ")
    assert path.read_bytes() == content
    assert port.main([str(tmp_path / "no_such.py")]) == 2


def test_a_deep_expression_is_no_crash(tmp_path, capsys):
    path = tmp_path / "script.py"
    path.write_text("import torch\nx = " + "+".join(["1"] * 5000) + "\n")
    assert port.main([str(path)]) in (0, 2)


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"# coding: latin-1\n# \xe9\n"])
def test_encoding_newlines_and_mode_are_kept(start, tmp_path):
    path = tmp_path / "script.py"
    path.write_bytes(start + b"import torch\r\nx = 1\r\n")
    path.chmod(0o750)
    port.main([str(path), "--write"])
    assert path.read_bytes() == start + b"import tinygrad_cnn as torch\r\nx = 1\r\n"
    assert path.stat().st_mode & 0o777 == 0o750


def test_a_link_stays_a_link(tmp_path):
    path, link = tmp_path / "script.py", tmp_path / "link.py"
    path.write_text("import torch\n")
    link.symlink_to(path)
    port.main([str(link), "--write"])
    assert os.path.islink(link)
    assert path.read_text() == "import tinygrad_cnn as torch\n"


def test_it_runs_as_a_module(tmp_path):
    (tmp_path / "script.py").write_text("import torch\ntorch.polar\n")
    command = [sys.executable, "-m", "tinygrad_cnn.port", "script.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("script.py:2: torch.polar is missing")
