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
    from tinygrad_cnn.backends import mps

    from tinygrad_cnn import cuda

    assert cudnn is tc.backends.cudnn
    assert (cuda, mps) == (tc.cuda, tc.backends.mps)


def test_there_is_no_gpu():
    assert tc.cuda.is_available() is False
    assert tc.cuda.device_count() == 0
    tc.cuda.manual_seed(0), tc.cuda.manual_seed_all(0), tc.cuda.empty_cache()
    for refused in (tc.cuda.current_device, tc.cuda.synchronize, tc.cuda.get_device_name):
        with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled: the only"):
            refused()


@pytest.mark.parametrize("name", BACKENDS)
def test_each_backend_answers(name):
    backend = getattr(tc.backends, name)
    assert not getattr(backend, "is_available", backend.__dict__.get("is_built"))()


def test_each_backend_has_flags_of_its_own():
    tc.backends.cudnn.enabled = False
    try:
        assert tc.backends.cudnn.enabled is False
        assert tc.backends.mkldnn.enabled is False  # its own, which is not there
        tc.backends.mkldnn.enabled = True
        assert tc.backends.cudnn.enabled is False
    finally:
        tc.backends.cudnn.enabled, tc.backends.mkldnn.enabled = True, False


def test_flags_come_back_after_an_exception():
    with pytest.raises(ZeroDivisionError), tc.backends.cudnn.flags(enabled=False):
        _ = 1 / 0
    assert tc.backends.cudnn.enabled is True
    with pytest.raises(KeyError), tc.backends.cudnn.flags(rocket=1):
        pass


def test_flags_of_products():
    old = tc.backends.cuda.matmul.allow_tf32
    tc.backends.cuda.matmul.allow_tf32 = True
    tc.backends.cuda.matmul.allow_tf32 = old
    tc.set_float32_matmul_precision("high")
    tc.set_float32_matmul_precision("highest")


def test_the_flags_of_determinism():
    for mode, warn_only, number in (
        (True, False, 2),
        (True, True, 1),
        (False, True, 0),
        (False, False, 0),
    ):
        tc.use_deterministic_algorithms(mode, warn_only=warn_only)
        assert tc.are_deterministic_algorithms_enabled() is mode
        assert tc.is_deterministic_algorithms_warn_only_enabled() is warn_only
        assert tc.get_deterministic_debug_mode() == number


def test_the_default_device():
    tc.set_default_device(None)
    tc.set_default_device(tc.device("cpu"))
    with pytest.raises(RuntimeError, match="set_default_device: device 'cuda' is not available"):
        tc.set_default_device("cuda")
    assert tc.get_default_device() == tc.device("cpu")


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
