"""Jobs of several ranks: programs that run under mpiexec."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

collect_ignore_glob = ["programs/*", "scripts/*"]
PROGRAMS = Path(__file__).parent / "programs"
MPIEXEC = shutil.which(os.path.join(os.path.dirname(sys.executable), "mpiexec"))
THERE = importlib.util.find_spec("mpi4py") is not None and MPIEXEC is not None


class Job:
    """Starts programs of `programs/`, and waits for their ends."""

    environment = {"TINYGRAD_CNN_KERNELS": "vectorized", "OMP_NUM_THREADS": "1"}  # noqa: RUF012
    mpiexec = MPIEXEC
    seconds = 60  # far more than any job takes: a job that hangs fails

    def start(self, ranks, program, *arguments, launcher=None, **environment):
        """A Popen of the launcher."""
        launcher = launcher or [MPIEXEC, "-n", str(ranks), sys.executable, "-W", "error"]
        return subprocess.Popen(
            [*launcher, str(PROGRAMS / program), *arguments],
            env={**os.environ, **self.environment, **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def __call__(self, ranks, program, *arguments, **options):
        """The exit code and the output."""
        with self.start(ranks, program, *arguments, **options) as process:
            try:
                output, _ = process.communicate(timeout=self.seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                output, _ = process.communicate()
                raise AssertionError(f"{program} hangs:\n{output}") from None
        return process.returncode, output


@pytest.fixture
def job():
    """job(2, "program.py", "argument") runs two ranks. Skipped without the extra `distributed`."""
    if not THERE:
        pytest.skip("mpi4py and mpich are not installed")
    return Job()
