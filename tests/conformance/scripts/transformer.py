import math
from argparse import ArgumentParser
from typing import Tuple

import torch
from torch import nn, Tensor
from torch.nn import TransformerEncoder, TransformerEncoderLayer
import torch.nn.functional as F


class PositionalEncoding(nn.Module):
    """Sines and cosines of the position, of wavelengths from 2 pi to 10000 * 2 pi"""

    def __init__(self, width: int, max_len: int = 50):
        super().__init__()
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        angle = torch.arange(max_len)[:, None] * rate[None, :]
        table = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)
        self.register_buffer("table", table.to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table[: x.size(0)].unsqueeze(1)


class NextToken(nn.Module):
    def __init__(self, ntoken: int, d_model: int, nhead: int, d_hid: int, nlayers: int,
                 dropout: float = 0.1):  # fmt: skip
        super().__init__()
        layer = TransformerEncoderLayer(d_model, nhead, d_hid, dropout)
        self.embedding = nn.Embedding(ntoken, d_model)
        self.position = PositionalEncoding(d_model)
        self.dropout = nn.Dropout(dropout)
        self.encoder = TransformerEncoder(layer, nlayers, norm=nn.LayerNorm(d_model))
        self.linear = nn.Linear(d_model, ntoken)
        self.embedding.weight.data.normal_(0, d_model**-0.5)

    def forward(self, src: Tensor, mask: Tensor = None, padding: Tensor = None) -> Tensor:
        x = self.embedding(src) * math.sqrt(self.embedding.embedding_dim)
        x = self.dropout(self.position(x))
        return self.linear(self.encoder(x, mask, src_key_padding_mask=padding))


def generate_square_subsequent_mask(sz: int) -> Tensor:
    return torch.triu(torch.ones(sz, sz) * float("-inf"), diagonal=1)


def sequences(n: int, length: int = 10) -> Tuple[Tensor, Tensor]:
    """Counting modulo 7 with random start and step; token 7 pads the end."""
    start, step = torch.randint(0, 7, (n, 1)), torch.randint(1, 3, (n, 1))
    data = (start + step * torch.arange(length + 1)) % 7
    ends = torch.randint(6, length + 1, (n, 1))
    padding = torch.arange(length + 1) > ends
    return data.masked_fill(padding, 7).t().contiguous(), padding


def train(model: nn.Module, epoch: int, log_interval: int = 4) -> None:
    model.train()  # turn on train mode
    total_loss = 0.0
    for batch, i in enumerate(range(0, data.size(1), batch_size)):
        block = data[:, i : i + batch_size].to(device)
        source, targets = block[:-1], block[1:].reshape(-1)
        mask = generate_square_subsequent_mask(source.size(0)).to(device)
        output = model(source, mask, padding[i : i + batch_size, :-1].to(device))
        loss = criterion(output.view(-1, ntokens), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        total_loss += loss.item()
        if batch % log_interval == log_interval - 1:
            lr = scheduler.get_last_lr()[0]
            print(f"| epoch {epoch:3d} | {batch + 1:5d} batches | lr {lr:02.4f} | "
                  f"loss {total_loss / log_interval:5.4f}")  # fmt: skip
            total_loss = 0


def evaluate(model: nn.Module) -> float:
    model.eval()
    with torch.no_grad():
        source, targets = data[:-1], data[1:].reshape(-1)
        mask = nn.Transformer.generate_square_subsequent_mask(source.size(0))
        output = model(source, mask, torch.zeros(padding.size(0), source.size(0)).masked_fill(
            padding[:, :-1], float("-inf")))  # fmt: skip
        return F.cross_entropy(output.view(-1, ntokens), targets, ignore_index=7).item()


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.01)
    args = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    ntokens, batch_size = 8, 8
    data, padding = sequences(args.samples)
    model = NextToken(ntokens, d_model=16, nhead=2, d_hid=24, nlayers=2).to(device)
    criterion = nn.CrossEntropyLoss(ignore_index=7)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.95**step)
    best_val_loss = float("inf")
    for epoch in range(1, args.epochs + 1):
        train(model, epoch)
        val_loss = evaluate(model)
        print(f"| end of epoch {epoch:3d} | valid loss {val_loss:5.4f}")
        if val_loss < best_val_loss:
            best_val_loss = val_loss
            torch.save(model.state_dict(), "best_model_params.pt")
        scheduler.step()
    model.load_state_dict(torch.load("best_model_params.pt"))
    print(f"| end of training | {evaluate(model):5.4f}")
