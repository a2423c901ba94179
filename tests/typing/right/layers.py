"""A user's program with layers, optimizers and data: the types that a checker must see."""

from collections.abc import Iterator
from typing import Any, assert_type

import tinygrad_cnn as torch
from tinygrad_cnn import Tensor, nn, optim
from tinygrad_cnn.nn import Parameter
from tinygrad_cnn.optim.lr_scheduler import StepLR
from tinygrad_cnn.utils.data import ConcatDataset, DataLoader, Dataset, Subset, random_split

conv = nn.Conv2d(1, 2, 3, padding="same")
assert_type(conv.weight, Tensor)
assert_type(conv.bias, Tensor | None)
assert_type(conv(torch.ones(1)), Any)
assert_type(conv.forward(torch.ones(1)), Tensor)
relu = nn.ReLU(inplace=True)
assert_type(relu.inplace, bool)
assert_type(relu.forward(torch.ones(2)), Tensor)

net = nn.Sequential(conv, relu)
assert_type(net[0], nn.Module)
assert_type(net[1:], nn.Sequential)
assert_type(net.parameters(), Iterator[Parameter])
assert_type(net.train(), nn.Sequential)
assert_type(net.to(torch.float64), nn.Sequential)
assert_type(nn.utils.clip_grad_norm_(net.parameters(), 1.0), Tensor)
assert_type(nn.utils.parametrizations.weight_norm(conv), nn.Conv2d)


# attributes that a layer may lack are typed as PyTorch's are
def reset(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.constant_(module.bias, 0)
    elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)):
        nn.init.constant_(module.weight, 1)
        nn.init.constant_(module.bias, 0)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.zeros_(module.bias)


assert_type(net.apply(reset), nn.Sequential)
base: nn.Module = net
assert_type(base.anything, Tensor | nn.Module)
for module in net.modules():
    assert_type(module, nn.Module)
assert_type(dict(net.named_children()), dict[str, nn.Module])
assert_type(net.get_submodule("0"), nn.Module)
assert_type(net.to("cpu", torch.float32), nn.Sequential)
assert_type(net.to(conv.weight), nn.Sequential)
assert_type(net.to(dtype=torch.float64).float().double(), nn.Sequential)

optimizer = optim.Adam(net.parameters(), lr=1e-3)
optim.SGD([{"params": net.parameters()}], lr=0.1, momentum=0.9)
assert_type(optimizer.param_groups, list[dict[str, Any]])
assert_type(StepLR(optimizer, 3).get_last_lr(), list[float])

loss = nn.CrossEntropyLoss(label_smoothing=0.1)
assert_type(loss.forward(torch.ones(1), torch.ones(1)), Tensor)
assert_type(loss.ignore_index, int)
assert_type(loss.reduction, str)


class Threes(Dataset[int]):
    def __getitem__(self, index: Any) -> int:
        return 3

    def __len__(self) -> int:
        return 3


threes = Threes()
loader = DataLoader(threes, batch_size=2)
assert_type(loader, DataLoader[int])
assert_type(loader.dataset, Dataset[int])
first, second = random_split(threes, [1, 2])
assert_type(first, Subset[int])
assert_type(first[0], int)
assert_type(threes + threes, ConcatDataset[int])


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: torch.autograd.function.FunctionCtx, g: Tensor) -> Tensor:
        x: Tensor = ctx.saved_tensors[0]
        return g * 3 * x**2


cubed: Tensor = Cube.apply(torch.ones(2))

lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True, bidirectional=True)
assert_type(lstm.hidden_size, int)
assert_type(lstm.forward(torch.ones(1, 2, 3))[1], tuple[Tensor, Tensor])
packed = nn.utils.rnn.pack_sequence([torch.ones(2, 3)])
assert_type(packed.data, Tensor)
lstm.forward(packed)
assert_type(nn.utils.rnn.pad_packed_sequence(packed), tuple[Tensor, Tensor])
assert_type(nn.GRUCell(3, 4).forward(torch.ones(1, 3)), Tensor)
assert_type(
    torch.lstm_cell(packed.data, [packed.data] * 2, conv.weight, conv.weight), tuple[Tensor, Tensor]
)
encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, activation=torch.tanh), 2)
assert_type(encoder.forward(torch.ones(5, 1, 8)), Tensor)
assert_type(nn.Transformer.generate_square_subsequent_mask(3), Tensor)
