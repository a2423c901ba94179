"""What a rank knows of its place: torchrun's environment, threads, spawn."""

import os

from checks import raises, run

import tinygrad_cnn as torch
import tinygrad_cnn.distributed as dist
import tinygrad_cnn.multiprocessing as mp


def check_the_environment_of_torchrun(rank, size):
    for name, value in (("RANK", rank), ("LOCAL_RANK", rank), ("WORLD_SIZE", size),
                        ("LOCAL_WORLD_SIZE", size)):  # fmt: skip
        assert os.environ[name] == str(value), name
    assert os.environ["MASTER_ADDR"]
    assert int(os.environ["MASTER_PORT"]) >= 0
    assert dist.get_node_local_rank() == rank


def check_threads_share_the_cores(rank, size):
    if "OMP_NUM_THREADS" in os.environ:
        assert torch.get_num_threads() == int(os.environ["OMP_NUM_THREADS"])
    else:
        assert torch.get_num_threads() == max(1, (os.cpu_count() or 1) // size)


def check_spawn(rank, size):
    calls = []
    assert mp.spawn(lambda *args: calls.append(args), ("a", 2), nprocs=size) is None
    assert calls == [(rank, "a", 2)]
    raises(RuntimeError, f"run -n {size + 1} train.py", mp.spawn, print, nprocs=size + 1)


def check_another_place_is_an_error(rank, size):
    dist.destroy_process_group()
    for name, value in (("WORLD_SIZE", size + 1), ("RANK", rank + 1)):
        before, os.environ[name] = os.environ[name], str(value)
        words = f"{name}={value}, but MPI started this process as rank {rank} of {size}"
        raises(RuntimeError, words, dist.init_process_group)
        os.environ[name] = before
    raises(RuntimeError, "rank=", dist.init_process_group, rank=(rank + 1) % size)
    dist.init_process_group()


if __name__ == "__main__":
    run(globals())
