"""A rank that fails ends the job, with its error; a job that failed can start again."""

import os
import signal
import sys
import time

import pytest

import tinygrad_cnn as tc

LAUNCHER = [sys.executable, "-m", "tinygrad_cnn.distributed.run", "-n", "2"]


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("backward", ["ValueError: the reason", "rank 1 of 2 failed (ValueError): the job ends"]),
        ("thread", ["ValueError: the reason", "rank 1 of 2 failed (ValueError): the job ends"]),
        ("exit", ["waits for rank 1, whose program has ended"]),
        ("end", ["waits for rank 1, whose program has ended"]),
        pytest.param(
            "kill", ["signal 9"],
            marks=pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
        ),
    ],
)  # fmt: skip
def test_the_job_ends_with_the_error_of_the_rank(job, tmp_path, way, words):
    start = time.monotonic()
    code, output = job(2, "faults.py", way, str(tmp_path / "net.pt"))
    assert code != 0
    assert "trained to the end" not in output
    for word in words:
        assert word in output
    assert time.monotonic() - start < 20  # the failing rank would sleep longer
    assert set(tc.load(tmp_path / "net.pt")) == {"weight", "bias"}  # the checkpoint is whole


@pytest.mark.skipif(sys.platform == "win32", reason="processes get no SIGINT there")
def test_an_interrupt_ends_the_job(job, tmp_path):
    with job.start(2, "faults.py", "interrupt", str(tmp_path / "net.pt")) as process:
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "trained to the end" not in output


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are not forked there")
def test_workers_that_are_forked_after_mpi_has_started(job, tmp_path):
    code, output = job(2, "faults.py", "workers", str(tmp_path / "net.pt"))
    assert (code, output) == (0, "trained to the end\n")


def test_the_launcher_starts_a_job_again(job, tmp_path):
    file = str(tmp_path / "net.pt")
    again = [*LAUNCHER, "--restarts", "2"]
    code, output = job(2, "faults.py", "backward", file, launcher=again)
    assert code == 0, output
    assert "ValueError: the reason" in output
    assert "starts again (2 left)" in output
    assert output.endswith("trained to the end\n")


def test_the_launcher_gives_up_and_returns_the_exit_code(job, tmp_path):
    code, output = job(2, "faults.py", "exit", str(tmp_path / "net.pt"), launcher=LAUNCHER)
    assert code == 3
    assert "rank 1 of 2 failed: the job ends" in output


@pytest.mark.parametrize("launcher", [None, LAUNCHER])
def test_ranks_know_their_place(job, launcher):
    code, output = job(2, "places.py", launcher=launcher)
    assert code == 0, output
    assert "4 checks passed on 2 ranks" in output


def test_threads_are_those_of_the_cores(job, monkeypatch):
    job.environment = {"TINYGRAD_CNN_KERNELS": "vectorized"}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    code, output = job(2, "places.py")
    assert code == 0, output
