"""One process: everything works, and MPI is not started."""

import subprocess
import sys

import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.distributed as dist
from tinygrad_cnn import nn
from tinygrad_cnn.nn.parallel import DistributedDataParallel as DDP
from tinygrad_cnn.utils.data import DistributedSampler


@pytest.fixture
def group():
    dist.init_process_group("gloo")
    yield dist.group.WORLD
    if dist.is_initialized():
        dist.destroy_process_group()


def test_collectives_are_copies(group):
    x = tc.tensor([1.0, 2.0])
    for op in (dist.ReduceOp.SUM, dist.ReduceOp.AVG, dist.ReduceOp.MAX):
        dist.all_reduce(x, op)
        dist.reduce(x, 0, op)
    dist.broadcast(x, 0)
    work = dist.all_reduce(x, async_op=True)
    assert work.is_completed()
    assert work.wait()
    outs = [tc.zeros(2)]
    dist.all_gather(outs, x)
    dist.gather(outs[0], [x])
    dist.scatter(x, outs)
    dist.reduce_scatter(x, outs)
    whole = tc.zeros(1, 2)
    dist.all_gather_into_tensor(whole, x)
    dist.barrier()
    assert [x.tolist(), outs[0].tolist(), whole.tolist()] == [[1.0, 2.0], [1.0, 2.0], [[1.0, 2.0]]]
    found = [None]
    dist.all_gather_object(found, {"a": 1})
    assert found == [{"a": 1}]
    assert dist.get_world_size(dist.new_group([0])) == 1
    with pytest.raises(RuntimeError, match="cannot exchange with itself"):
        dist.recv(x)


def test_a_model_trains_as_without(group):
    net = nn.Linear(2, 1)
    ddp = DDP(net, device_ids=[0])
    with ddp.no_sync(), ddp.join():
        ddp(tc.ones(3, 2)).sum().backward()
    assert net.weight.grad.tolist() == [[3.0, 3.0]]
    assert list(ddp.state_dict()) == ["module.weight", "module.bias"]
    assert list(DistributedSampler(range(3), shuffle=False)) == [0, 1, 2]
    norm = nn.SyncBatchNorm(2)
    assert norm(tc.randn(4, 2)).shape == (4, 2)


def test_errors_have_pytorchs_types(group):
    with pytest.raises(ValueError, match="twice"):
        dist.init_process_group()
    dist.destroy_process_group()
    with pytest.raises(AssertionError, match="cannot be None"):
        dist.destroy_process_group()
    for call in (dist.get_rank, dist.barrier, lambda: DDP(nn.Linear(1, 1))):
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            call()
    with pytest.raises(ValueError, match="Invalid backend: 'smoke'"):
        dist.init_process_group("smoke")
    with pytest.raises(ValueError, match="No rendezvous handler for pigeon://"):
        dist.init_process_group(init_method="pigeon://x")


@pytest.mark.parametrize(("name", "value"), [("WORLD_SIZE", "4"), ("RANK", "1")])
def test_torchrun_without_mpi_is_an_error(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(
        RuntimeError, match=rf"{name}={value}, but MPI .* rank 0 of 1.*distributed.run"
    ):
        dist.init_process_group("gloo")
    assert not dist.is_initialized()


def test_arguments_that_want_more_processes_are_an_error():
    with pytest.raises(RuntimeError, match=r"world_size=4.*run -n 4 train.py"):
        dist.init_process_group("gloo", rank=0, world_size=4)


def test_the_import_starts_nothing():
    code = """if True:
        import sys
        import tinygrad_cnn as tc
        assert "tinygrad_cnn.distributed" not in sys.modules
        import tinygrad_cnn.distributed as dist
        dist.init_process_group()
        assert "mpi4py" not in sys.modules
        assert tc.distributed is dist
    """
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
