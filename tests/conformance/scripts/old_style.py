# -*- coding: utf-8 -*-
"""Char RNN, a Hinge net and a hand-made layer as they were written for PyTorch 0.3."""

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


class GraphConvolution(Module):
    def __init__(self, in_features, out_features, bias=True):
        super(GraphConvolution, self).__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(torch.FloatTensor(in_features, out_features))
        if bias:
            self.bias = Parameter(torch.Tensor(out_features))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        stdv = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(-stdv, stdv)
        if self.bias is not None:
            self.bias.data.uniform_(-stdv, stdv)

    def forward(self, input, adj):
        support = torch.mm(input, self.weight)
        output = torch.mm(adj, support)
        if self.bias is not None:
            return output + self.bias
        return output

    def __repr__(self):
        return self.__class__.__name__ + " (" \
            + str(self.in_features) + " -> " + str(self.out_features) + ")"  # fmt: skip


class Clip(Function):
    @staticmethod
    def forward(ctx, i):
        ctx.save_for_backward(i)
        return i.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (i,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[i < 0] = 0
        return grad_input


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout):
        super(GCN, self).__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)
        self.dropout = dropout

    def forward(self, x, adj):
        x = Clip.apply(self.gc1(x, adj))
        x = F.dropout(x, self.dropout, training=self.training)
        x = self.gc2(x, adj)
        return F.log_softmax(x, dim=1)


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


def train_gcn():
    features, adj, labels = ring_graph(16, 2)
    idx_train = torch.LongTensor(range(0, 16, 3))
    model = GCN(4, 8, 2, 0.2)
    print(model)
    optimizer = optim.Adam(model.parameters(), lr=0.05, weight_decay=5e-4)
    if args.cuda:
        model.cuda()
    features, adj, labels = Variable(features), Variable(adj), Variable(labels)
    for epoch in range(args.epochs):
        model.train()
        optimizer.zero_grad()
        output = model(features, adj)
        loss_train = F.nll_loss(output[idx_train], labels[idx_train])
        loss_train.backward()
        optimizer.step()
        preds = output.max(1)[1].type_as(labels)
        correct = preds.eq(labels).double().sum()
        print("Epoch: {:04d} loss_train: {:.4f} acc: {:.4f}".format(
            epoch + 1, loss_train.data.item(), (correct / len(labels)).item()))  # fmt: skip


def train_by_hand():
    # N is batch size; D_in is input dimension; H is hidden dimension; D_out is output dimension.
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
    train_gcn()
    train_by_hand()
    train_net()
