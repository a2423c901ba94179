"""GPUs, flags, threads and determinism as PyTorch code uses them, and errors for missing names."""

import importlib
import subprocess
import sys

import pytest

import tinygrad_cnn as tc

BACKENDS = ["cuda", "cudnn", "mkldnn", "mps"]


@pytest.mark.parametrize(
    "path", ["tinygrad_cnn.cuda", "tinygrad_cnn.backends", *(f"tinygrad_cnn.backends.{b}" for b in BACKENDS)]
)  # fmt: skip
def test_pytorchs_paths_are_attributes_and_can_be_imported(path):
    module = importlib.import_module(path)
    found = tc
    for name in path.split(".")[1:]:
        found = getattr(found, name)
    assert found is module


def test_the_statements_of_pytorch_code():
    import tinygrad_cnn.backends.cudnn as cudnn
    from tinygrad_cnn import cuda
    from tinygrad_cnn.backends import mps

    assert cudnn is tc.backends.cudnn
    assert (cuda, mps) == (tc.cuda, tc.backends.mps)


def test_there_is_no_gpu():
    assert tc.cuda.is_available() is False
    assert tc.cuda.device_count() == 0
    tc.cuda.manual_seed(0), tc.cuda.manual_seed_all(0), tc.cuda.empty_cache()
    tc.cuda.synchronize(), tc.cuda.synchronize("cuda:0")
    with pytest.raises(RuntimeError, match="no CUDA device"):
        tc.cuda.current_device()


@pytest.mark.parametrize("name", BACKENDS)
def test_each_backend_has_flags_of_its_own(name):
    backend = getattr(tc.backends, name)
    assert not backend.is_available()
    assert not backend.is_built()
    others = [getattr(tc.backends, n) for n in BACKENDS if n != name]
    before = [other.benchmark for other in others]
    old, backend.benchmark = backend.benchmark, True
    try:
        assert backend.benchmark is True
        assert [other.benchmark for other in others] == before
    finally:
        backend.benchmark = old


def test_flags_of_products():
    old = tc.backends.cuda.matmul.allow_tf32
    tc.backends.cuda.matmul.allow_tf32 = True
    tc.backends.cuda.matmul.allow_tf32 = old
    tc.set_float32_matmul_precision("high")


def test_results_are_deterministic_always():
    tc.use_deterministic_algorithms(True)
    tc.use_deterministic_algorithms(False, warn_only=True)
    assert tc.are_deterministic_algorithms_enabled()


def test_threads():
    before = tc.get_num_threads()
    tc.set_num_threads(1)
    try:
        assert tc.get_num_threads() == 1
    finally:
        tc.set_num_threads(before)
    assert tc.get_num_threads() == before
    for wrong, message in ((0, "a positive integer"), (-1, "a positive integer"),
                           (2.5, "an int, but got float"), (True, "an int, but got bool")):  # fmt: skip
        with pytest.raises(RuntimeError, match=f"set_num_threads expects {message}"):
            tc.set_num_threads(wrong)


@pytest.mark.parametrize("module", [tc, tc.nn, tc.nn.functional, tc.optim, tc.optim.lr_scheduler])
def test_a_name_that_is_not_here_is_an_error_that_says_where_to_look(module):
    with pytest.raises(
        AttributeError, match=f"{module.__name__} has no 'Nothing': docs/coverage.md"
    ):
        _ = module.Nothing
    assert not hasattr(module, "__nothing__")


def in_a_fresh_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_testing_is_imported_when_it_is_asked_for():
    code = "import sys, tinygrad_cnn as tc; assert 'hypothesis' not in sys.modules; tc.testing.check_vjp"
    assert not in_a_fresh_process(code).stderr


@pytest.mark.parametrize(
    "use",
    [
        "tc.testing.check_op",
        "import tinygrad_cnn.testing as t; t.check_vjp",
        "from tinygrad_cnn.testing import check_op",
    ],
)
def test_testing_without_hypothesis_names_the_extra(use):
    code = f"import sys; sys.modules['hypothesis'] = None\nimport tinygrad_cnn as tc\n{use}"
    assert in_a_fresh_process(code).stderr.endswith(
        "ModuleNotFoundError: tinygrad_cnn.testing needs Hypothesis: "
        "pip install 'tinygrad_cnn[testing]'\n"
    )
