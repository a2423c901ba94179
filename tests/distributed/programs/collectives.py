"""Collectives, messages, groups and objects between ranks."""

import warnings

import numpy as np
from checks import raises, run

import tinygrad_cnn as torch
import tinygrad_cnn.distributed as dist

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.int64,
          torch.uint8]  # fmt: skip


def layouts(x):
    """Tensors with the values of x (2, 3, 4), in several layouts."""
    wide = torch.zeros(2, 3, 8).to(x.dtype)
    wide[:, :, ::2] = x
    yield x.clone()
    yield x.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    yield wide[:, :, ::2]
    yield torch.from_numpy(np.ascontiguousarray(x.numpy()[::-1]))[:, :, :]


def numbers(rank, dtype=torch.float32):
    return (torch.arange(24).reshape(2, 3, 4) % 5 + rank + 1).to(dtype)


def check_all_reduce_of_any_dtype(rank, size):
    reductions = {"SUM": np.sum, "PRODUCT": np.prod, "MIN": np.min, "MAX": np.max, "AVG": np.mean}
    for dtype in DTYPES:
        for name, of in reductions.items():
            x = numbers(rank, dtype)
            if name == "AVG" and not x.is_floating_point():
                raises(RuntimeError, "AVG does not support", dist.all_reduce, x, dist.ReduceOp.AVG)
                continue
            assert dist.all_reduce(x, getattr(dist.ReduceOp, name)) is None
            wanted = of([numbers(r).double().numpy() for r in range(size)], axis=0)
            assert np.allclose(x.double().numpy(), wanted, rtol=1e-2), (dtype, name)
            assert x.dtype == dtype


def check_all_reduce_of_any_layout(rank, size):
    for x in layouts(numbers(rank)):
        before = x.clone()
        pointer, version = x.data_ptr(), x._version
        dist.all_reduce(x)
        parts = [torch.empty(2, 3, 4) for _ in range(size)]
        dist.all_gather(parts, before)
        assert torch.equal(x, sum(parts))
        assert x.data_ptr() == pointer
        assert x._version > version


def check_bits_and_booleans(rank, size):
    x = torch.tensor([1 << rank, 7])
    dist.all_reduce(x, dist.ReduceOp.BOR)
    assert x.tolist() == [(1 << size) - 1, 7]
    dist.all_reduce(x, dist.ReduceOp.BXOR)
    assert x.tolist() == [((1 << size) - 1) * (size % 2), 7 * (size % 2)]
    mask = torch.tensor([rank == 0, True, False])
    dist.all_reduce(mask, dist.ReduceOp.SUM)
    assert mask.tolist() == [True, True, False]


def check_sizes_of_zero_and_no_axes(rank, size):
    for shape in ((), (0,), (3, 0)):
        x = torch.ones(shape)
        dist.all_reduce(x)
        dist.broadcast(x, 0)
        assert torch.equal(x, torch.full(shape, float(size)))


def check_a_large_one(rank, size):
    x = torch.full((3_000_001,), rank + 1.0)
    dist.all_reduce(x, dist.ReduceOp.AVG)
    assert float(x.min()) == float(x.max()) == (size + 1) / 2


def check_broadcast_and_reduce(rank, size):
    for root in range(size):
        for x in layouts(numbers(rank)):
            values = [torch.empty(2, 3, 4) for _ in range(size)]
            dist.all_gather(values, x)
            y = x.clone()
            dist.reduce(y, root)
            assert torch.equal(y, sum(values) if rank == root else x)
            dist.broadcast(x, src=root)
            assert torch.equal(x, values[root])
    dist.broadcast(x, group_src=size - 1)
    raises(ValueError, "not part of group", dist.broadcast, x, size)
    raises(ValueError, "wanted either src or group_src", dist.broadcast, x)


def check_gathers_and_scatters(rank, size):
    stacked, long = torch.zeros(size, 2), torch.zeros(size * 2)
    dist.all_gather_into_tensor(stacked, torch.tensor([rank, 1.0]))
    dist.all_gather_into_tensor(long, torch.tensor([rank, 1.0]))
    wanted = [[r, 1.0] for r in range(size)]
    assert stacked.tolist() == wanted
    assert long.reshape(size, 2).tolist() == wanted
    x = torch.zeros(2)
    whole = [torch.tensor([r, 5.0]) for r in range(size)]
    dist.scatter(x, whole if rank == size - 1 else None, src=size - 1)
    assert x.tolist() == [rank, 5.0]
    found = [torch.zeros(2).double() for _ in range(size)] if rank == 0 else None
    dist.gather(x.double(), found)
    assert rank or [y.tolist() for y in found] == [[r, 5.0] for r in range(size)]
    mine = torch.zeros(2)
    dist.reduce_scatter(mine, [torch.full((2,), r + 10.0 * rank) for r in range(size)])
    assert mine.tolist() == [size * rank + 10.0 * size * (size - 1) / 2] * 2
    dist.reduce_scatter_tensor(mine, torch.arange(2.0 * size), dist.ReduceOp.MAX)
    assert mine.tolist() == [2.0 * rank, 2.0 * rank + 1]


def check_arguments(rank, size):
    x = torch.ones(2)
    raises(
        TypeError, "Invalid function argument. Expected parameter `tensor`", dist.all_reduce, [1.0]
    )
    raises(TypeError, "op must be a ReduceOp", dist.all_reduce, x, "sum")
    raises(RuntimeError, f"the group {size} ranks", dist.all_gather, [x], x) if size > 1 else None
    raises(RuntimeError, "(3,)", dist.all_gather, [torch.ones(3)] * size, x)
    raises(RuntimeError, "float64", dist.all_gather, [x.double()] * size, x)
    raises(RuntimeError, "must hold", dist.all_gather_into_tensor, torch.ones(size * 2 + 1), x)
    raises(ValueError, "trying to initialize", dist.init_process_group)
    if rank == 0:
        raises(ValueError, "gather_list", dist.gather, x)
        raises(ValueError, "scatter_list", dist.scatter, x)
    raises(ValueError, "rank should not be the same", dist.send, x, rank)


def check_messages(rank, size):
    following, before = (rank + 1) % size, (rank - 1) % size
    for count in (0, 1, 300_000):  # small ones wait in MPI, large ones for the receiver
        x, y = torch.full((count, 2), float(rank)).t(), torch.empty(count, 2).t()
        work = dist.isend(x, following)
        other = dist.irecv(y, before)
        assert other.wait()
        assert work.wait()
        assert work.is_completed()
        assert bool((y == before).all())
    if rank == 0:
        senders = {dist.recv(torch.zeros(1)) for _ in range(size - 1)}
        assert senders == set(range(1, size))
    else:
        dist.send(torch.ones(1), 0)
    if rank == 0:
        dist.send(torch.ones(3), 1, tag=7)
        dist.send(torch.zeros(3), 1, tag=8)
    if rank == 1:
        x, y = torch.empty(3), torch.empty(3)
        dist.recv(y, 0, tag=8)
        dist.recv(x, 0, tag=7)
        assert (x.sum().item(), y.sum().item()) == (3.0, 0.0)
        assert not dist.irecv(x, 0, tag=99).is_completed()


def check_a_message_of_another_size(rank, size):
    if rank == 0:
        dist.send(torch.ones(2), 1)
    if rank == 1:
        raises(RuntimeError, "rank 0 sent", dist.recv, torch.ones(3), 0)


def check_async(rank, size):
    xs = [torch.full((1000,), rank + i + 0.0) for i in range(20)]
    works = [dist.all_reduce(x, async_op=True) for x in xs]
    last = torch.tensor([rank])
    dist.all_reduce(last)  # after all others
    assert all(work.is_completed() for work in works)
    for i, (x, work) in enumerate(zip(xs, works, strict=True)):
        assert work.wait() is True
        assert work.result()[0] is x
        assert work.is_success()
        assert set(x.tolist()) == {size * i + size * (size - 1) / 2}
    dist.barrier(async_op=True).wait()


def check_an_error_in_the_background_comes_with_wait(rank, size):
    x = torch.ones(2)
    x._array.flags.writeable = False
    work = dist.all_reduce(x, async_op=True)
    raises(ValueError, "read-only", work.wait)
    assert isinstance(work.exception(), ValueError)


def check_objects(rank, size):
    found = [None] * size
    dist.all_gather_object(found, {"rank": rank, "text": "x" * rank * 1000})
    assert [f["rank"] for f in found] == list(range(size))
    values = [rank, None, [rank]]
    dist.broadcast_object_list(values, src=size - 1)
    assert values == [size - 1, None, [size - 1]]
    one = [None]
    dist.scatter_object_list(one, [f"to {r}" for r in range(size)] if rank == 0 else None, src=0)
    assert one == [f"to {rank}"]
    found = [None] * size if rank == 1 else None
    dist.gather_object(rank * rank, found, dst=1)
    assert rank != 1 or found == [r * r for r in range(size)]


def check_groups(rank, size):
    first = dist.new_group([1, 0])
    last = dist.new_group([size - 1])
    if rank < 2:
        x = torch.tensor([rank + 1.0])
        dist.all_reduce(x, group=first)
        assert x.item() == 3.0
        assert dist.get_process_group_ranks(first) == [0, 1]
        assert (dist.get_rank(first), dist.get_world_size(first)) == (rank, 2)
    else:
        assert first is dist.GroupMember.NON_GROUP_MEMBER
        assert dist.get_rank(first) == -1
        raises(ValueError, "not a member", dist.barrier, first)
    if rank == size - 1:
        assert dist.get_rank(last) == 0
        assert dist.get_global_rank(last, 0) == rank
        assert dist.get_group_rank(last, rank) == 0
        dist.destroy_process_group(last)
    everyone = dist.new_group()
    y = torch.ones(1)
    dist.all_reduce(y, group=everyone)
    assert y.item() == size
    raises(ValueError, "duplicate entries", dist.new_group, [0, 0])
    raises(ValueError, "out of range", dist.new_group, [0, size])


def check_the_default_group(rank, size):
    assert dist.is_initialized()
    assert isinstance(dist.group.WORLD, dist.ProcessGroup)
    assert dist.get_backend() == "mpi"
    dist.destroy_process_group()
    assert dist.group.WORLD is None
    raises(ValueError, "Default process group has not been initialized", dist.barrier)
    raises(RuntimeError, f"world_size={size + 1}", dist.init_process_group, world_size=size + 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dist.init_process_group("nccl", "env://")
        dist.destroy_process_group()
        dist.init_process_group("nccl", "env://", rank=rank, world_size=size)
    assert [str(w.message) for w in caught] == ["backend 'nccl' means MPI here"] * (rank == 0)


if __name__ == "__main__":
    run(globals())
