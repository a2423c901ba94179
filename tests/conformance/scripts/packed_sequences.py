import argparse

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


class Brackets(Dataset):
    """Words of a, b and c of different lengths; the class says which letter is most frequent"""

    def __init__(self, n):
        self.samples = []
        for _ in range(n):
            length = torch.randint(3, 9, (1,)).item()
            seq = torch.randint(1, 4, (length,))
            label = torch.bincount(seq, minlength=4)[1:].argmax().item()
            self.samples.append((seq, label))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        return self.samples[i]


def collate_fn(batch):
    batch.sort(key=lambda s: len(s[0]), reverse=True)
    seqs, labels = zip(*batch)
    lengths = [len(s) for s in seqs]
    return pad_sequence(seqs, batch_first=True, padding_value=0), lengths, torch.tensor(labels)


class Tagger(nn.Module):
    def __init__(self, cell, vocab=4, emb=8, hidden=12, classes=3):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb, padding_idx=0)
        rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.rnn = rnn(emb, hidden, num_layers=2, batch_first=True, bidirectional=True, dropout=0.1)
        self.attn = nn.Linear(2 * hidden, 1, bias=False)
        self.fc = nn.Linear(4 * hidden, classes)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.embedding(x), lengths, batch_first=True)
        out, h = self.rnn(packed)
        if isinstance(h, tuple):
            h = h[0]
        out, out_lengths = pad_packed_sequence(out, batch_first=True)
        mask = torch.arange(out.size(1))[None, :] >= out_lengths[:, None]
        scores = self.attn(torch.tanh(out)).squeeze(-1).masked_fill(mask.to(x.device), -1e9)
        context = torch.bmm(scores.softmax(dim=1).unsqueeze(1), out).squeeze(1)
        return self.fc(torch.cat([context, h[-2], h[-1]], dim=1))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--cell", choices=["lstm", "gru"], default="lstm")
    ap.add_argument("--epochs", type=int, default=3)
    ap.add_argument("--samples", type=int, default=48)
    args = ap.parse_args()

    loader = DataLoader(Brackets(args.samples), 12, shuffle=True, collate_fn=collate_fn)
    net = Tagger(args.cell).to(device)
    for name, p in net.named_parameters():
        if "weight_hh" in name:
            nn.init.orthogonal_(p)
        elif "bias_" in name and args.cell == "lstm":
            with torch.no_grad():
                p.zero_()
                p[p.size(0) // 4 : p.size(0) // 2].fill_(1)  # forget gate
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.05)

    for epoch in range(args.epochs):
        total, correct, seen = 0.0, 0, 0
        for x, lengths, y in loader:
            x, y = x.to(device), y.to(device)
            logits = net(x, lengths)
            loss = loss_fn(logits, y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(net.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(y)
            correct += (logits.argmax(1) == y).sum().item()
            seen += len(y)
        sched.step()
        print(f"epoch {epoch}: loss {total / seen:.5f} accuracy {correct / seen:.2%}")


if __name__ == "__main__":
    main()
