import argparse
import os

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.distributed import DistributedSampler


class Stripes(Dataset):
    """Noise with a bright row: its height is the label."""

    def __init__(self, n, seed):
        generator = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(0, 4, (n,), generator=generator)
        self.images = 0.3 * torch.randn(n, 1, 8, 8, generator=generator)
        for image, label in zip(self.images, self.labels, strict=True):
            image[0, 2 * int(label)] += 1.0

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


def reduce_mean(tensor, nprocs):
    rt = tensor.clone()
    dist.all_reduce(rt, op=dist.ReduceOp.SUM)
    rt /= nprocs
    return rt


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--checkpoint", default="")
    args = parser.parse_args()
    local_rank = int(os.environ["LOCAL_RANK"])
    world_size = int(os.environ["WORLD_SIZE"])
    device = torch.device("cuda", local_rank) if torch.cuda.is_available() else torch.device("cpu")
    dist.init_process_group(
        backend="nccl" if torch.cuda.is_available() else "gloo", init_method="env://"
    )
    assert dist.get_rank() == int(os.environ["RANK"])
    torch.manual_seed(0)

    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 4 * 4, 4),
    ).to(device)
    model = DDP(model, device_ids=[local_rank] if device.type == "cuda" else None)
    criterion = nn.CrossEntropyLoss().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    train_sampler = DistributedSampler(Stripes(128, 1))
    train_loader = DataLoader(
        train_sampler.dataset, batch_size=16, sampler=train_sampler, num_workers=0, pin_memory=True
    )
    val_set = Stripes(64, 2)
    val_loader = DataLoader(
        val_set, batch_size=16, sampler=DistributedSampler(val_set, shuffle=False)
    )
    for epoch in range(args.epochs):
        train_sampler.set_epoch(epoch)
        model.train()
        for images, target in train_loader:
            images = images.to(device, non_blocking=True)
            target = target.to(device, non_blocking=True)
            output = model(images)
            loss = criterion(output, target)
            dist.barrier()
            reduced = reduce_mean(loss.detach(), world_size)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
    model.eval()
    right = torch.zeros(2).to(device)
    with torch.no_grad():
        for images, target in val_loader:
            output = F.softmax(model(images.to(device)), dim=1)
            right += torch.tensor(
                [(output.argmax(1) == target.to(device)).sum().item(), len(target)]
            )
    dist.all_reduce(right)
    accuracy = (right[0] / right[1]).item()
    assert reduced.item() < 0.5
    assert accuracy > 0.9, accuracy
    if dist.get_rank() == 0:
        if args.checkpoint:
            torch.save({"epoch": epoch, "state_dict": model.module.state_dict()}, args.checkpoint)
        print("trained", flush=True)
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
