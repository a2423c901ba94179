"""Deep graphs are freed on small stacks: built, walked, dropped, collected, at the end of a thread."""

import os
import subprocess
import sys

import pytest

from tests.soak.depth import RELEASES, ROOT, SHAPES, Child

NODES = 12_000  # Python 3.13 alone ends the process at a few thousand, and fewer for Functions


@pytest.fixture(scope="module")
def child():
    child = Child()
    yield child
    child.close()


@pytest.mark.parametrize("at", range(len(SHAPES)), ids=list(SHAPES))
def test_a_graph_is_freed_on_a_small_stack(child, at):
    release = list(RELEASES)[at % len(RELEASES)]
    assert child.ask(list(SHAPES)[at], NODES, release) == "freed", release


@pytest.mark.parametrize("release", RELEASES)
def test_a_chain_is_freed_in_every_way(child, release):
    assert child.ask("chain", NODES, release) == "freed"


AT_EXIT = """
import resource, sys, os
if "again" not in sys.argv:
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (512 * 1024, hard))  # counts from the next program on
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[1], sys.argv[1], "again"])
import tinygrad_cnn as tc
y = tc.ones(2, requires_grad=True)
for _ in range(20_000):
    y = y + 1.0
cycle = [y]
cycle.append(cycle)
print("made", flush=True)
"""


def test_graphs_that_live_until_python_exits():
    pytest.importorskip("resource", reason="the system sets no limit for the stack")
    done = subprocess.run(
        [sys.executable, "-c", AT_EXIT, AT_EXIT], capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "TINYGRAD_CNN_KERNELS": "vectorized"},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "made\n", "")
