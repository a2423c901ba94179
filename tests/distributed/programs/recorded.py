"""Gradients of the recorded models: of n ranks, and of one process with the whole batch."""

import sys
from pathlib import Path

import numpy as np
from checks import run
from training import gap, same_everywhere

sys.path.insert(0, str(Path(__file__).parents[3]))
import tinygrad_cnn as torch
import tinygrad_cnn.nn.functional as F
from tests.conformance.loading import load
from tests.conformance.model_cases import CASES
from tests.conformance.model_runs import drawn, weights
from tinygrad_cnn import nn
from tinygrad_cnn.nn.parallel import DistributedDataParallel as DDP

QUICK = ("lenet", "resnet18", "mobilenet_v2")
CLASSIFIERS = [
    name for name, case in CASES.items()
    if set(case.data) == {"x", "target"} and "out = net(x)" in case.step
    and "F.cross_entropy(out, target)" in case.step
    and not any(word in name for word in ("frozen", "dropout", "efficientnet"))  # random depth
]  # fmt: skip


def network(case, sync):
    """The model with its recorded weights, without dropout, in float64."""
    scope = {"torch": torch, "nn": nn, "F": F, "m": load(case.file, torch)}
    torch.manual_seed(0)
    exec(case.make, scope)
    net = scope["net"].double()
    net.load_state_dict(
        {n: torch.from_numpy(weights(n, t.numpy(), 0)) for n, t in net.state_dict().items()}
    )
    for module in net.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
    return nn.SyncBatchNorm.convert_sync_batchnorm(net) if sync else net


def compare(name, rank, size):
    case = CASES[name]
    rng = np.random.default_rng(0)
    data = {}
    for key, (kind, shape, *classes) in case.data.items():
        whole = drawn(kind, (shape[0] * size, *shape[1:]), *classes, rng=rng)
        data[key] = torch.from_numpy(whole)
    each = len(data["x"]) // size
    mine = {key: x[rank * each : (rank + 1) * each] for key, x in data.items()}
    one, net = network(case, False), network(case, True)
    ddp = DDP(net, bucket_cap_mb=0.1)
    F.cross_entropy(one(data["x"]), data["target"]).backward()
    F.cross_entropy(ddp(mine["x"]), mine["target"]).backward()
    found = gap(net.parameters(), one.parameters())
    assert found < 1e-12, (name, found)
    assert same_everywhere([p.grad for p in net.parameters()])
    if rank == 0:
        print(f"{name:20} {found:.1e} {len(ddp.reducer.buckets)} buckets", flush=True)


def check_recorded_models(rank, size):
    torch.set_default_dtype(torch.float64)
    for name in CLASSIFIERS if "--all" in sys.argv else QUICK:
        compare(name, rank, size)


if __name__ == "__main__":
    run(globals())
