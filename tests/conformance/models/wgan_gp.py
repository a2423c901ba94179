"""Wasserstein GAN: the critic's gradient at points between real and fake is held to length 1."""

import torch
import torch.nn as nn
from torch import autograd


class Generator(nn.Module):
    def __init__(self, latent=5, shape=(1, 8, 8)):
        super().__init__()
        self.shape = shape

        def block(cin, cout, normalize=True):
            layers = [nn.Linear(cin, cout)]
            if normalize:
                layers.append(nn.BatchNorm1d(cout, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(
            *block(latent, 8, normalize=False), *block(8, 16), nn.Linear(16, 64), nn.Tanh()
        )

    def forward(self, z):
        img = self.model(z)
        return img.view(img.shape[0], *self.shape)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1),
            nn.LayerNorm([4, 4, 4]),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4, 8, 3, stride=2, padding=1),
            nn.Softplus(),
        )
        self.last = nn.Linear(32, 1)

    def forward(self, img):
        return self.last(self.features(img).flatten(1))


def gradient_penalty(critic, real, fake):
    alpha = torch.rand(real.size(0), 1, 1, 1, dtype=real.dtype)
    between = (alpha * real + ((1 - alpha) * fake)).requires_grad_(True)
    scores = critic(between)
    gradients = autograd.grad(
        outputs=scores,
        inputs=between,
        grad_outputs=torch.ones_like(scores),
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    gradients = gradients.view(gradients.size(0), -1)
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean()


def critic_loss(critic, generator, real, weight=10):
    z = torch.randn(real.size(0), 5, dtype=real.dtype)
    fake = generator(z).detach()
    penalty = gradient_penalty(critic, real.data, fake.data)
    return -torch.mean(critic(real)) + torch.mean(critic(fake)) + weight * penalty, penalty
