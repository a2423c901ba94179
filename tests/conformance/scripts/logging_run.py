import os
from argparse import ArgumentParser

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler
from torch.utils.tensorboard import SummaryWriter

parser = ArgumentParser()
parser.add_argument("--logdir", default="runs/exp1")
parser.add_argument("--epochs", default=3, type=int)
opts = parser.parse_args()
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def imbalanced(n):
    y = (torch.arange(n) % 8 == 0).long()
    x = torch.randn(n, 3) + 1.5 * y.unsqueeze(1)
    return x, y


class MLP(nn.Module):
    def __init__(self, dims, act=nn.ELU):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(dims[:-1], dims[1:])])
        self.act = act()

    def forward(self, x):
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i < len(self.layers) - 1:
                x = self.act(x)
        return x


def run():
    x, y = imbalanced(64)
    weights = 1.0 / torch.bincount(y)[y]
    sampler = WeightedRandomSampler(weights, num_samples=len(y), replacement=True)
    loader = DataLoader(TensorDataset(x, y), batch_size=16, sampler=sampler)
    net = MLP([3, 16, 16, 2]).to(device)
    optim = torch.optim.NAdam(net.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 1.5]))
    writer = SummaryWriter(log_dir=opts.logdir)
    writer.add_text("config", str(vars(opts)))
    step = 0
    for epoch in range(opts.epochs):
        for xb, yb in loader:
            optim.zero_grad()
            out = net(xb.to(device))
            loss = criterion(out, yb.to(device))
            loss.backward()
            optim.step()
            writer.add_scalar("train/loss", loss.item(), step)
            writer.add_scalar("train/lr", optim.param_groups[0]["lr"], global_step=step)
            step += 1
        for name, param in net.named_parameters():
            writer.add_histogram(name, param, epoch)
            writer.add_histogram(name + ".grad", param.grad.cpu().numpy(), epoch)
        writer.add_scalars("epoch", {"loss": loss.item(), "steps": step}, epoch)
        writer.add_image("weights", net.layers[1].weight.detach().abs().clamp(0, 1)[None], epoch)
        writer.flush()
        print("epoch {} step {} loss {:.5f}".format(epoch, step, loss.item()))
    writer.close()
    files = [f for f in os.listdir(opts.logdir) if f.startswith("events.out.tfevents")]
    print(len(files), "event file", os.path.getsize(os.path.join(opts.logdir, files[0])) > 1000)


if __name__ == "__main__":
    run()
