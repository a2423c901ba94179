"""Train a small ResNet on coloured shapes: checkpoints, resume, top-k accuracy."""

import argparse
import os
import shutil
import time

import numpy as np

import torch
import torch.backends.cudnn as cudnn
import torch.nn as nn
import torch.nn.parallel
import torch.optim
import torch.utils.data
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import Subset

parser = argparse.ArgumentParser(description="Shapes in four quarters")
parser.add_argument("--workers", default=2, type=int)
parser.add_argument("--epochs", default=2, type=int)
parser.add_argument("--batch-size", default=16, type=int)
parser.add_argument("--lr", default=0.02, type=float)
parser.add_argument("--momentum", default=0.9, type=float)
parser.add_argument("--decay", default=1e-4, type=float)
parser.add_argument("--report", default=2, type=int)
parser.add_argument("--resume", default="")
parser.add_argument("--evaluate", action="store_true")
parser.add_argument("--seed", default=None, type=int)
parser.add_argument("--gpu", default=None, type=int)

best_acc1 = 0


class Shapes(torch.utils.data.Dataset):
    """A bright square in one of four quarters of the picture is the class."""

    def __init__(self, n, train=True):
        rng = np.random.RandomState(0 if train else 1)
        self.labels = rng.randint(0, 4, n)
        self.images = rng.rand(n, 3, 12, 12)
        for image, label in zip(self.images, self.labels):
            i, j = 6 * (label // 2), 6 * (label % 2)
            image[:, i + 1 : i + 5, j + 1 : j + 5] += 0.8
        self.train = train

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        x = torch.as_tensor(self.images[index], dtype=torch.get_default_dtype())
        if self.train:
            x = x + 0.05 * torch.randn(3, 12, 12)
        return x, int(self.labels[index])


class Residual(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super(Residual, self).__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Identity()
        if stride != 1 or cin != cout:
            self.shortcut = nn.Conv2d(cin, cout, 1, stride, bias=False)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.shortcut(x)
        return self.relu(y)


class SmallNet(nn.Module):
    def __init__(self, num_classes=4, width=8):
        super(SmallNet, self).__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(True)
        )
        self.blocks = nn.Sequential(Residual(width, width), Residual(width, 2 * width, stride=2))
        self.pool = nn.AdaptiveAvgPool2d((2, 2))
        self.head = nn.Linear(2 * width * 4, num_classes)
        self.apply(self.init)

    @staticmethod
    def init(m):
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.pool(self.blocks(self.stem(x)))
        return self.head(torch.flatten(x, 1))


def main():
    global best_acc1
    args = parser.parse_args()
    if args.seed is not None:
        torch.manual_seed(args.seed)
        cudnn.deterministic = True
    if args.gpu is not None:
        torch.cuda.set_device(args.gpu)

    model = SmallNet()
    print(model)
    print("Total params: %.2fK" % (sum(p.numel() for p in model.parameters()) / 1000.0))
    model = torch.nn.DataParallel(model)
    if torch.cuda.is_available():
        model = model.cuda()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    criterion = nn.CrossEntropyLoss().to(device)
    optimizer = torch.optim.SGD(
        model.parameters(), args.lr, momentum=args.momentum, weight_decay=args.decay
    )
    scheduler = StepLR(optimizer, step_size=1, gamma=0.5)

    first = 0
    if args.resume and not os.path.isfile(args.resume):
        parser.error("there is no file {}".format(args.resume))
    if args.resume:
        saved = torch.load(args.resume, map_location=device)
        first, best_acc1 = saved["epoch"], saved["best_acc1"]
        for part, name in (
            (model, "state_dict"),
            (optimizer, "optimizer"),
            (scheduler, "scheduler"),
        ):
            part.load_state_dict(saved[name])
        print("{}: goes on after epoch {}".format(args.resume, first))

    cudnn.benchmark = True
    train_loader = torch.utils.data.DataLoader(
        Shapes(64), batch_size=args.batch_size, shuffle=True, num_workers=args.workers,
        pin_memory=True, drop_last=True,
    )  # fmt: skip
    val_loader = torch.utils.data.DataLoader(
        Subset(Shapes(64, train=False), range(32)), batch_size=args.batch_size, shuffle=False
    )

    if args.evaluate:
        validate(val_loader, model, criterion, device)
        return

    for epoch in range(first, args.epochs):
        if args.seed is not None:
            torch.manual_seed(args.seed + epoch)
        train(train_loader, model, criterion, optimizer, epoch, device, args)
        acc1 = validate(val_loader, model, criterion, device)
        scheduler.step()
        is_best = acc1 > best_acc1
        best_acc1 = max(acc1, best_acc1)
        save_checkpoint({
            "epoch": epoch + 1,
            "arch": "smallnet",
            "state_dict": model.state_dict(),
            "best_acc1": best_acc1,
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
        }, is_best)  # fmt: skip


def train(train_loader, model, criterion, optimizer, epoch, device, args):
    losses, top1, top2, seconds = Mean(), Mean(), Mean(), Mean()
    model.train()
    end = time.time()
    for i, (images, target) in enumerate(train_loader):
        images = images.to(device, non_blocking=True)
        target = target.to(device, non_blocking=True)
        output = model(images)
        loss = criterion(output, target)
        losses.add(loss.item(), images.size(0))
        for meter, k in ((top1, 1), (top2, 2)):
            meter.add(topk_accuracy(output, target, k), images.size(0))

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.add(time.time() - end)
        end = time.time()
        if i % args.report == 0:
            print("Epoch: [{0}][{1}/{2}]\tLoss {3:.4e}\tAcc@1 {4:6.2f}\tAcc@2 {5:6.2f}".format(
                epoch, i + 1, len(train_loader), losses, top1, top2))  # fmt: skip


def validate(val_loader, model, criterion, device):
    losses, top1 = Mean(), Mean()
    model.eval()
    with torch.no_grad():
        for images, target in val_loader:
            images, target = images.to(device), target.to(device)
            output = model(images)
            losses.add(criterion(output, target).item(), images.size(0))
            top1.add(topk_accuracy(output, target, 1), images.size(0))
    print(" * Acc@1 {:.3f} Loss {:.4f}".format(top1, losses))
    return float(top1)


def save_checkpoint(state, is_best, filename="checkpoint.pth.tar"):
    torch.save(state, filename)
    if is_best:
        shutil.copyfile(filename, "model_best.pth.tar")


class Mean(object):
    """A weighted mean that grows"""

    def __init__(self):
        self.total, self.n = 0.0, 0

    def add(self, value, n=1):
        self.total += value * n
        self.n += n

    def __float__(self):
        return self.total / max(self.n, 1)

    def __format__(self, spec):
        return format(float(self), spec)


def topk_accuracy(output, target, k):
    """Percentage of the samples whose class is among the k highest scores"""
    best = output.detach().topk(k, dim=1)[1]
    hit = best.eq(target.unsqueeze(1)).any(dim=1)
    return 100.0 * hit.float().mean().item()


if __name__ == "__main__":
    main()
