"""Runs the checks of a program in every rank. All have the same program, and each says what failed."""

import sys
import traceback

import pytest

import tinygrad_cnn.distributed as dist


def run(namespace):
    """Call each function whose name begins with `check_`, as (rank, size)."""
    dist.init_process_group()
    rank, size = dist.get_rank(), dist.get_world_size()
    names = [name for name in namespace if name.startswith("check_")]
    failed = []
    for name in names:
        try:
            namespace[name](rank, size)
        except Exception:
            print(f"rank {rank}: {name}\n{traceback.format_exc()}", file=sys.stderr, flush=True)
            failed.append(name)
        everywhere = [None] * size
        dist.all_gather_object(everywhere, len(failed))
        if any(everywhere):
            sys.exit(f"rank {rank} stops after {name}: {failed}")
    dist.destroy_process_group()
    if rank == 0:
        print(f"{len(names)} checks passed on {size} ranks")


def raises(kind, words, function, *args, **kwargs):
    """Assert that a call raises `kind`, with `words` in the text."""
    with pytest.raises(kind) as caught:
        function(*args, **kwargs)
    assert words in str(caught.value), str(caught.value)
