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


def read_own_data(words, window):
    counts = collections.Counter(words)
    vocab = sorted(counts)
    index = {w: i for i, w in enumerate(vocab)}
    ids = [index[w] for w in words]
    pairs = [(ids[i], ids[j]) for i in range(len(ids))
             for j in range(max(0, i - window), min(len(ids), i + window + 1)) if i != j]  # fmt: skip
    return vocab, np.array(pairs), np.array([counts[w] for w in vocab])


class SkipGramModel(nn.Module):
    def __init__(self, emb_size, emb_dimension):
        super(SkipGramModel, self).__init__()
        self.u_embeddings = nn.Embedding(emb_size, emb_dimension)
        self.v_embeddings = nn.Embedding(emb_size, emb_dimension)
        initrange = 1.0 / emb_dimension
        nn.init.uniform_(self.u_embeddings.weight.data, -initrange, initrange)
        nn.init.constant_(self.v_embeddings.weight.data, 0)

    def forward(self, pos_u, pos_v, neg_v):
        emb_u = self.u_embeddings(pos_u)
        emb_v = self.v_embeddings(pos_v)
        emb_neg_v = self.v_embeddings(neg_v)
        score = torch.sum(torch.mul(emb_u, emb_v), dim=1)
        score = torch.clamp(score, max=10, min=-10)
        score = -F.logsigmoid(score)
        neg_score = torch.bmm(emb_neg_v, emb_u.unsqueeze(2)).squeeze()
        neg_score = torch.clamp(neg_score, max=10, min=-10)
        neg_score = -torch.sum(F.logsigmoid(-neg_score), dim=1)
        return torch.mean(score + neg_score)


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
    vocab, pairs, counts = read_own_data(text, 2)
    noise = torch.from_numpy(counts).double() ** 0.75
    model = SkipGramModel(len(vocab), args.dim)
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
    vectors = F.normalize(model.u_embeddings.weight.detach())
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
