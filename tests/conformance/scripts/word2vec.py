import argparse
import collections

import numpy as np
import torch
from torch import nn, optim
import torch.nn.functional as F
from torch.nn import Parameter
from torch.nn.init import xavier_normal_

text = (
    "king rules land queen rules land man works field woman works field "
    "king is man queen is woman prince is son princess is daughter "
).split()


def neighbours(words, window):
    counts = collections.Counter(words)
    vocab = sorted(counts)
    index = {w: i for i, w in enumerate(vocab)}
    ids = [index[w] for w in words]
    pairs = [(ids[i], ids[j]) for i in range(len(ids))
             for j in range(max(0, i - window), min(len(ids), i + window + 1)) if i != j]  # fmt: skip
    return vocab, np.array(pairs), np.array([counts[w] for w in vocab])


class SkipGram(nn.Module):
    """Negative sampling: tell the true neighbours of a word from words drawn at random"""

    def __init__(self, words, dim):
        super(SkipGram, self).__init__()
        self.center = nn.Embedding(words, dim)
        self.context = nn.Embedding(words, dim)
        nn.init.uniform_(self.center.weight, -1.0 / dim, 1.0 / dim)
        nn.init.constant_(self.context.weight.data, 0)

    def forward(self, center, neighbour, others):
        c = self.center(center)
        true = torch.sum(c * self.context(neighbour), dim=1)
        false = torch.bmm(self.context(others), c.unsqueeze(2)).squeeze(2)
        return -(F.logsigmoid(true.clamp(-10, 10)) + F.logsigmoid(-false).sum(1)).mean()


class TextClassifier(nn.Module):
    """A bag of words: bags lie behind each other in text, offsets says where each begins"""

    def __init__(self, vocab_size, embed_dim, num_class, mode):
        super(TextClassifier, self).__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.fc = nn.Linear(embed_dim, num_class, bias=False)
        self.shift = Parameter(torch.zeros(num_class))
        self.mode = mode
        xavier_normal_(self.fc.weight)

    def forward(self, text, offsets):
        bag = torch.zeros_like(text)
        bag[offsets[1:]] = 1
        bag = bag.cumsum(0)
        total = self.shift.new_zeros(len(offsets), self.embedding.embedding_dim)
        total = total.index_add(0, bag, self.embedding(text))
        if self.mode == "mean":
            total = total / torch.bincount(bag).unsqueeze(1)
        return self.fc(total) + self.shift


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dim", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--negative", type=int, default=3)
    parser.add_argument("--mode", default="mean")
    args = parser.parse_args()
    vocab, pairs, counts = neighbours(text, 2)
    noise = torch.from_numpy(counts).double() ** 0.75
    model = SkipGram(len(vocab), args.dim)
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(args.epochs):
        total = 0.0
        order = torch.randperm(len(pairs)).numpy()
        for batch in np.array_split(pairs[order], 4):
            u, v = torch.from_numpy(batch[:, 0]), torch.from_numpy(batch[:, 1])
            neg = torch.multinomial(noise, len(u) * args.negative, replacement=True)
            loss = model(u, v, neg.view(len(u), args.negative))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print("epoch %d loss %.5f" % (epoch, total / 4))
    vectors = F.normalize(model.center.weight.detach())
    similar = vectors @ vectors[vocab.index("king")]
    print("king:", [vocab[i] for i in similar.topk(3)[1].tolist()])

    # bag of words: does a sentence speak of the court or of the field?
    sentences = [text[k : k + 3] for k in range(0, len(text), 3)]
    labels = torch.tensor([int("field" in s or "man" in s or "woman" in s) for s in sentences])
    bags = [torch.tensor([vocab.index(w) for w in s]) for s in sentences]
    offsets = torch.tensor([0] + [len(b) for b in bags[:-1]]).cumsum(dim=0)
    classifier = TextClassifier(len(vocab), args.dim, 2, args.mode)
    optimizer = optim.SGD(classifier.parameters(), lr=1.0)
    for epoch in range(args.epochs):
        optimizer.zero_grad()
        loss = F.cross_entropy(classifier(torch.cat(bags), offsets), labels)
        loss.backward()
        optimizer.step()
        print("bag epoch %d loss %.5f" % (epoch, loss))


if __name__ == "__main__":
    main()
