"""Workers: a contestant in this process, and in a separate one."""

import subprocess
import sys

import pytest

from benchmarks import contestants
from benchmarks.contestants import CONTESTANTS
from benchmarks.workers import LocalWorker, ProcessWorker, smaller
from tinygrad_cnn import kernels

CHAIN = ("chain", {"length": 4, "size": 2}, None)


def test_a_worker_times_its_call(kernels_as_they_were):
    worker = LocalWorker(CONTESTANTS["vectorized"])
    assert worker.prepare(*CHAIN) == pytest.approx(2 * 1.0001**2)
    assert worker.time_block(0.0) > 0


def test_a_process_answers_fails_and_ends():
    worker = ProcessWorker(CONTESTANTS["vectorized"])
    assert worker.prepare(*CHAIN) == pytest.approx(2 * 1.0001**2)
    assert worker.time_block(0.0) > 0
    with pytest.raises(RuntimeError, match="no_such_workload"):
        worker.prepare("no_such_workload", {}, None)
    assert worker.prepare(*CHAIN) == pytest.approx(2 * 1.0001**2)  # it still works
    worker.close()
    assert not worker.process.is_alive()
    with pytest.raises(RuntimeError, match="the process ended"):
        worker.prepare(*CHAIN)


def test_less_of_a_workload():
    assert smaller({"shape": (16, 3, 8, 8), "model": "vgg"}) == {
        "shape": (2, 3, 8, 8), "model": "vgg"
    }  # fmt: skip
    assert smaller({"shape": (1, 784)}) == {"shape": (1, 784)}
    assert smaller({"length": 1000, "size": 8}) == {"length": 10, "size": 8}


def test_memory_of_a_fresh_process_holds_what_the_workload_makes():
    worker = ProcessWorker(CONTESTANTS["vectorized"])
    # each product and sum is a new array of 16 MiB, and two exist at once; the gradient is another
    rise = worker.memory_rise("chain", {"length": 2, "size": 4 << 20}, None)
    worker.close()
    assert 30 < rise < 200


def test_peaks_of_the_machine():
    for workload in (("product", {"size": 8}), ("copy", {"size": 64})):
        assert LocalWorker(CONTESTANTS["peak"]).prepare(*workload, None) in (1, 8)


def test_a_row_of_one_thread_leaves_the_next_its_default(monkeypatch, kernels_as_they_were):
    set_to = []
    monkeypatch.setattr(contestants, "_default_threads", {})
    monkeypatch.setattr(kernels, "get_num_threads", lambda: set_to[-1] if set_to else 5)
    monkeypatch.setattr(kernels, "set_num_threads", set_to.append)
    make = CONTESTANTS["vectorized"].make
    make("chain", {"length": 2, "parameters": False}, 1)
    make("chain", {"length": 2, "parameters": False}, None)
    monkeypatch.undo()
    assert set_to == [1, 5]


def test_the_command_loads_no_contestant():
    """A worker imports the modules of the command, but may load only its own library."""
    code = (
        "import sys, benchmarks.__main__; "
        "assert not {'tinygrad_cnn', 'torch', 'jax', 'visualize', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
