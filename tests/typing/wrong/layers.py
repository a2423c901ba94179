"""Mistakes with layers, optimizers and data that a checker must report."""

import tinygrad_cnn as torch
from tinygrad_cnn import nn, optim

ps = [torch.ones(1)]

optim.SGD(ps, learning_rate=1)  # wrong
nn.ReLU(True, 2)  # wrong
nn.ELU(alphas=1)  # wrong
nn.Conv2d(1)  # wrong
nn.Dropout("a")  # wrong
nn.GaussianNLLLoss(True)  # wrong
nn.Hardtanh(minval=1)  # wrong
nn.Linear(1, "a")  # wrong
nn.MaxPool2d()  # wrong
nn.Sigmoid(3)  # wrong
nn.UpsamplingNearest2d(mode="x")  # wrong
optim.lr_scheduler.StepLR(optim.SGD(ps), gama=1)  # wrong
nn.Sequential(3)  # wrong
torch.utils.data.BatchSampler([1], 2)  # wrong
nn.CrossEntropyLoss(weights=None)  # wrong
nn.BatchNorm2d(3, banana=1)  # wrong
nn.Sigmoid(3)  # wrong
nn.Tanh(x=1)  # wrong
nn.Softmax2d(1)  # wrong

net = nn.Linear(2, 3)
optim.SGD(net, lr=0.1)  # wrong
nn.utils.clip_grad_norm_(net, 1.0)  # wrong
nn.Sequential(*net)  # wrong
sum(net)  # wrong
len(net)  # wrong
float(net)  # wrong
net + net  # wrong
net[0]  # wrong
net.to(3.5)  # wrong
net.to(torch.float64, "cpu")  # wrong
net.to(torch.float64, copy=True)  # wrong
net.nothing.weight  # wrong

nn.LSTM(3)  # wrong
nn.GRU(3, 4, layers=2)  # wrong
nn.RNN(3, 4, nonlinearity=torch.relu)  # wrong
nn.GRU(3, 4, proj_size=2)  # wrong
nn.utils.rnn.pad_sequence([1, 2])  # wrong
nn.TransformerEncoderLayer(8)  # wrong
nn.Transformer(8, 2, heads=2)  # wrong
