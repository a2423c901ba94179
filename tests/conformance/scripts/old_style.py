# -*- coding: utf-8 -*-
"""A graph net, a hinge loss and a hand-made layer as they were written for PyTorch 0.3."""

from __future__ import division, print_function

import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.nn.init as init
import torch.optim as optim
from torch.autograd import Function, Variable
from torch.nn.modules.module import Module
from torch.nn.parameter import Parameter

parser = argparse.ArgumentParser(description="old style")
parser.add_argument("--no-cuda", action="store_true", default=False)
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()
args.cuda = not args.no_cuda and torch.cuda.is_available()

dtype = torch.cuda.FloatTensor if args.cuda else torch.FloatTensor
longType = torch.cuda.LongTensor if args.cuda else torch.LongTensor


class Averaging(Module):
    """Every node takes a linear map of the mean of its neighbours"""

    def __init__(self, n_in, n_out):
        super(Averaging, self).__init__()
        self.n_in, self.n_out = n_in, n_out
        self.weight = Parameter(torch.FloatTensor(n_in, n_out))
        self.bias = Parameter(torch.Tensor(n_out))
        limit = math.sqrt(6.0 / (n_in + n_out))
        self.weight.data.uniform_(-limit, limit)
        self.bias.data.fill_(0)
        self.register_parameter("scale", None)

    def forward(self, nodes, adj):
        return torch.addmm(self.bias, torch.mm(adj, nodes), self.weight)

    def __repr__(self):
        return "%s(%d, %d)" % (self.__class__.__name__, self.n_in, self.n_out)


class HalfWave(Function):
    @staticmethod
    def forward(ctx, x):
        positive = x > 0
        ctx.save_for_backward(positive)
        return x * positive.type_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        (positive,) = ctx.saved_tensors
        return grad_output * positive.type_as(grad_output)


class GraphNet(nn.Module):
    def __init__(self, sizes, drop):
        super(GraphNet, self).__init__()
        self.first = Averaging(sizes[0], sizes[1])
        self.second = Averaging(sizes[1], sizes[2])
        self.drop = drop

    def forward(self, nodes, adj):
        hidden = HalfWave.apply(self.first(nodes, adj))
        hidden = F.dropout(hidden, self.drop, training=self.training)
        return F.log_softmax(self.second(hidden, adj), dim=1)


def ring_graph(n, near):
    """Two rings of nodes: each node knows its neighbours, and some know their class"""
    adj = torch.zeros(n, n)
    half = n // 2
    for a in range(n):
        for d in range(-near, near + 1):
            adj[a, a // half * half + (a + d) % half] = 1
    adj = adj / adj.sum(1, keepdim=True)
    features = torch.Tensor(n, 4).normal_()
    features[:half, 0] += 1
    labels = torch.LongTensor([0] * half + [1] * half)
    return features.type(dtype), adj.type(dtype), labels.type(longType)


def train_graph():
    nodes, adj, labels = ring_graph(16, 2)
    known = torch.LongTensor(list(range(0, 16, 3)))
    net = GraphNet((4, 8, 2), 0.2)
    if args.cuda:
        net.cuda()
    print(net)
    adam = optim.Adam(net.parameters(), lr=0.05, weight_decay=5e-4)
    nodes, adj, labels = Variable(nodes), Variable(adj), Variable(labels)
    for step in range(args.epochs):
        net.train()
        net.zero_grad()
        scores = net(nodes, adj)
        loss = F.nll_loss(scores[known], labels[known])
        loss.backward()
        adam.step()
        best = scores.data.max(1)[1].type_as(labels)
        right = best.eq(labels.data).cpu().sum().item()
        print("graph %d loss_train: %.4f right %d" % (step, loss.data.item(), right))


def train_by_hand():
    N, D_in, H, D_out = 16, 6, 10, 2
    x = Variable(torch.randn(N, D_in).type(dtype), requires_grad=False)
    y = Variable(torch.ByteTensor(N).fill_(1).type(dtype).view(N, 1).expand(N, D_out))
    w1 = Variable(torch.randn(D_in, H).type(dtype), requires_grad=True)
    w2 = Variable(torch.randn(H, D_out).type(dtype), requires_grad=True)
    learning_rate = 1e-3
    for t in range(args.epochs):
        y_pred = x.mm(w1).clamp(min=0).mm(w2)
        loss = (y_pred - y).pow(2).sum()
        loss.backward()
        w1.data -= learning_rate * w1.grad.data
        w2.data -= learning_rate * w2.grad.data
        w1.grad.data.zero_()
        w2.grad.data.zero_()
        print("by hand", t, "%.4f" % loss.data.item())


def train_net():
    net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    for m in net:
        if isinstance(m, nn.Linear):
            init.xavier_uniform_(m.weight, gain=init.calculate_gain("tanh"))
            m.bias.data.fill_(0)
    optimizer = optim.Adam(filter(lambda p: p.requires_grad, net.parameters()), lr=0.03)
    target = torch.Tensor([[1], [-1], [1], [-1]])
    inputs = torch.Tensor(4, 3)
    inputs.copy_(torch.from_numpy(__import__("numpy").eye(4)[:, :3]))
    eps = inputs.new(inputs.size()).normal_(0, 0.01)
    inputs.add_(eps)
    is_neg = torch.ByteTensor([0, 1, 0, 1])
    for step in range(args.epochs):
        out = net(Variable(inputs))
        loss = torch.mean(torch.clamp(1 - out * Variable(target), min=0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        wrong = ((out.data < 0) != (target < 0)).sum().item()
        neg = out.data.squeeze(1)[is_neg.bool()].mean().item()
        print("hinge", step, "%.4f" % loss.data.item(), wrong, "%.4f" % neg)
    print(net.state_dict()["0.bias"].type(), out.data.type(), isinstance(target, torch.FloatTensor))


if __name__ == "__main__":
    train_graph()
    train_by_hand()
    train_net()
