"""A training script for small images of digits: epochs, a scheduler, a test after each."""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, dropout=0.25):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, 1)
        self.conv2 = nn.Conv2d(6, 8, 3, 1)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout2d(2 * dropout)
        self.fc1 = nn.Linear(32, 16)
        self.fc2 = nn.Linear(16, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = self.dropout2(F.relu(self.conv2(x)))
        x = F.max_pool2d(x, 2)
        x = self.dropout1(torch.flatten(x, 1))
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


def train(args, model, device, loader, optimizer, epoch, log):
    model.train()
    for i, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()
        if i % args.log_interval == 0:
            log.append("Train Epoch: {} [{}/{}]\tLoss: {:.6f}".format(
                epoch, i * len(data), len(loader.dataset), loss.item()))  # fmt: skip


def test(model, device, loader, log):
    model.eval()
    total, correct = 0, 0
    with torch.no_grad():
        for data, target in loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            total += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    total /= len(loader.dataset)
    log.append("Test set: Average loss: {:.4f}, Accuracy: {}/{} ({:.0f}%)".format(
        total, correct, len(loader.dataset), 100.0 * correct / len(loader.dataset)))  # fmt: skip


def main(argv, images, labels, log):
    parser = argparse.ArgumentParser(description="digits")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1.0)
    parser.add_argument("--gamma", type=float, default=0.7)
    parser.add_argument("--dropout", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-interval", type=int, default=1)
    parser.add_argument("--save-model", default=None)
    args = parser.parse_args(argv)

    use_cuda = torch.cuda.is_available() and False
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if use_cuda else "cpu")

    dataset = TensorDataset(images, labels)
    train_loader = DataLoader(dataset, batch_size=args.batch_size, drop_last=True)
    test_loader = DataLoader(dataset, batch_size=2 * args.batch_size, shuffle=False, num_workers=0)

    model = Net(args.dropout).to(device)
    optimizer = optim.Adadelta(model.parameters(), lr=args.lr)
    scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)
    for epoch in range(1, args.epochs + 1):
        train(args, model, device, train_loader, optimizer, epoch, log)
        test(model, device, test_loader, log)
        scheduler.step()
    if args.save_model:
        torch.save(model.state_dict(), args.save_model)
    return model, optimizer
