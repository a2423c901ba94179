# Siamese network with triplet loss on noisy digits of a 7-segment display
import argparse
import random

import numpy as np

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset

SEGMENTS = ["1111110", "0110000", "1101101", "1111001", "0110011", "1011011"]


class TripletDataset(Dataset):
    def __init__(self, size, transform=None):
        self.size = size
        self.transform = transform
        self.prototypes = np.array([[float(c) for c in s] for s in SEGMENTS])

    def draw(self, label):
        return self.prototypes[label] + np.random.normal(0, 0.3, 7)

    def __getitem__(self, index):
        anchor_label = index % len(SEGMENTS)
        negative_label = random.choice([k for k in range(len(SEGMENTS)) if k != anchor_label])
        anchor = self.draw(anchor_label)
        positive = self.draw(anchor_label)
        negative = self.draw(negative_label)
        if self.transform is not None:
            anchor, positive, negative = map(self.transform, (anchor, positive, negative))
        return anchor, positive, negative, torch.LongTensor([anchor_label])

    def __len__(self):
        return self.size


class EmbeddingNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(7, 32), nn.PReLU(), nn.Dropout(p=0.1), nn.Linear(32, 32), nn.PReLU(),
            nn.Linear(32, 4),
        )  # fmt: skip

    def forward_once(self, x):
        output = self.net(x)
        return output / output.norm(p=2, dim=1, keepdim=True).clamp(min=1e-8)

    def forward(self, x1, x2, x3):
        return self.forward_once(x1), self.forward_once(x2), self.forward_once(x3)


class TripletLoss(nn.Module):
    """Squared euclidean distances with a margin (FaceNet)"""

    def __init__(self, margin=0.5):
        super().__init__()
        self.margin = margin

    def forward(self, anchor, positive, negative, size_average=True):
        distance_positive = (anchor - positive).pow(2).sum(1)
        distance_negative = (anchor - negative).pow(2).sum(1)
        losses = torch.relu(distance_positive - distance_negative + self.margin)
        return losses.mean() if size_average else losses.sum()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=12)
    parser.add_argument("--builtin", action="store_true")
    parser.add_argument("--seed", type=int, default=-1)
    args = parser.parse_args()
    if args.seed >= 0:
        random.seed(args.seed)
        np.random.seed(args.seed)
        torch.manual_seed(args.seed)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    to_tensor = lambda x: torch.tensor(x, dtype=torch.get_default_dtype())
    loader = DataLoader(TripletDataset(48, to_tensor), args.batch_size, shuffle=True)
    model = EmbeddingNet().to(device)
    criterion = nn.TripletMarginLoss(margin=0.5, p=2) if args.builtin else TripletLoss()
    optimizer = optim.RMSprop(model.parameters(), lr=3e-3, alpha=0.9)
    scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)

    for epoch in range(args.epochs):
        running_loss, active = [], 0
        model.train()
        for step, (anchor, positive, negative, label) in enumerate(loader):
            anchor, positive, negative = anchor.to(device), positive.to(device), negative.to(device)
            optimizer.zero_grad()
            a, p, n = model(anchor, positive, negative)
            loss = criterion(a, p, n)
            loss.backward()
            optimizer.step()
            running_loss.append(loss.cpu().detach().numpy())
            active += ((a - p).norm(dim=1) + 0.5 > (a - n).norm(dim=1)).sum().item()
        scheduler.step()
        print(
            f"Epoch: {epoch + 1}/{args.epochs} - Loss: {np.mean(running_loss):.4f} active {active}"
        )

    model.eval()
    with torch.no_grad():
        points = model.forward_once(to_tensor(loader.dataset.prototypes))
        distances = nn.functional.pairwise_distance(points.unsqueeze(1), points.unsqueeze(0))
        print("distances of classes", [round(d, 4) for d in distances[0].tolist()])
    torch.save({"model_state_dict": model.state_dict(), "epoch": args.epochs}, "trained_model.pth")
