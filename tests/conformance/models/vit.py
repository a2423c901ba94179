"""Vision transformers: with nn.MultiheadAttention, and with the attention written out."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class MLP(nn.Module):
    def __init__(self, dim, hidden, drop=0.0):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(hidden, dim)
        self.drop = nn.Dropout(drop)

    def forward(self, x):
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))


class Encoder(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(dim)
        self.mlp = MLP(dim, 2 * dim)

    def forward(self, x):
        y = self.ln_1(x)
        y, _ = self.attention(y, y, y, need_weights=False)
        x = x + y
        return x + self.mlp(self.ln_2(x))


class ViT(nn.Module):
    def __init__(self, size=16, patch=4, dim=12, depth=2, heads=3, num_classes=10):
        super().__init__()
        self.dim = dim
        self.conv_proj = nn.Conv2d(3, dim, kernel_size=patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, dim))
        length = (size // patch) ** 2 + 1
        self.pos_embedding = nn.Parameter(torch.empty(1, length, dim).normal_(std=0.02))
        self.layers = nn.Sequential(*[Encoder(dim, heads) for _ in range(depth)])
        self.ln = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, num_classes)

    def forward(self, x):
        n = x.shape[0]
        x = self.conv_proj(x).reshape(n, self.dim, -1).permute(0, 2, 1)
        tokens = self.class_token.expand(n, -1, -1)
        x = torch.cat([tokens, x], dim=1)
        x = self.ln(self.layers(x + self.pos_embedding))
        return self.head(x[:, 0])


class Attention(nn.Module):
    """softmax(q kᵀ / √d) v, by @ or by einsum."""

    def __init__(self, dim, heads, einsum=False, causal=False):
        super().__init__()
        self.heads, self.einsum = heads, einsum
        self.scale = (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, dim * 3, bias=False)
        self.proj = nn.Linear(dim, dim)
        self.register_buffer("mask", torch.tril(torch.ones(64, 64)).bool() if causal else None)

    def forward(self, x):
        B, N, C = x.shape
        if self.einsum:
            q, k, v = [
                t.view(B, N, self.heads, C // self.heads) for t in self.qkv(x).chunk(3, dim=-1)
            ]
            scores = torch.einsum("bihd,bjhd->bhij", q, k) * self.scale
        else:
            qkv = self.qkv(x).reshape(B, N, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4)
            q, k, v = qkv[0], qkv[1], qkv[2]
            scores = (q @ k.transpose(-2, -1)) * self.scale
        if self.mask is not None:
            scores = scores.masked_fill(~self.mask[:N, :N], float("-inf"))
        weights = scores.softmax(dim=-1)
        if self.einsum:
            x = torch.einsum("bhij,bjhd->bihd", weights, v).contiguous().view(B, N, C)
        else:
            x = (weights @ v).transpose(1, 2).reshape(B, N, C)
        return self.proj(x)


class HandViT(nn.Module):
    """Patches by unfold, attention by hand, the mean of the tokens for a classifier."""

    def __init__(self, dim=8, heads=2, num_classes=10):
        super().__init__()
        self.embed = nn.Linear(3 * 4 * 4, dim)
        self.pos = nn.Parameter(torch.randn(1, 16, dim) * 0.02)
        self.blocks = nn.ModuleList()
        for einsum in (False, True):
            self.blocks.append(
                nn.ModuleDict(
                    {
                        "norm": nn.LayerNorm(dim),
                        "attn": Attention(dim, heads, einsum, causal=einsum),
                        "mlp": MLP(dim, dim * 2, drop=0.1),
                    }
                )
            )
        self.head = nn.Linear(dim, num_classes)

    def forward(self, x):
        n, c, h, w = x.shape
        x = x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 1, 3, 5).reshape(n, -1, c * 16)
        x = self.embed(x) + self.pos
        for block in self.blocks:
            x = x + block["attn"](block["norm"](x))
            x = x + block["mlp"](F.layer_norm(x, x.shape[-1:]))
        return self.head(x.mean(dim=1))
