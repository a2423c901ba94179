"""One rank of a training fails in the way that the argument names."""

import os
import signal
import sys
import threading
import time

import tinygrad_cnn as torch
import tinygrad_cnn.distributed as dist
from tinygrad_cnn import nn, optim
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.nn.parallel import DistributedDataParallel as DDP
from tinygrad_cnn.utils.data import DataLoader, TensorDataset


class Fails(Function):
    """Raises in its backward pass."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        raise ValueError("the reason")


def fail(way, loss):
    """Fail, in the middle of a step."""
    if way == "backward":
        Fails.apply(loss).backward()
    elif way == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif way == "exit":
        raise SystemExit(3)
    elif way == "end":
        sys.exit()
    elif way == "thread":
        threading.Thread(target=lambda: fail("backward", loss)).start()
        time.sleep(30)
    elif way == "interrupt":
        print("ready", flush=True)
        time.sleep(30)


def main(way, file, step=3):
    dist.init_process_group()
    rank = dist.get_rank()
    torch.manual_seed(0)
    net = nn.Linear(4, 2)
    if os.path.exists(file):
        net.load_state_dict(torch.load(file))
    ddp = DDP(net)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    data = TensorDataset(torch.randn(40, 4))
    workers = 2 if way == "workers" else 0  # forked after MPI has started
    first = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"
    for i, (x,) in enumerate(DataLoader(data, 4, num_workers=workers)):
        optimizer.zero_grad()
        loss = ddp(x).square().mean()
        if i == step and rank == 1 and first:
            fail(way, loss)
        loss.backward()
        optimizer.step()
        if rank == 0:
            torch.save(net.state_dict(), file)
    dist.barrier()
    if rank == 0:
        print("trained to the end")


if __name__ == "__main__":
    main(*sys.argv[1:])
