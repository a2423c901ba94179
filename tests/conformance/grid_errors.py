"""Calls that must raise, with the type of the error. Messages name the given and the wanted values.
Messages of the calls in `SAME_WORDS` begin as PyTorch's.
"""

from .cases import Case, real

CODES = """
torch.ones(2, 3) @ torch.ones(2, 3)
torch.ones(2, 3) + torch.ones(4)
torch.hypot(torch.tensor([3]), torch.tensor([4]))
torch.logaddexp(torch.tensor([3]), torch.tensor([True]))
torch.hypot(torch.ones(2), torch.ones(3))
torch.ones(2).hypot_(torch.ones(2, 2))
torch.ones(2, 3).view(4)
torch.ones(2, 3).t().view(6)
torch.ones(2, 3).reshape(4, -1)
torch.ones(2)[5]
torch.ones(2, 3)[0, 0, 0]
torch.ones(2).item()
torch.ones(2, 3).sum(2)
torch.ones(2, 3).permute(0)
torch.ones(2, 3).transpose(0, 5)
torch.cat([torch.ones(2, 3), torch.ones(2, 4)])
torch.cat([])
torch.stack([torch.ones(2), torch.ones(3)])
torch.ones(2, 3).expand(3, 3)
torch.ones(2, 3).squeeze(4)
torch.ones(3).backward()
torch.ones(3, requires_grad=True).backward()
(torch.ones(3, requires_grad=True) * 2).numpy()
torch.ones(3, dtype=torch.int64, requires_grad=True)
torch.ones(2, requires_grad=True).add_(1)
torch.autograd.grad(torch.ones(1), torch.ones(1))
torch.autograd.grad(torch.ones(2, requires_grad=True).sum(), torch.ones(2, requires_grad=True))
bool(torch.ones(2))
torch.ones(2).to("cuda")
torch.ones(2, 3).chunk(0)
torch.ones(2, 3).split(0)
torch.ones(2, 3).gather(1, torch.tensor([[5]]))
torch.ones(2, 3).index_select(0, torch.tensor([7]))
torch.ones(2, 3).topk(9)
torch.ones(4).max(3)
torch.zeros(0).max()
torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(4, 5))
torch.tensor([[1, 2], [3]])
torch.tensor("text")
torch.ones(-1)
torch.randint(5, 5, (2,))
torch.ones(2, 3).unflatten(1, (2, 2))
torch.ones(2).masked_fill(torch.ones(3).bool(), 0.0)
torch.bmm(torch.ones(2, 3), torch.ones(3, 2))
torch.mm(torch.ones(2, 3, 4), torch.ones(2, 3))
torch.ones(2) & torch.ones(2)
torch.arange(3).float().long().mean()
torch.tensor([1]) .div_(2)
torch.tensor([1]).add_(1.5)
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 4, 3, 3))
F.conv2d(torch.ones(1, 3, 2, 2), torch.ones(2, 3, 3, 3))
F.conv2d(torch.ones(3, 3), torch.ones(2, 3, 3, 3))
F.conv2d(torch.ones(1, 4, 5, 5), torch.ones(3, 2, 3, 3), groups=2)
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), stride=0)
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), padding=-1)
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), padding="same", stride=2)
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), bias=torch.ones(3))
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3).double())
F.conv2d(torch.ones(1, 3, 5, 5), torch.ones(2, 3, 3, 3), padding="full")
F.conv_transpose2d(torch.ones(1, 3, 5, 5), torch.ones(3, 2, 3, 3), output_padding=1)
F.conv_transpose2d(torch.ones(1, 3, 5, 5), torch.ones(4, 2, 3, 3))
F.max_pool2d(torch.ones(1, 1, 4, 4), 2, padding=2)
F.max_pool2d(torch.ones(1, 1, 2, 2), 3)
F.max_pool2d(torch.ones(4), 2)
F.avg_pool2d(torch.ones(1, 1, 2, 2), 3)
F.avg_pool2d(torch.ones(1, 1, 4, 4), 2, padding=2)
F.avg_pool2d(torch.ones(1, 1, 4, 4), 2, divisor_override=0)
F.adaptive_avg_pool2d(torch.ones(4), 2)
F.linear(torch.ones(2, 3), torch.ones(4, 5))
F.batch_norm(torch.ones(1, 3), None, None, training=True)
F.batch_norm(torch.ones(2, 3), torch.zeros(4), torch.ones(4))
F.layer_norm(torch.ones(2, 3), (4,))
F.group_norm(torch.ones(2, 4, 3), 3)
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 3]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0.0, 1.0]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1]), reduction="average")
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1]), weight=torch.ones(2))
F.nll_loss(torch.ones(2, 3), torch.tensor([0, 5]))
F.binary_cross_entropy(torch.tensor([1.5]), torch.tensor([1.0]))
F.binary_cross_entropy(torch.tensor([0.5, 0.5]), torch.tensor([1.0]))
F.binary_cross_entropy_with_logits(torch.ones(2), torch.ones(3))
F.smooth_l1_loss(torch.ones(2), torch.ones(2), beta=-1)
F.huber_loss(torch.ones(2), torch.ones(2), delta=0)
F.dropout(torch.ones(2), p=1.5)
F.embedding(torch.tensor([5]), torch.ones(3, 2))
F.embedding(torch.tensor([1.0]), torch.ones(3, 2))
F.one_hot(torch.tensor([3]), 2)
F.pad(torch.ones(1, 1, 3, 3), (4, 4, 4, 4), mode="reflect")
F.pad(torch.ones(2), (1, 1, 1, 1))
F.interpolate(torch.ones(1, 1, 2, 2), size=(4, 4), scale_factor=2)
F.interpolate(torch.ones(1, 1, 2, 2))
F.interpolate(torch.ones(1, 1, 2, 2), scale_factor=2, mode="nearest", align_corners=True)
F.pixel_shuffle(torch.ones(1, 3, 2, 2), 2)
F.fold(torch.ones(1, 4, 5), (3, 3), 2)
F.glu(torch.ones(3))
nn.Conv2d(3, 4, 3, groups=2)
nn.Conv2d(3, 4, 3, padding_mode="mirror")
nn.Conv2d(3, 4, 3, padding="same", stride=2)
nn.Linear(3, 4)(torch.ones(2, 5))
nn.BatchNorm2d(3)(torch.ones(2, 3))
nn.BatchNorm2d(3)(torch.ones(2, 4, 2, 2))
nn.BatchNorm1d(3)(torch.ones(1, 3))
nn.Dropout(1.5)
nn.MultiheadAttention(5, 2)
nn.GroupNorm(3, 4)
nn.Linear(2, 2).load_state_dict({"weight": torch.ones(2, 2)})
nn.Linear(2, 2).load_state_dict({"weight": torch.ones(3, 2), "bias": torch.ones(2)})
nn.Linear(2, 2).missing
nn.Sequential(nn.ReLU())[3]
nn.ModuleList([nn.ReLU()])[1]
nn.Module()(1)
setattr(nn.Linear(2, 2), "weight", torch.ones(2, 2))
nn.Linear(2, 2).register_buffer("weight", torch.ones(2))
nn.Module().register_parameter("a", torch.ones(2))
nn.Module().add_module("a.b", nn.ReLU())
nn.init.xavier_uniform_(torch.ones(3))
nn.init.calculate_gain("gelu2")
optim.SGD([], lr=0.1)
optim.SGD([torch.ones(2)], lr=-1)
optim.SGD([torch.ones(2, requires_grad=True) * 2], lr=0.1)
optim.SGD([torch.ones(2, requires_grad=True)], lr=0.1, nesterov=True)
optim.Adam([torch.ones(2, requires_grad=True)], betas=(1.0, 0.9))
optim.Adam([torch.ones(2, requires_grad=True)], eps=-1)
optim.SGD(torch.ones(2, requires_grad=True), lr=0.1)
optim.SGD([{"params": [], "lr": 1}, 3], lr=0.1)
optim.lr_scheduler.StepLR(None, 3)
nn.utils.clip_grad_norm_([torch.ones(1, requires_grad=True)], 1.0, error_if_nonfinite=True)
"""

CASES = [Case(f"error {code}", code, {}) for code in CODES.strip().splitlines()]
BACKWARD = {
    "twice": "y = x.exp().sum()\ny.backward()\ny.backward()",
    "written after": "z = x * 1\ny = z.exp()\ny.add_(1)\ny.sum().backward()",
    "written input": "z = x * 1\ny = (z * z).sum()\nz.add_(1)\ny.backward()",
    "leaf": "y = x\ny += 1",
    "view of leaf": "y = x[0]\ny.mul_(2)",
    "wrong gradient shape": "y = x * 2\ny.backward(torch.ones(5, dtype=torch.float64))",
    "grad shape": "y = 1\nx.grad = torch.ones(7, dtype=torch.float64)",
    "set requires_grad": "y = x * 2\ny.requires_grad = False",
    "deepcopy": "import copy\ny = x * 2\ncopy.deepcopy(y)",
}
CASES += [Case(f"error {name}", f"{code}\ny = 0" if "y =" not in code else code, {"x": real(2, 3)}) for name, code in BACKWARD.items()]  # fmt: skip

# texts that people search for: these begin as PyTorch's messages
SAME_WORDS = [f"error {name}" for name in (
    "twice", "written after", "written input", "leaf", "view of leaf",
    "torch.ones(3).backward()", "torch.ones(3, requires_grad=True).backward()",
    "(torch.ones(3, requires_grad=True) * 2).numpy()",
    "torch.ones(3, dtype=torch.int64, requires_grad=True)",
)]  # fmt: skip
