"""The vector registers of this machine."""

import platform

from llvmlite import binding


def _registers():
    """(bytes of a vector register, number of registers)."""
    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:
        features = {}
    if features.get("avx512f"):
        return 64, 32
    if features.get("avx2"):
        return 32, 16
    return 16, 32 if platform.machine() in ("aarch64", "arm64") else 16


VECTOR_BYTES, REGISTERS = _registers()
CACHE_LINE_BYTES = 64  # of x86-64 and most ARM processors
