"""Sentences: words embedded, convolutions of several widths, the maximum over time."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class TextCNN(nn.Module):
    def __init__(self, words=20, dim=6, widths=(2, 3, 4), filters=4, classes=3):
        super(TextCNN, self).__init__()
        self.embed = nn.Embedding(words, dim, padding_idx=0)
        self.convs = nn.ModuleList([nn.Conv1d(dim, filters, width) for width in widths])
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(len(widths) * filters, classes)

    def forward(self, sentences):
        x = self.embed(sentences).transpose(1, 2)  # (N, dim, length)
        found = [F.relu(conv(x)) for conv in self.convs]
        found = [F.max_pool1d(f, f.size(2)).squeeze(2) for f in found]
        return self.fc(self.dropout(torch.cat(found, 1)))


class BagOfWords(nn.Module):
    """The mean over the words that are there (0 is none), and the weights of the words tied."""

    def __init__(self, words=20, dim=6):
        super().__init__()
        self.embed = nn.Embedding(words, dim)
        self.decoder = nn.Linear(dim, words)
        self.decoder.weight = self.embed.weight
        self.decoder.bias.data.zero_()
        self.embed.weight.data.uniform_(-0.1, 0.1)

    def forward(self, sentences):
        there = (sentences != 0).unsqueeze(-1)
        x = self.embed(sentences).masked_fill(~there, 0.0)
        mean = x.sum(dim=1) / there.sum(dim=1).clamp(min=1)
        return F.log_softmax(self.decoder(torch.tanh(mean)), dim=-1)
