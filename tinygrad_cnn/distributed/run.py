"""Start a script in several processes: `python -m tinygrad_cnn.distributed.run -n 4 train.py`.

The ranks get torchrun's environment (RANK, LOCAL_RANK, WORLD_SIZE ...). A rank that fails ends the job;
`--restarts 3` starts it again up to three times. The script then resumes from its last checkpoint, and
finds the number of the start in TORCHELASTIC_RESTART_COUNT.
"""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import subprocess
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from .environment import launched
from .faults import let_out

STARTED = "TINYGRAD_CNN_DISTRIBUTED_RANK"  # in the environment of a rank
INTERRUPTED = (130, -2)  # by Ctrl-C, as a shell and as Python give it


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tinygrad_cnn.distributed.run", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "-n", "--nproc-per-node", "--nproc_per_node", type=int, required=True, dest="processes",
        help="number of processes",
    )  # fmt: skip
    parser.add_argument(
        "--restarts", "--max-restarts", "--max_restarts", type=int, default=0, dest="restarts",
        help="how often to start again after a failure",
    )  # fmt: skip
    parser.add_argument("--standalone", action="store_true", help="accepted, without effect")
    parser.add_argument("-m", "--module", action="store_true", help="the script is a module's name")
    parser.add_argument("script", help="the Python file to run")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    options = parser.parse_args(argv)
    if options.processes < 1:
        parser.error("-n must be at least 1")
    if not options.module and not os.path.exists(options.script):
        parser.error(f"there is no file {options.script}")
    return options


def mpiexec() -> str:
    """The launcher: that of this environment first. FileNotFoundError without one."""
    beside = os.path.join(os.path.dirname(sys.executable), "mpiexec")
    found = shutil.which(beside) or shutil.which("mpiexec")
    if found is None:
        raise FileNotFoundError(
            "there is no mpiexec: pip install 'tinygrad_cnn[distributed]' installs one"
        )
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Start the ranks, again after failures, and wait for them. Returns the exit code."""
    options = parse(argv)
    script = [sys.executable, "-m", __spec__.name if __spec__ else "tinygrad_cnn.distributed.run"]
    script += [*sys.argv[1:]] if argv is None else argv
    command = [mpiexec(), "-n", str(options.processes), *script]
    for start in range(options.restarts + 1):
        again = {"TORCHELASTIC_RESTART_COUNT": str(start), "TORCHELASTIC_RUN_ID": str(os.getpid())}
        environment = {**os.environ, STARTED: "1", **again}
        try:
            code = subprocess.run(command, env=environment, check=False).returncode
        except KeyboardInterrupt:  # mpiexec had it too, and has ended the ranks
            return INTERRUPTED[0]
        if code == 0 or code in INTERRUPTED:
            break
        if start < options.restarts:
            left = options.restarts - start
            print(
                f"the job failed with exit code {code}: it starts again ({left} left)",
                file=sys.stderr,
            )
    return code


def run_rank() -> None:
    """Run the script as one rank. If it fails in any way, the job ends."""
    options = parse()
    del os.environ[STARTED]  # processes that the script starts are no ranks
    sys.argv = [options.script, *options.arguments]
    run: Any = runpy.run_module if options.module else runpy.run_path
    if not options.module:
        sys.path[0] = os.path.dirname(os.path.abspath(options.script))
    try:
        run(options.script, run_name="__main__", **({"alter_sys": True} if options.module else {}))
    except SystemExit as error:
        if error.code not in (None, 0):
            if not isinstance(error.code, int):
                print(error.code, file=sys.stderr)
            fail(error.code if isinstance(error.code, int) else 1)
        raise
    except BaseException as error:
        traceback.print_exc()
        fail(INTERRUPTED[0] if isinstance(error, KeyboardInterrupt) else 1)


def fail(code: int) -> None:
    """End the job, whether the script has started MPI or not."""
    place = launched()
    if place is not None:
        print(f"rank {place.rank} of {place.size} failed: the job ends", file=sys.stderr)
    let_out()
    from mpi4py import MPI

    MPI.COMM_WORLD.Abort(code)


if __name__ == "__main__":
    if STARTED in os.environ:
        run_rank()
    else:
        sys.exit(main())
