from __future__ import print_function

import argparse

import torch
import torch.utils.data
from torch import nn, optim
from torch.nn import functional as F

parser = argparse.ArgumentParser(description="variational autoencoder of bars")
parser.add_argument("--batch-size", type=int, default=20)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--no-cuda", action="store_true", default=False)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--log-interval", type=int, default=2)
args = parser.parse_args()
args.cuda = not args.no_cuda and torch.cuda.is_available()

if args.seed >= 0:
    torch.manual_seed(args.seed)

device = torch.device("cuda" if args.cuda else "cpu")
kwargs = {"num_workers": 1, "pin_memory": True} if args.cuda else {}


def bars(n, side=8):
    """Pictures of one horizontal or vertical bar, and a label that says which of the two"""
    data = torch.zeros(n, 1, side, side)
    upright = torch.rand(n) < 0.5
    place = torch.randint(0, side, (n,))
    for i in range(n):
        if upright[i]:
            data[i, 0, :, place[i]] = 1.0
        else:
            data[i, 0, place[i]] = 1.0
    return torch.utils.data.TensorDataset(data, upright.long())


train_loader = torch.utils.data.DataLoader(
    bars(100), batch_size=args.batch_size, shuffle=True, **kwargs
)
test_loader = torch.utils.data.DataLoader(bars(40), batch_size=args.batch_size, **kwargs)


class Autoencoder(nn.Module):
    def __init__(self, pixels=64, hidden=40, latent=4):
        super(Autoencoder, self).__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.ReLU())
        self.moments = nn.Linear(hidden, 2 * latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels), nn.Sigmoid()
        )

    def forward(self, x):
        mu, logvar = self.moments(self.encoder(x)).chunk(2, dim=1)
        z = mu
        if self.training:
            z = torch.randn_like(mu).mul(logvar.mul(0.5).exp()).add(mu)
        return self.decoder(z).view_as(x), mu, logvar


model = Autoencoder().to(device)
optimizer = optim.Adam(model.parameters(), lr=3e-3)


def loss_function(output, x, mu, logvar):
    likelihood = F.binary_cross_entropy(output, x, reduction="sum")
    divergence = 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum()
    return likelihood + divergence


def train(epoch):
    model.train()
    train_loss = 0
    for batch_idx, (data, _) in enumerate(train_loader):
        data = data.to(device)
        optimizer.zero_grad()
        recon_batch, mu, logvar = model(data)
        loss = loss_function(recon_batch, data, mu, logvar)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
        if batch_idx % args.log_interval == 0:
            print("epoch {} at {} of {} ({:.0f}%), loss {:.6f}".format(
                epoch, batch_idx * len(data), len(train_loader.dataset),
                100.0 * batch_idx / len(train_loader), loss.item() / len(data)))  # fmt: skip
    print("epoch {} average loss {:.4f}".format(
        epoch, train_loss / len(train_loader.dataset)))  # fmt: skip


def test(epoch):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for k, (pictures, _) in enumerate(test_loader):
            pictures = pictures.to(device)
            found, mu, logvar = model(pictures)
            total += loss_function(found, pictures, mu, logvar).item()
            if k == 0:  # some of them, above what became of them
                pairs = torch.stack([pictures.view_as(found), found])[:, :8]
                torch.save(pairs.cpu(), "pairs_{}.pt".format(epoch))
    print("loss of other pictures {:.4f}".format(total / len(test_loader.dataset)))


if __name__ == "__main__":
    for epoch in range(1, args.epochs + 1):
        train(epoch)
        test(epoch)
        with torch.no_grad():
            sample = torch.randn(16, 4).to(device)
            sample = model.decoder(sample).cpu()
            print("sample mean {:.4f} std {:.4f}".format(sample.mean().item(), sample.std().item()))
