import argparse
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable
from torch.utils.data import DataLoader, TensorDataset


def rings(n):
    """Points in the plane; the class is the ring around the origin in which they lie"""
    x = torch.randn(n, 2)
    r = x.norm(dim=1)
    return TensorDataset(x, (r > 0.8).long() + (r > 1.5).long())


class Teacher(nn.Module):
    def __init__(self, width=48):
        super(Teacher, self).__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, width), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(),
            nn.Linear(width, 3),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x)


class Student(nn.Module):
    def __init__(self):
        super(Student, self).__init__()
        self.fc1 = nn.Linear(2, 8)
        self.fc2 = nn.Linear(8, 3)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


def soft_and_hard(student, labels, teacher, alpha, T):
    """alpha of the divergence at temperature T, and 1 - alpha of the cross-entropy"""
    kl = nn.KLDivLoss(reduction="batchmean")
    soft = kl((student / T).log_softmax(1), (teacher / T).softmax(1)) * T**2
    return alpha * soft + (1 - alpha) * F.cross_entropy(student, labels)


def accuracy(model, loader, device):
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for x, y in loader:
            _, predicted = torch.max(model(x.to(device)).data, 1)
            total += y.size(0)
            correct += (predicted == y.to(device)).sum().item()
    return 100 * correct / total


def answers_of(teacher_model, loader, device):
    teacher_model.eval()
    teacher_outputs = []
    for data_batch, _ in loader:
        data_batch = Variable(data_batch).to(device)
        teacher_outputs.append(teacher_model(data_batch).data.cpu().numpy())
    return teacher_outputs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--alpha", type=float, default=0.9)
    parser.add_argument("-T", "--temperature", type=float, default=4.0)
    parser.add_argument("--teacher", default="teacher.pth")
    args = parser.parse_args()
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    train_loader = DataLoader(rings(96), batch_size=24, shuffle=True)
    fixed_loader = DataLoader(train_loader.dataset, batch_size=24)

    if not os.path.exists(args.teacher):
        teacher = Teacher().to(device)
        optimizer = torch.optim.SGD(teacher.parameters(), lr=0.1, momentum=0.9, nesterov=True)
        for epoch in range(args.epochs):
            teacher.train()
            for x, y in train_loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(teacher(x.to(device)), y.to(device))
                loss.backward()
                optimizer.step()
            print("teacher epoch", epoch, "loss %.4f" % loss.item())
        torch.save({"net": teacher.state_dict(), "acc": accuracy(teacher, fixed_loader, device)},
                   args.teacher)  # fmt: skip

    checkpoint = torch.load(args.teacher, map_location=lambda storage, loc: storage)
    teacher = Teacher()
    teacher.load_state_dict(checkpoint["net"])
    teacher = teacher.to(device).eval()
    for p in teacher.parameters():
        p.requires_grad = False
    print("teacher accuracy %.2f" % checkpoint["acc"])

    student = Student().to(device)
    optimizer = torch.optim.Adagrad(student.parameters(), lr=0.1)
    teacher_outputs = answers_of(teacher, fixed_loader, device)
    for epoch in range(args.epochs):
        student.train()
        total = 0.0
        for i, (x, y) in enumerate(fixed_loader):
            x, y = x.to(device), y.to(device)
            output_teacher = torch.from_numpy(teacher_outputs[i]).to(device)
            loss = soft_and_hard(student(x), y, output_teacher, args.alpha, args.temperature)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print("student epoch %d loss %.5f" % (epoch, total / len(fixed_loader)))
    assert all(p.grad is None for p in teacher.parameters())
    print("student accuracy %.2f" % accuracy(student, fixed_loader, device))


if __name__ == "__main__":
    main()
