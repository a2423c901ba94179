"""A variational autoencoder with convolutions."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Unflatten(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.view(x.size(0), *self.shape)


class VAE(nn.Module):
    def __init__(self, latent=4):
        super(VAE, self).__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 6, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(6, 8, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.fc_mu = nn.Linear(8 * 16, latent)
        self.fc_logvar = nn.Linear(8 * 16, latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, 8 * 16),
            nn.ReLU(),
            Unflatten(8, 4, 4),
            nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(6, 1, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def encode(self, x):
        h = self.encoder(x)
        return self.fc_mu(h), self.fc_logvar(h)

    def reparameterize(self, mu, logvar):
        if not self.training:
            return mu
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return eps.mul(std).add_(mu)

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = self.reparameterize(mu, logvar)
        return self.decoder(z), mu, logvar


def loss_function(recon, x, mu, logvar):
    """Reconstruction and divergence, summed over elements and batch."""
    bce = F.binary_cross_entropy(recon.view(-1, 256), x.view(-1, 256), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld
