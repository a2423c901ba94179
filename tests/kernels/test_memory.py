"""malloc keeps freed memory where it can, unless the user disables it."""

import platform
import sys

import pytest

from tinygrad_cnn.kernels.memory import keep_freed_memory


def test_the_user_can_say_no(monkeypatch):
    monkeypatch.setenv("TINYGRAD_CNN_KEEP_MEMORY", "0")
    assert not keep_freed_memory()


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_glibc_keeps_the_pages_of_freed_arrays():
    import resource

    import numpy as np

    assert keep_freed_memory()
    for _ in range(3):
        np.ones(1 << 22)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        np.ones(1 << 22)  # 32 MiB: 8,192 pages each
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 8192
