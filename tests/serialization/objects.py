"""Objects that PyTorch wrote to files, and that are made here again to compare.

Each function gets a module: PyTorch when files are recorded, this package when they are read.
"""

from collections import Counter, OrderedDict

import numpy as np

DTYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")
NEWER_DTYPES = ("uint16", "uint32", "uint64")  # in untyped storages


def dtypes(torch):
    """Tensors of each dtype, and the dtypes themselves."""
    found = {}
    for name in (*DTYPES, *NEWER_DTYPES):
        dtype = getattr(torch, name, np.dtype(name))
        found[name] = torch.tensor([[0, 1], [2, 3]], dtype=dtype), dtype
    return found


def layouts(torch):
    """Tensors that share storages, in many layouts."""
    whole = torch.arange(24.0).reshape(2, 3, 4)
    tied = torch.ones(2, 2)
    return {
        "whole": whole,
        "part": whole[1, 1:],
        "every other": whole[:, :, ::2],
        "turned": whole.permute(2, 0, 1),
        "row": whole[0, 0],
        "again": whole,
        "expanded": torch.tensor([1.0, 2.0]).expand(3, 2),
        "empty": torch.zeros(0, 3),
        "0-d": torch.tensor(5.0),
        "requires": torch.ones(2, requires_grad=True),
        "weight": torch.nn.Parameter(tied),
        "tied": torch.nn.Parameter(tied),
        "frozen": torch.nn.Parameter(torch.ones(1), requires_grad=False),
        "diagonal": torch.eye(3).diagonal(),
        "channels last": torch.ones(1, 2, 2, 3).permute(0, 3, 1, 2),
    }


def containers(torch):
    """Containers, numbers, texts and bytes."""
    shared = [1, 2]
    return {
        "list": [1, [2, (3,)], []],
        "tuple": (1, (), ("a", None)),
        "ordered": OrderedDict(b=1, a=2),
        "counter": Counter("ppq"),  # in no other text: some Pythons share texts of one letter
        "set": {1, 2},
        "shared": (shared, shared),
        "numbers": [
            True,
            False,
            None,
            0,
            255,
            65536,
            -1,
            2**40,
            -(2**70),
            1.5,
            -0.0,
            float("inf"),
            1j,
        ],
        "texts": ["", "é\0", "\ud800", "x" * 300],
        "bytes": [b"\0\xff", bytearray(b"ab")],
        "size": torch.Size([2, 3]),
        "device": torch.device("cpu"),
        "layout": torch.strided,
        "keys": {0: 1, "0": 2, None: 3, 1.5: 4, (1, "a"): 5},
    }


def arrays(torch):
    """NumPy's scalars and arrays, which PyTorch reads only with `weights_only=False`."""
    return [
        np.float32(1.5),
        np.int64(-3),
        np.bool_(True),
        np.arange(6).reshape(2, 3),
        np.arange(6.0).reshape(2, 3).T,
        np.array(["a", "bc"]),
        np.array(7),
        np.zeros((0, 2), np.int8),
        frozenset([1]),
        range(1, 9, 2),
    ]


def network(torch):
    """A small network with fixed weights."""
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3, padding=1),
        torch.nn.BatchNorm2d(2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(32, 3),
    )
    with torch.no_grad():
        for k, parameter in enumerate(net.parameters()):
            count = torch.arange(parameter.numel(), dtype=torch.float32)
            parameter.copy_(torch.sin(count + k).reshape(parameter.shape) / 3)
    return net


OPTIMIZERS = {
    "SGD": {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
    "Adam": {"lr": 0.01, "amsgrad": True},
    "AdamW": {"lr": 0.01},
    "RMSprop": {"lr": 0.01, "momentum": 0.5, "centered": True},
    "Adagrad": {"lr": 0.01},
    "Adadelta": {"lr": 0.5},
    "NAdam": {"lr": 0.01},
    "RAdam": {"lr": 0.01},
    "Adamax": {"lr": 0.01},
}
SCHEDULERS = {
    "SGD": lambda scheduler, o: scheduler.OneCycleLR(o, 0.1, total_steps=20),
    "Adam": lambda scheduler, o: scheduler.MultiStepLR(o, [2, 4], gamma=0.5),
    "AdamW": lambda scheduler, o: scheduler.CosineAnnealingLR(o, T_max=10),
    "RMSprop": lambda scheduler, o: scheduler.StepLR(o, 2),
    "Adagrad": lambda scheduler, o: scheduler.LinearLR(o, total_iters=8),
    "Adadelta": lambda scheduler, o: scheduler.LambdaLR(o, lambda epoch: 0.9**epoch),
    "NAdam": lambda scheduler, o: scheduler.SequentialLR(
        o, [scheduler.ConstantLR(o, 0.5, 2), scheduler.ExponentialLR(o, 0.9)], [3]
    ),
    "RAdam": lambda scheduler, o: scheduler.CosineAnnealingWarmRestarts(o, 3),
    "Adamax": lambda scheduler, o: scheduler.CyclicLR(o, 0.001, 0.01, 3, cycle_momentum=False),
}


def run(torch, name):
    """A network, its optimizer and its schedule."""
    net = network(torch)
    optimizer = getattr(torch.optim, name)(net.parameters(), **OPTIMIZERS[name])
    return net, optimizer, SCHEDULERS[name](torch.optim.lr_scheduler, optimizer)


def train(torch, net, optimizer, schedule, steps):
    """Train for some steps. Returns the losses."""
    images = torch.cos(torch.arange(96, dtype=torch.float32)).reshape(6, 1, 4, 4)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses
