"""The usual boilerplate of a fast training loop, on whatever machine it finds."""

import argparse
import contextlib
import os
import random
import warnings

import numpy as np
import torch
import torch.nn as nn
from torch.cuda.amp import GradScaler, autocast
from torch.utils.data import DataLoader, TensorDataset

try:
    from torch.nn.parallel import DistributedDataParallel as DDP
except ImportError:
    DDP = None


def seed_everything(seed):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


class Net(nn.Module):
    def __init__(self, channels=8):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, channels, 5, padding=2), nn.GroupNorm(2, channels), nn.Hardswish(),
            nn.MaxPool1d(2), nn.Conv1d(channels, channels, 3, padding=1), nn.ReLU6(),
            nn.AdaptiveMaxPool1d(1), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(channels, 2)

    def forward(self, x):
        return self.head(self.features(x))


def signals(n):
    """A pulse somewhere in the noise, or none"""
    x, y = 0.3 * torch.randn(n, 1, 24), torch.arange(n) % 2
    at = torch.randint(2, 20, (n,))
    for k in range(n):
        if y[k]:
            x[k, 0, at[k] : at[k] + 3] += 1.5
    return TensorDataset(x, y)


def main(args):
    if args.seed is not None:
        seed_everything(args.seed)
    use_cuda = torch.cuda.is_available()
    device = torch.device(
        "cuda" if use_cuda else "mps" if torch.backends.mps.is_available() else "cpu"
    )
    if use_cuda:
        print("GPU:", torch.cuda.get_device_name(0), torch.cuda.device_count())
        torch.cuda.empty_cache()
    else:
        print("running on", device, "with", torch.cuda.device_count(), "GPUs")
    torch.set_float32_matmul_precision("high")
    torch.autograd.set_detect_anomaly(args.anomaly)

    model = Net().to(device, non_blocking=True)
    if args.compile and hasattr(torch, "compile") and use_cuda:
        model = torch.compile(model)
    decay, no_decay = [], []
    for name, param in model.named_parameters():
        (no_decay if param.ndim <= 1 or name.endswith(".bias") else decay).append(param)
    optimizer = torch.optim.AdamW(
        [{"params": no_decay, "weight_decay": 0.0}, {"params": decay, "weight_decay": 0.05}],
        lr=args.lr,
    )
    loader = DataLoader(signals(64), batch_size=8, shuffle=True, num_workers=args.workers)
    steps = args.epochs * len(loader) // args.accumulate
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=args.lr, total_steps=steps)
    scaler = GradScaler(enabled=use_cuda and not args.no_amp)
    new_scaler = torch.amp.GradScaler("cuda", enabled=False)
    ctx = torch.autocast(device_type=device.type, dtype=torch.bfloat16, enabled=False) \
        if args.new_style else contextlib.nullcontext()  # fmt: skip

    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for i, (x, y) in enumerate(loader):
            x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
            with autocast(enabled=use_cuda and not args.no_amp), ctx:
                output = model(x)
                loss = nn.functional.cross_entropy(output, y) / args.accumulate
            scaler.scale(loss).backward()
            if (i + 1) % args.accumulate == 0:
                scaler.unscale_(optimizer)
                norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad(set_to_none=True)
                scheduler.step()
            total += loss.detach()
            if use_cuda:
                torch.cuda.synchronize()
        memory = torch.cuda.max_memory_allocated() / 1024**2
        print(f"Epoch {epoch}: loss {args.accumulate * total / len(loader):.5f} norm {norm:.4f} "
              f"lr {scheduler.get_last_lr()[0]:.6f} mem {memory:.0f}M scale {scaler.get_scale()}")  # fmt: skip

    torch.save(
        {"model": model.state_dict(), "scaler": scaler.state_dict(), "args": vars(args)}, "last.pt"
    )
    checkpoint = torch.load("last.pt", map_location="cpu")
    scaler.load_state_dict(checkpoint["scaler"])
    new_scaler.load_state_dict(new_scaler.state_dict())
    print(checkpoint["scaler"], sorted(checkpoint["args"]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--accumulate", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--no-amp", action="store_true")
    parser.add_argument("--anomaly", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--new-style", action="store_true")
    warnings.filterwarnings("ignore")
    main(parser.parse_args())
