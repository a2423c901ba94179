"""Compiling, the cache of compiled code, and forks meanwhile."""

import io
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.audit import watched
from tinygrad_cnn import kernels
from tinygrad_cnn.kernels.compiled import jit as compiling

CONVOLVE = """
import numpy as np
from tinygrad_cnn import kernels
kernels.use("compiled")
x = np.ones((4, 1, 9, 9), np.float32)
y = kernels.max_pool2d(x.transpose(0, 3, 2, 1), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), (9, 1))
assert (y[0] == 1).all()
"""


def python(script, **environment):
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result


def test_what_was_compiled_is_kept(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    [did] = watched([CONVOLVE], tmp_path, NUMBA_CACHE_DIR=str(cache))
    assert did.files
    assert all(cache in Path(file).parents for file in did.files)  # and writes nowhere else
    assert did.processes == did.network == []
    files = {path: path.stat().st_mtime_ns for path in cache.rglob("*.nb*")}
    assert files
    python(CONVOLVE, NUMBA_CACHE_DIR=str(cache))
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.nb*")} == files

    class Code:  # who can write to the cache can run code: docs/security.md warns of it
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    for path in files:
        path.write_bytes(b"cut short" if path.suffix == ".nbc" else pickle.dumps(Code()))
    python(CONVOLVE, NUMBA_CACHE_DIR=str(cache))
    assert (tmp_path / "ran").exists()


POOL = """
import numpy as np
from tinygrad_cnn import kernels
kernels.use("compiled")
for dtype in {types}:
    x = np.full((4, 9, 9, 1), 3, dtype).transpose(0, 3, 1, 2)
    how = (3, 3), (3, 3), ((0, 0), (0, 0)), (3, 3), np.full((3, 3), 9.0, dtype)
    assert (kernels.avg_pool2d(x, *how) == 3).all(), dtype
"""


# the index of another process is not there yet, and that process overwrites this one's
AT_ONCE = """
from numba.core.caching import IndexDataCacheFile
IndexDataCacheFile._load_index = lambda file: {}
IndexDataCacheFile._save_index = lambda file, overloads: None
"""


def test_processes_that_compile_at_once_do_not_mix_their_types(tmp_path):
    """With Numba's index both dtypes were number 1: float32 code ran for float64."""
    for script in (
        POOL.format(types="['float64']"),
        AT_ONCE + POOL.format(types="['float32']"),
        POOL.format(types="['float64', 'float32']"),
    ):
        python(script, NUMBA_CACHE_DIR=str(tmp_path))


KERNELS = """
import numpy as np
from tinygrad_cnn.kernels.compiled.jit import address, jit, part
from tinygrad_cnn.kernels.compiled.scalars import cast, put

def mixing(seed):
    @part
    def mixed(zero, k):
        {steps}
        return k
    return mixed

by_one, by_two = mixing(1), mixing(2)

@jit
def one(zero, to, first, last):
    for k in range(first, last):
        put(cast(zero, by_one(zero, k)), to + 8 * k)

@jit
def two(zero, to, first, last):
    for k in range(first, last):
        put(cast(zero, by_two(zero, k)), to + 8 * k)

def check(kernel, mixed):
    numbers = np.zeros(9)
    kernel(numbers.dtype, address(numbers), 0, 9)
    assert numbers.tolist() == [mixed.py_func(0.0, k) for k in range(9)], kernel.source.__name__
"""


@pytest.mark.parametrize("turned", [False, True])
def test_processes_that_compile_one_kernel_each_do_not_mix_their_parts(tmp_path, turned):
    """Two processes stored two parts under one name, and a third process used the wrong one."""
    step = "k = (7 * k + seed) % 1009 if k % 3 else 5 * k + seed"
    source = KERNELS.format(steps="\n        ".join([step] * 100))  # too long to be inlined
    (tmp_path / "made.py").write_text(source)
    checks = ["check(one, by_one)", "check(two, by_two)"]
    for calls in (checks[:1], checks[1:], checks[::-1] if turned else checks):
        lines = [
            "import sys",
            f"sys.path.insert(0, {str(tmp_path)!r})",
            "from made import *",
            *calls,
        ]
        python("\n".join(lines), NUMBA_CACHE_DIR=str(tmp_path / "cache"))


def test_code_of_a_source_that_changed_is_not_found(tmp_path):
    """A process may compile after a file that it imported was changed, and another run then.

    Numba alone stored the old code as the code of the new file: wrong numbers, permanently.
    """
    package = Path(kernels.__file__).parents[1]
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, tmp_path / package.name, ignore=skip)
    changed = tmp_path / package.name / "kernels" / "compiled" / "loops" / "patch.py"
    change = f"open({str(changed)!r}, 'a').write('# changed')\n"
    here, cache = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n", tmp_path / "cache"

    def kept(script):
        python(here + script, NUMBA_CACHE_DIR=str(cache), PYTHONPATH=str(tmp_path))
        return {path.name for path in cache.rglob("*.nb*")}

    late = CONVOLVE.replace(
        "x = np", "from tinygrad_cnn.kernels import compiled\n" + change + "x = np"
    )
    before, after = kept(late), kept(CONVOLVE)
    assert before
    assert len(after) == len(before)  # code of the old source is gone
    assert not after & before


def test_no_place_for_a_cache_is_no_error():
    script = (
        "from numba.core import caching\n"
        "caching.CompileResultCacheImpl._locator_classes = []\n" + CONVOLVE
    )
    python(script)


class Compiled:
    """Looks as a function that was compiled, or as one that was found on disk."""

    def __init__(self, found):
        self.stats, self.found = SimpleNamespace(cache_hits={}), found

    def compile(self):
        self.stats.cache_hits[len(self.stats.cache_hits)] = int(self.found)


def notice_of(monkeypatch, *founds):
    """The notice after some functions that took longer than it waits."""
    monkeypatch.setattr(compiling.tuning, "NOTICE_SECONDS", -1)
    notice = compiling._Notice()
    for found in founds:
        dispatcher = Compiled(found)
        with notice.around(dispatcher):
            dispatcher.compile()


def test_a_word_is_said_once_when_compiling_takes_long(monkeypatch, capsys):
    notice_of(monkeypatch, True, False, False)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "compiling" in said


def test_no_word_is_said_of_code_that_was_found(monkeypatch, capsys):
    notice_of(monkeypatch, True, True)
    assert capsys.readouterr().err == ""


class Broken(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


@pytest.mark.parametrize("stderr", [None, Broken()], ids=["none", "broken pipe"])
def test_a_word_that_nobody_can_hear_breaks_nothing(monkeypatch, capsys, stderr):
    monkeypatch.setattr(sys, "stderr", stderr)
    notice_of(monkeypatch, False)
    monkeypatch.undo()
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_can_go_on():
    python(
        """
import os, numpy as np
from tinygrad_cnn import kernels
from tinygrad_cnn.kernels.compiled import tuning
compiled = kernels.load("compiled")
tuning.SHARED_MULTIPLY_ADDS = 0
x, w = np.ones((6, 16, 12, 12), np.float32), np.ones((16, 16, 3, 3), np.float32)
how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
y = compiled.conv2d(x, w, None, *how)
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(compiled.conv2d(x, w, None, *how), y) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""",
        PYTHONWARNINGS="ignore",
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_can_compile_though_another_thread_was_at_it():
    """The thread does not exist in the child, where its locks were held forever.

    The compiler logs, and a fork takes logging's lock too: nobody may wait for the other.
    """
    python(
        """
import faulthandler, os, threading
from tinygrad_cnn import kernels
import logging
from tinygrad_cnn.kernels.threads import building
kernels.use("compiled")
assert len(building) > 1
faulthandler.dump_traceback_later(20, exit=True)
for lock in building:
    at_it = threading.Event()
    def compile():
        with lock:
            at_it.set()
            threading.Event().wait(0.05)
            logging.getLogger("a.new.one")
    threading.Thread(target=compile, daemon=True).start()
    at_it.wait()
    child = os.fork()
    if child == 0:
        logging.getLogger("another")
        os._exit(0 if lock.__enter__() is not False else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with lock:
        pass
""",
        PYTHONWARNINGS="ignore",
    )
