import argparse

import torch
import torch.nn.functional as F
import torch.nn.utils.prune as prune
from torch import nn

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class LeNet(nn.Module):
    def __init__(self):
        super(LeNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.conv2 = nn.Conv2d(4, 8, 3)
        self.fc1 = nn.Linear(8 * 2 * 2, 24)
        self.fc2 = nn.Linear(24, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.relu(self.conv2(x))
        x = x.view(-1, int(x.nelement() / x.shape[0]))
        return self.fc2(F.relu(self.fc1(x)))


def stripes(n):
    """10x10 pictures of horizontal, vertical and diagonal stripes with noise"""
    i, j = torch.meshgrid(torch.arange(10), torch.arange(10), indexing="ij")
    kinds = torch.stack([i % 3 == 0, j % 3 == 0, (i + j) % 3 == 0]).to(torch.get_default_dtype())
    y = torch.arange(n) % 3
    return kinds[y].unsqueeze(1) + 0.3 * torch.randn(n, 1, 10, 10), y


def sparsity(module):
    return 100.0 * float(torch.sum(module.weight == 0)) / float(module.weight.nelement())


def fit(model, optimizer, x, y, epochs):
    for epoch in range(epochs):
        for batch in torch.randperm(len(y)).split(12):
            loss = F.cross_entropy(model(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print("epoch %d loss %.5f" % (epoch, loss.item()))


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=2)
    ap.add_argument("--amount", type=float, default=0.4)
    args = ap.parse_args()
    x, y = stripes(36)
    x, y = x.to(device), y.to(device)
    model = LeNet().to(device=device)
    fit(model, torch.optim.Adam(model.parameters(), lr=5e-3), x, y, args.epochs)

    module = model.conv1
    print([name for name, _ in module.named_parameters()], list(module.named_buffers()))
    prune.l1_unstructured(module, name="weight", amount=args.amount)
    prune.l1_unstructured(module, name="bias", amount=1)
    print([name for name, _ in module.named_parameters()])
    print([name for name, _ in module.named_buffers()])
    print("Sparsity in conv1.weight: {:.2f}%".format(sparsity(module)))
    prune.ln_structured(model.conv2, name="weight", amount=0.25, n=2, dim=0)
    print(list(model.state_dict().keys()))

    parameters_to_prune = ((model.conv2, "weight"), (model.fc1, "weight"), (model.fc2, "weight"))
    prune.global_unstructured(
        parameters_to_prune, pruning_method=prune.L1Unstructured, amount=args.amount
    )
    for m, _ in parameters_to_prune:
        print("Sparsity in {}: {:.2f}%".format(m.__class__.__name__, sparsity(m)))
    fit(model, torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9), x, y, args.epochs)
    for m in model.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            if prune.is_pruned(m):
                prune.remove(m, "weight")
    prune.remove(module, "bias")
    print("after fine-tuning: {:.2f}%".format(sparsity(model.fc1)), prune.is_pruned(model))
    print(list(model.state_dict().keys()))
    with torch.no_grad():
        print("accuracy", (model(x).argmax(1) == y).double().mean().item())
    torch.save(model.state_dict(), "pruned.pth")
