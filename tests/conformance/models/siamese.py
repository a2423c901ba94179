"""One network for three images: the anchor is to be nearer to the positive than to the negative."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Embedding(nn.Module):
    def __init__(self, size=6):
        super(Embedding, self).__init__()
        self.convnet = nn.Sequential(
            nn.Conv2d(1, 4, 5), nn.PReLU(), nn.MaxPool2d(2, stride=2),
            nn.Conv2d(4, 6, 3), nn.PReLU(6), nn.MaxPool2d(2, stride=2),
        )  # fmt: skip
        self.fc = nn.Sequential(nn.Linear(24, 16), nn.PReLU(), nn.Linear(16, size))

    def forward(self, x):
        output = self.convnet(x)
        output = output.view(output.size()[0], -1)
        return F.normalize(self.fc(output), p=2, dim=1)


class TripletNet(nn.Module):
    def __init__(self, embedding):
        super(TripletNet, self).__init__()
        self.embedding = embedding

    def forward(self, *images):
        return tuple(self.embedding(x) for x in images)


class ContrastiveLoss(nn.Module):
    """Squared distances of pairs of a kind, and what is missing to the margin for the others."""

    def __init__(self, margin=1.0):
        super(ContrastiveLoss, self).__init__()
        self.margin = margin

    def forward(self, first, second, same):
        distance = (first - second).pow(2).sum(1)
        away = F.relu(self.margin - (distance + 1e-9).sqrt()).pow(2)
        return 0.5 * (same.float() * distance + (1 + -1 * same).float() * away).mean()


def nt_xent(a, b, temperature=0.5):
    """Each of the 2N rows is to find its partner among the others."""
    z = torch.cat([a, b], dim=0)
    similarity = F.cosine_similarity(z.unsqueeze(1), z.unsqueeze(0), dim=2) / temperature
    itself = torch.eye(z.size(0), dtype=torch.bool)
    similarity = similarity.masked_fill(itself, -9e15)
    n = a.size(0)
    partner = torch.cat([torch.arange(n) + n, torch.arange(n)])
    return F.cross_entropy(similarity, partner)
