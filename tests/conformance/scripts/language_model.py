# coding: utf-8
"""Word-level language model: a recurrent net, truncated back-propagation through time."""

import argparse
import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

LINES = """the cat sat on the mat and the dog sat on the log
the dog saw the cat and the cat saw the dog on the mat
a bird sat on the dog and the dog ran to the log
""".splitlines()

parser = argparse.ArgumentParser(description="language model")
parser.add_argument("--model", default="LSTM", choices=["LSTM", "GRU", "RNN_TANH", "RNN_RELU"])
parser.add_argument("--emsize", type=int, default=16)
parser.add_argument("--nhid", type=int, default=16)
parser.add_argument("--nlayers", type=int, default=2)
parser.add_argument("--lr", type=float, default=2)
parser.add_argument("--clip", type=float, default=0.25)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--batch_size", type=int, default=4)
parser.add_argument("--bptt", type=int, default=9)
parser.add_argument("--dropout", type=float, default=0.2)
parser.add_argument("--tied", action="store_true")
parser.add_argument("--seed", type=int, default=None)
parser.add_argument("--save", default="model.pt")


def read(path, vocabulary):
    ids = []
    with open(path, encoding="utf8") as f:
        for line in f:
            for word in line.split() + ["<eos>"]:
                ids.append(vocabulary.setdefault(word, len(vocabulary)))
    return torch.tensor(ids, dtype=torch.long)


def columns(ids, n):
    """n columns of text that go on from row to row; the rest is cut off"""
    length = ids.numel() // n
    return ids[: length * n].reshape(n, length).t().contiguous()


def repackage_hidden(h):
    """The states without their history"""
    return h.detach() if torch.is_tensor(h) else tuple(repackage_hidden(x) for x in h)


class LanguageModel(nn.Module):
    def __init__(self, kind, words, emsize, nhid, nlayers, dropout, tied):
        super(LanguageModel, self).__init__()
        self.embed = nn.Embedding(words, emsize)
        if kind.startswith("RNN_"):
            self.rnn = nn.RNN(emsize, nhid, nlayers, nonlinearity=kind[4:].lower(), dropout=dropout)
        else:
            self.rnn = getattr(nn, kind)(emsize, nhid, nlayers, dropout=dropout)
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(nhid, words)
        if tied:
            self.out.weight = self.embed.weight
        for p in (self.embed.weight, self.out.weight):
            nn.init.uniform_(p, -0.1, 0.1)
        nn.init.zeros_(self.out.bias)

    def forward(self, ids, hidden=None):
        y, hidden = self.rnn(self.drop(self.embed(ids)), hidden)
        return self.out(self.drop(y)), hidden


def chunks(data, size):
    for start in range(0, len(data) - 1, size):
        end = min(start + size, len(data) - 1)
        yield data[start:end], data[start + 1 : end + 1]


def evaluate(model, data, bptt):
    model.eval()
    total, hidden = 0.0, None
    with torch.no_grad():
        for x, y in chunks(data, bptt):
            scores, hidden = model(x, hidden)
            total += F.cross_entropy(scores.flatten(0, 1), y.flatten(), reduction="sum").item()
    return total / data[1:].numel()


def train(model, data, args, lr, epoch):
    model.train()
    weight = next(model.parameters())
    zeros = weight.new_zeros(args.nlayers, args.batch_size, args.nhid)
    hidden = (zeros, zeros.clone()) if args.model == "LSTM" else zeros
    recent = []
    for i, (x, y) in enumerate(chunks(data, args.bptt)):
        model.zero_grad()
        hidden = repackage_hidden(hidden)
        scores, hidden = model(x, hidden)
        loss = F.cross_entropy(scores.view(-1, scores.size(2)), y.reshape(-1))
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        with torch.no_grad():
            for p in model.parameters():
                p -= lr * p.grad
        recent.append(loss.item())
        if i % 4 == 3:
            mean = sum(recent) / len(recent)
            print("epoch {:2d} chunk {:3d} lr {:.3f} loss {:.4f} ppl {:.3f} norm {:.4f}".format(
                epoch, i + 1, lr, mean, math.exp(mean), norm))  # fmt: skip
            recent = []


def main():
    args = parser.parse_args()
    if args.seed is not None:
        torch.manual_seed(args.seed)
    device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
    os.makedirs("data", exist_ok=True)
    for name, times in (("train.txt", 8), ("valid.txt", 1)):
        with open(os.path.join("data", name), "w") as f:
            f.write("\n".join(LINES * times) + "\n")
    vocabulary = {}
    train_data = columns(read("data/train.txt", vocabulary), args.batch_size).to(device)
    valid_data = columns(read("data/valid.txt", vocabulary), 2).to(device)
    model = LanguageModel(
        args.model, len(vocabulary), args.emsize, args.nhid, args.nlayers, args.dropout, args.tied
    ).to(device)
    print(model, sum(p.numel() for p in model.parameters()))

    best, lr = None, args.lr
    for epoch in range(1, args.epochs + 1):
        train(model, train_data, args, lr, epoch)
        valid = evaluate(model, valid_data, args.bptt)
        print("epoch {:2d} valid loss {:.4f} ppl {:.3f}".format(epoch, valid, math.exp(valid)))
        if best is None or valid < best:
            best = valid
            with open(args.save, "wb") as f:
                torch.save(model.state_dict(), f)
        else:
            lr /= 4.0
    with open(args.save, "rb") as f:
        model.load_state_dict(torch.load(f))
    model.rnn.flatten_parameters()
    print("best {:.4f}".format(evaluate(model, valid_data, args.bptt)))

    words, word, hidden = list(vocabulary), torch.zeros(1, 1, dtype=torch.long), None
    said = []
    with torch.no_grad():
        for _ in range(12):
            scores, hidden = model(word.to(device), hidden)
            word = torch.multinomial(scores.view(-1).div(0.8).exp().cpu(), 1).view(1, 1)
            said.append(words[word.item()])
    print(" ".join(said))


if __name__ == "__main__":
    main()
