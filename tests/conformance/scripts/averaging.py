"""Stochastic weight averaging and an exponential moving average on a small regression."""

import copy
import sys
from argparse import ArgumentParser

import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn


class Shadow:
    """A copy of a model that follows it slowly; statistics of batch norm are copied"""

    def __init__(self, model, decay=0.9):
        self.decay = decay
        self.module = copy.deepcopy(model).eval()
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for mine, theirs in zip(self.module.parameters(), model.parameters()):
            mine.lerp_(theirs, 1 - self.decay)
        for mine, theirs in zip(self.module.buffers(), model.buffers()):
            mine.copy_(theirs)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return nn.functional.mse_loss(model(x), y).item()


def main(argv):
    parser = ArgumentParser()
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--swa-start", type=int, default=3)
    parser.add_argument("--lr", type=float, default=0.1)
    args = parser.parse_args(argv)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    x = torch.linspace(-2, 2, 64).unsqueeze(1).to(device)
    y = torch.sin(2 * x) + 0.1 * torch.randn_like(x)
    dataset = torch.utils.data.TensorDataset(x, y)
    loader = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=True)
    model = nn.Sequential(
        nn.Linear(1, 24), nn.BatchNorm1d(24), nn.SiLU(), nn.Linear(24, 24), nn.SiLU(),
        nn.Linear(24, 1),
    ).to(device)  # fmt: skip

    swa_model = AveragedModel(model)
    ema_avg = lambda averaged, current, num: 0.8 * averaged + 0.2 * current
    ema_model = AveragedModel(model, avg_fn=ema_avg)
    ema = Shadow(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    swa_scheduler = SWALR(optimizer, anneal_strategy="linear", anneal_epochs=2, swa_lr=0.02)

    for epoch in range(args.epochs):
        model.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(xb), yb)
            loss.backward()
            optimizer.step()
            ema.update(model)
            ema_model.update_parameters(model)
        if epoch >= args.swa_start:
            swa_model.update_parameters(model)
            swa_scheduler.step()
        else:
            scheduler.step()
        print(f"epoch {epoch} loss {loss.item():.6f} lr {optimizer.param_groups[0]['lr']:.5f} "
              f"ema {evaluate(ema.module, x, y):.6f}")  # fmt: skip

    # Update bn statistics for the swa_model at the end
    update_bn(loader, swa_model)
    update_bn(loader, ema_model, device=device)
    print("averaged over", swa_model.n_averaged.item())
    print("sgd %.6f swa %.6f ema %.6f" % (
        evaluate(model, x, y), evaluate(swa_model, x, y), evaluate(ema_model, x, y)))  # fmt: skip
    torch.save(swa_model.state_dict(), "swa.pt")
    swa_model.load_state_dict(torch.load("swa.pt"))
    print(sorted(swa_model.state_dict())[:2], list(swa_model.state_dict())[-1])


if __name__ == "__main__":
    main(sys.argv[1:])
