"""Names that a package loads when they are asked for, PyTorch's paths, and errors for missing names."""

import importlib
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import tinygrad_cnn as tc
from tests.conformance.coverage import PAGE, names_on_page
from tinygrad_cnn.compat.missing import COVERAGE_PAGE, PATHS, PyTorchPaths, hints, not_here


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `scratch` with the submodules `rare` and `heavy`, which are loaded on access."""
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "__init__.py").write_text(
        "from tinygrad_cnn.compat.missing import not_here as _not_here\n"
        "often = 1\n"
        "_not_here(globals(), modules=('heavy',), names={'rare': ('Seldom', 'Never')})\n"
    )
    (tmp_path / "scratch" / "rare.py").write_text("class Seldom: pass\nclass Never: pass\n")
    (tmp_path / "scratch" / "heavy.py").write_text("weight = 1000\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("scratch")
    for name in [n for n in sys.modules if n.split(".")[0] == "scratch"]:
        del sys.modules[name]


def test_a_name_is_loaded_on_first_access(package):
    assert "scratch.rare" not in sys.modules
    assert package.Seldom is package.Seldom is sys.modules["scratch.rare"].Seldom
    assert vars(package)["Seldom"] is package.Seldom  # no function call from now on
    assert "scratch.heavy" not in sys.modules
    assert package.heavy.weight == 1000


def test_names_are_listed_before_they_are_loaded(package):
    assert {"Seldom", "Never", "heavy", "often"} <= set(dir(package))
    assert "scratch.rare" not in sys.modules


def test_import_star_takes_the_names_and_leaves_the_modules(package):
    there = {}
    exec("from scratch import *", there)
    assert {"Seldom", "Never", "often"} <= set(there)
    assert "scratch.heavy" not in sys.modules


def test_what_python_asks_for_is_no_name_of_pytorch():
    namespace = {"__name__": "scratch"}
    not_here(namespace)
    module = types.ModuleType("scratch")
    vars(module).update(namespace)
    with pytest.raises(AttributeError, match="module 'scratch' has no attribute '__wrapped__'"):
        _ = module.__wrapped__
    with pytest.raises(AttributeError, match=r"scratch has no 'Rocket': .*coverage.md lists"):
        _ = module.Rocket


# --- Errors -------------------------------------------------------------------------------------


def error_of(statement):
    with pytest.raises((AttributeError, ImportError)) as caught:
        exec(statement, {"tc": tc})
    return caught.value


@pytest.mark.parametrize(
    "statement",
    [
        "tc.fft", "tc.fft.rfft", "import tinygrad_cnn.fft", "import tinygrad_cnn.fft.inner",
        "from tinygrad_cnn import fft", "from tinygrad_cnn.fft import rfft",
    ],
)  # fmt: skip
def test_each_way_to_a_missing_name_gives_its_hint_and_the_page(statement):
    text = str(error_of(statement))
    assert text.startswith("tinygrad_cnn has no 'fft': compute it with `numpy.fft`")
    assert text.endswith(f"{COVERAGE_PAGE} lists the names that exist here")


@pytest.mark.parametrize(
    "package",
    ["nn", "nn.functional", "optim", "optim.lr_scheduler", "autograd", "utils", "utils.data", "nn.utils",
     "nn.init", "autograd.functional", "utils.checkpoint", "utils.transforms", "random", "serialization",
     "cuda", "jit", "nn.parallel", "nn.modules.conv", "backends.cudnn", "profiler", "amp", "multiprocessing"],
)  # fmt: skip
def test_missing_names_of_each_module(package):
    module = importlib.import_module(f"tinygrad_cnn.{package}")
    wanted = "nn" if package.startswith("nn.modules") else package
    words = f"tinygrad_cnn.{wanted} has no 'Rocket': "
    with pytest.raises(AttributeError) as caught:
        _ = module.Rocket
    assert str(caught.value).startswith(words)
    assert caught.value.name == "Rocket"
    with pytest.raises(
        ModuleNotFoundError, match=r"has no 'Rocket': .*coverage.md lists the names"
    ):
        exec(f"from tinygrad_cnn.{package} import Rocket")
    assert not hasattr(module, "Rocket")
    assert not hasattr(module, "__rocket__")


def test_members_of_tensors_and_modules():
    x, layer = tc.ones(2), tc.nn.Linear(1, 1)
    assert str(error_of("tc.ones(2).to_sparse()")).startswith(
        "'Tensor' object has no attribute 'to_sparse': Tensors are dense here"
    )
    assert "'Parameter' object has no attribute 'to_sparse'" in str(
        error_of("tc.nn.Parameter(tc.ones(1)).to_sparse")
    )
    assert str(error_of("tc.nn.Linear(1, 1).xpu()")).startswith(
        "'Linear' object has no attribute 'xpu': the only device is the CPU"
    )
    assert str(error_of("tc.ones(2).rocket")) == "'Tensor' object has no attribute 'rocket'"
    assert str(error_of("tc.nn.Linear(1, 1).rocket")) == "'Linear' object has no attribute 'rocket'"
    assert not hasattr(x, "to_sparse")
    assert not hasattr(layer, "xpu")
    assert "to_sparse" not in dir(x)
    x.to_sparse = 5  # an attribute of the user's
    assert x.to_sparse == 5


def test_every_missing_member_of_pytorchs_tensor_is_in_the_list():
    _, names = names_on_page(Path(COVERAGE_PAGE).read_text())
    listed = (
        Path(COVERAGE_PAGE).with_name("compat").joinpath("tensor_names.txt").read_text().split()
    )
    missing = {name for name in names["torch.Tensor"] if not hasattr(tc.Tensor, name)}
    assert missing <= set(listed)


def test_the_page_that_messages_name_is_the_one_in_docs():
    assert Path(COVERAGE_PAGE).read_text() == PAGE.read_text()


def test_a_hint_is_one_phrase():
    for name, text in hints().items():
        assert text == text.strip().rstrip("."), name
        assert re.fullmatch(r"!?[\w.]+", name), name


def test_what_refuses_every_call_is_here_and_says_so():
    refused = [name[1:] for name in hints() if name.startswith("!")]
    for name in refused:
        value = tc
        for part in name.split("."):
            value = getattr(value, part)
        with pytest.raises((NotImplementedError, ValueError, RuntimeError)):
            value(tc.nn.Linear(1, 1), tc.ones(1, 1))


def test_a_tool_that_asks_for_a_module_in_a_folder_gets_no_error(tmp_path):
    assert PyTorchPaths.find_spec("tinygrad_cnn.rocket", [str(tmp_path)]) is None
    assert PyTorchPaths.find_spec("tinygrad_cnn.__main__", tc.__path__) is None
    assert PyTorchPaths.find_spec("numpy.rocket", tc.__path__) is None


def test_typing_errors_are_answered_with_a_suggestion():
    code = "import tinygrad_cnn as tc; tc.optim.Adamm"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Did you mean: 'Adam'?" in done.stderr


# --- Paths --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_each_path_is_a_module_and_an_attribute(path):
    if path.startswith("utils.tensorboard"):
        pytest.importorskip("tensorboardX")
    module = importlib.import_module(f"tinygrad_cnn.{path}")
    found = tc
    for name in path.split("."):
        found = getattr(found, name)
    assert found is module
    assert module.__name__ == f"tinygrad_cnn.{path}"
    parent, _, name = f"tinygrad_cnn.{path}".rpartition(".")
    assert name in dir(sys.modules[parent])
    exec(f"from tinygrad_cnn.{path} import *", {})


def test_no_path_hides_a_file():
    for path in PATHS:
        file = Path(tc.__file__).parent.joinpath(*path.split("."))
        assert not file.with_suffix(".py").exists(), path
        assert not (file / "__init__.py").exists(), path


@pytest.mark.parametrize("statement", [
    "import tinygrad_cnn.jit",
    "import tinygrad_cnn.nn.parallel",
    "import tinygrad_cnn.backends.cudnn as cudnn; cudnn.benchmark = cudnn.benchmark",
    "from tinygrad_cnn.cuda.amp import autocast, GradScaler",
    "from tinygrad_cnn.nn.modules.utils import _pair, _single, _triple, _ntuple",
    "from tinygrad_cnn.nn.modules.batchnorm import _BatchNorm, BatchNorm2d, SyncBatchNorm",
    "from tinygrad_cnn.nn.modules.loss import _Loss, _WeightedLoss, CrossEntropyLoss",
    "from tinygrad_cnn.nn.modules.conv import _ConvNd, Conv2d",
    "from tinygrad_cnn.nn.modules import Module, Linear",
    "from tinygrad_cnn.nn.parallel import DistributedDataParallel as DDP, DataParallel",
    "from tinygrad_cnn.nn.parallel.distributed import DistributedDataParallel",
    "import tinygrad_cnn.distributed as dist; assert not dist.is_initialized()",
    "import tinygrad_cnn.multiprocessing as mp; mp.Process, mp.Queue, mp.spawn",
    "from tinygrad_cnn.autograd.profiler import record_function",
    "from tinygrad_cnn.autograd.variable import Variable",
    "from tinygrad_cnn.nn.attention import SDPBackend, sdpa_kernel",
    "from tinygrad_cnn.amp.grad_scaler import GradScaler",
    "import tinygrad_cnn._dynamo; tinygrad_cnn._dynamo.config.suppress_errors = True",
    "from tinygrad_cnn.utils.hooks import RemovableHandle",
    "from tinygrad_cnn.utils._pytree import tree_map",
])  # fmt: skip
def test_statements_of_scripts(statement):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", statement],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


def test_answers_in_hot_loops_are_plain_functions():
    assert isinstance(tc.jit.is_scripting, types.FunctionType)
    assert "jit" in vars(tc)  # no __getattr__ from the second access on
    assert "is_scripting" in vars(tc.jit)
