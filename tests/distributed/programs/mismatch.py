"""Calls that differ between ranks, in debug mode: errors in all of them."""

from checks import raises, run

import tinygrad_cnn as torch
import tinygrad_cnn.distributed as dist


def check_shapes(rank, size):
    words = "rank 0 calls all_reduce of ((2,), 'float32', 'SUM'), rank 1 calls all_reduce of ((3,)"
    raises(RuntimeError, words, dist.all_reduce, torch.ones(2 + rank))


def check_dtypes(rank, size):
    x = torch.ones(2, dtype=torch.float64 if rank else torch.float32)
    raises(RuntimeError, "'float64'", dist.all_reduce, x)


def check_other_calls(rank, size):
    x = torch.ones(2)
    function = (lambda: dist.broadcast(x, 0)) if rank else (lambda: dist.all_reduce(x))
    raises(RuntimeError, "rank 1 calls broadcast", function)


def check_roots_and_reductions(rank, size):
    raises(RuntimeError, "ranks disagree", dist.broadcast, torch.ones(2), rank)
    op = dist.ReduceOp.MAX if rank else dist.ReduceOp.SUM
    raises(RuntimeError, "ranks disagree", dist.all_reduce, torch.ones(2), op)


def check_messages(rank, size):
    if rank == 0:
        dist.send(torch.ones(2, 3), 1)
        work = dist.isend(torch.ones(2), 1)
        assert work.wait()
    else:
        raises(RuntimeError, "rank 0 sent (2, 3)", dist.recv, torch.ones(3, 2), 0)
        assert dist.recv(torch.ones(2), 0) == 0


def check_equal_calls_pass(rank, size):
    x = torch.ones(3)
    dist.all_reduce(x)
    dist.barrier()
    assert x.tolist() == [size] * 3


if __name__ == "__main__":
    run(globals())
