"""Where a network looks: hooks keep a layer's maps and their gradients; a step of FGSM."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.CELU()
        )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        x = self.gap(self.features(x))
        return self.fc(x.flatten(1))


class GradCAM:
    def __init__(self, model, layer):
        self.model = model
        self.maps, self.gradients = None, None
        self.handles = [layer.register_forward_hook(self.keep_maps)]
        self.handles.append(layer.register_full_backward_hook(self.keep_gradients))

    def keep_maps(self, module, inputs, output):
        self.maps = output.detach()

    def keep_gradients(self, module, grad_input, grad_output):
        self.gradients = grad_output[0].detach()

    def __call__(self, x, size):
        scores = self.model(x)
        best = scores.argmax(dim=1)
        self.model.zero_grad(set_to_none=True)
        scores[torch.arange(len(x)), best].sum().backward()
        weights = self.gradients.mean(dim=(2, 3), keepdim=True)
        cam = F.relu((weights * self.maps).sum(dim=1, keepdim=True))
        cam = F.interpolate(cam, size=size, mode="bicubic", align_corners=False)
        low = cam.amin(dim=(1, 2, 3), keepdim=True)
        cam = (cam - low) / (cam.amax(dim=(1, 2, 3), keepdim=True) - low + 1e-8)
        return cam, best

    def remove(self):
        for handle in self.handles:
            handle.remove()


def fgsm(model, x, target, epsilon=0.1):
    x = x.clone().detach().requires_grad_(True)
    loss = F.cross_entropy(model(x), target)
    loss.backward()
    return torch.clamp(x + epsilon * x.grad.data.sign(), -2, 2).detach(), loss
