"""Small programs that write to tensors in place. PyTorch's results are recorded.

Each runs after PRELUDE, with `torch`, `nn` and `F`; the tests compare every name that it
defines, or the error, the line that raised it and the beginning of its message.
"""

PRELUDE = """
def real(values, requires_grad=False):
    return torch.tensor(values, dtype=torch.float64, requires_grad=requires_grad)
a = real([1.0, -2.0, 3.0], True)
b = real([0.5, 2.0, -1.0], True)
m = real([[1.0, -2.0, 3.0], [-4.0, 5.0, 6.0]], True)
c = real([2.0, 3.0, 4.0])
"""

# --- Leaves and updates by hand -------------------------------------------------------------------

LEAVES = {
    "a leaf that requires grad refuses": "a += 1.0",
    "a leaf that requires grad refuses a method": "a.mul_(c)",
    "a leaf that requires grad refuses fill_": "a.fill_(0.0)",
    "a leaf that requires grad refuses index assignment": "a[0] = 1.0",
    "a leaf that requires grad refuses copy_": "a.copy_(c)",
    "a view of a leaf refuses": "a[0].add_(1.0)",
    "a slice of a leaf refuses augmented assignment": "v = m[0]\nv *= 2.0",
    "a refused write changes nothing": """
try:
    a.zero_()
except RuntimeError as error:
    kind = type(error).__name__
""",
    "an update under no_grad": """
(a * a).sum().backward()
with torch.no_grad():
    a -= 0.1 * a.grad
""",
    "an update with add_ and alpha, then a second step": """
for _ in range(2):
    (a * a * a).sum().backward()
    with torch.no_grad():
        a.add_(a.grad, alpha=-0.01)
        a.grad.zero_()
""",
    "an update by sub_ of a scaled gradient with momentum": """
v = torch.zeros_like(a)
for _ in range(3):
    a.grad = None
    (a * b).sum().backward()
    with torch.no_grad():
        v.mul_(0.9).add_(a.grad)
        a.sub_(v, alpha=0.5)
""",
    "an update as Adam's, with addcmul_ and addcdiv_": """
(a * a).sum().backward()
with torch.no_grad():
    first = torch.zeros_like(a).mul_(0.9).add_(a.grad, alpha=0.1)
    second = torch.zeros_like(a).mul_(0.99).addcmul_(a.grad, a.grad, value=0.01)
    a.addcdiv_(first, second.sqrt().add_(1e-8), value=-0.1)
""",
    "an update through data": "(a * b).sum().backward()\na.data.add_(a.grad, alpha=-0.5)",
    "data -= makes a new tensor, which is assigned": "(a * b).sum().backward()\na.data -= a.grad",
    "an update of a leaf that a graph saved is found": """
loss = (a * a).sum()
with torch.no_grad():
    a.add_(1.0)
loss.backward()
""",
    "a leaf that no vjp needs may be updated before backward": """
loss = (a + b).sum()
with torch.no_grad():
    a.add_(1.0)
loss.backward()
""",
    "lerp_ under no_grad": "with torch.no_grad():\n    a.lerp_(c, 0.25)",
    "clamp_ of a gradient": "(a * c * 10).sum().backward()\na.grad.clamp_(-25.0, 25.0)",
    "a leaf without grad becomes part of the graph": "c += a\nc.sum().backward()",
    "a leaf without grad forgets that it was one": """
c.mul_(b)
leaf = c.is_leaf
needs = c.requires_grad
(c * c).sum().backward()
""",
    "requires_grad_ after a write": "c.mul_(2.0)\nc.requires_grad_()\n(c * c).sum().backward()",
    "requires_grad cannot be taken from what is computed": "y = a * 2\ny.requires_grad = False",
    "detach_ cuts": "y = a * 2\ny.detach_()\nneeds = y.requires_grad",
}

# --- Gradients that accumulate --------------------------------------------------------------------

GRADIENTS = {
    "the gradient grows in place": """
(a * a).sum().backward()
g = a.grad
(a * b).sum().backward()
same = g is a.grad
""",
    "zero_ of the gradient keeps it": """
(a * a).sum().backward()
g = a.grad
a.grad.zero_()
(a * b).sum().backward()
same = g is a.grad
""",
    "the gradient set to None starts anew": """
(a * a).sum().backward()
g = a.grad
a.grad = None
(a * b).sum().backward()
same = g is a.grad
""",
    "the gradient is no part of a graph": "(a * a).sum().backward()\nneeds = a.grad.requires_grad",
    "a gradient changed between two passes": """
(a * a).sum().backward()
a.grad *= 0.5
(a * b).sum().backward()
""",
    "retain_graph twice": """
loss = (a * a).sum()
loss.backward(retain_graph=True)
loss.backward(retain_graph=True)
loss.backward()
""",
    "a third pass through a freed graph": """
loss = (a * a).sum()
loss.backward(retain_graph=True)
loss.backward()
loss.backward()
""",
    "a second pass is legal where nothing was saved": "y = a.sum()\ny.backward()\ny.backward()",
    "gradients of a gradient accumulate with create_graph": """
import warnings
warnings.simplefilter("ignore")
(a ** 3).sum().backward(create_graph=True)
g = a.grad
(g * c).sum().backward()
""",
    "a seed is not changed and not kept": """
seed = real([1.0, 2.0, 3.0])
y = a + b
y.backward(seed)
a.grad.mul_(10.0)
""",
    "two leaves do not share a gradient": "(a + b).sum().backward()\na.grad.zero_()",
    "a gradient of another shape is refused": "a.grad = torch.zeros(2, dtype=torch.float64)",
    "a gradient that was assigned grows": """
a.grad = real([1.0, 1.0, 1.0])
(a * 2).sum().backward()
""",
    "retain_grad before a write follows the tensor": """
y = a * 2
y.retain_grad()
y *= 3
(y * y).sum().backward()
""",
    "a hook changes what arrives": """
y = a * 2
y.register_hook(lambda g: g * 10)
y.sum().backward()
""",
}

# --- Saved values that are written to -------------------------------------------------------------

SAVED = {
    "mul saved its input": "x = a * 1\ny = x * b\nx += 1\ny.sum().backward()",
    "mul by a number saved nothing": "x = a * 1\ny = x * 2\nx += 1\ny.sum().backward()",
    "mul by a constant saved the constant": "y = a * c\nc += 1\ny.sum().backward()",
    "mul by a constant saved not the variable": "x = a * 1\ny = x * c\nx += 1\ny.sum().backward()",
    "add saved nothing": "x = a * 1\ny = x + b\nx += 1\ny.sum().backward()",
    "div saved its divisor": "x = b * 1\ny = a / x\nx += 1\ny.sum().backward()",
    "div by a constant saved the constant": "y = a / c\nc.mul_(2)\ny.sum().backward()",
    "exp saved its output": "y = a.exp()\ny += 1\ny.sum().backward()",
    "exp saved not its input": "x = a * 1\ny = x.exp()\nx += 1\ny.sum().backward()",
    "log saved its input": "x = c * b\ny = x.log()\nx.add_(1)\ny.sum().backward()",
    "pow saved its input": "x = a * 1\ny = x ** 2\nx.zero_()\ny.sum().backward()",
    "sqrt saved its output": "y = (a * a).sqrt()\ny.mul_(2)\ny.sum().backward()",
    "tanh saved its output": "y = a.tanh()\ny.add_(1)\ny.sum().backward()",
    "sigmoid saved its output": "y = torch.sigmoid(a)\ny.mul_(2)\ny.sum().backward()",
    "relu_ after sigmoid": "y = torch.sigmoid(a)\ny.relu_()\ny.sum().backward()",
    "relu saved its output": "y = torch.relu(a)\ny.add_(1)\ny.sum().backward()",
    "relu saved not its input": "x = a * 1\ny = torch.relu(x)\nx.add_(5)\ny.sum().backward()",
    "relu_ twice": "y = a * 1\ny.relu_()\ny.relu_()\n(y * y).sum().backward()",
    "softmax saved its output": "y = a.softmax(0)\ny[0] = 1.0\ny.sum().backward()",
    "matmul saved its inputs": "x = m * 1\ny = x @ a\nx.add_(1)\ny.sum().backward()",
    "max saved not the values": "x = m * 1\ny = x.max(1)[0]\nx.add_(1)\ny.sum().backward()",
    "sum saved nothing": "x = m * 1\ny = x.sum(0)\nx.zero_()\n(y * y).sum().backward()",
    "where saved its condition": """
mask = a > 0
y = torch.where(mask, a * 2, a * 3)
mask.fill_(True)
y.sum().backward()
""",
    "indexing saved its indices": """
index = torch.tensor([0, 2])
y = a[index]
index.zero_()
(y * y).sum().backward()
""",
    "relu_ after a convolution": """
w = real([[[[1.0, -1.0]]], [[[0.5, 2.0]]]], True)
y = F.conv2d(m.view(1, 1, 2, 3), w)
y.relu_()
(y * y).sum().backward()
""",
    "a convolution saved its weight": """
w = real([[[[1.0, -1.0]]]], True)
y = F.conv2d(m.view(1, 1, 2, 3) * 1, w)
with torch.no_grad():
    w.mul_(2)
y.sum().backward()
""",
    "a convolution of images alone saved not its weight": """
w = real([[[[1.0, -1.0]]]], True)
y = F.conv2d(m.detach().view(1, 1, 2, 3), w)
with torch.no_grad():
    w.mul_(2)
y.sum().backward()
""",
    "a convolution saved its images": """
w = real([[[[1.0, -1.0]]]], True)
x = c.view(1, 1, 1, 3)
y = F.conv2d(x, w)
c.zero_()
y.sum().backward()
""",
    "a linear layer saved its weight": """
x = a * 1
y = F.linear(x, m)
with torch.no_grad():
    m.zero_()
y.sum().backward()
""",
    "max_pool2d saved positions, and its input": """
x = m.view(1, 1, 2, 3) * 1
y = F.max_pool2d(x, (2, 1))
y.mul_(2)
y.sum().backward()
""",
    "batch_norm saved its input": """
x = m * 1
y = F.batch_norm(x, None, None, training=True)
x.add_(1)
(y * m).sum().backward()
""",
    "relu_ after batch_norm": """
y = F.batch_norm(m * 1, None, None, training=True, eps=0.1)
y.relu_()
(y * y).sum().backward()
""",
    "dropout in place after relu": """
y = torch.relu(a)
y = F.dropout(y, 0.0, True, inplace=True)
y.sum().backward()
""",
    "ReLU(inplace=True) of a leaf": "y = nn.ReLU(inplace=True)(a)",
    "out += shortcut": """
out = torch.relu(a * b)
out += a
F.relu(out, inplace=True).sum().backward()
""",
    "out += shortcut after bn, the shortcut read twice": """
out = F.batch_norm(m * 2, None, None, training=True, eps=0.5)
shortcut = m * 3
out += shortcut
(out * shortcut).sum().backward()
""",
    "x *= x": "x = a * 1\nx *= x\nx.sum().backward()",
    "x += x": "x = a * 1\nx += x\nx.sum().backward()",
    "x.mul_(b) keeps the old x for b": "x = a * 1\nx.mul_(b)\nx.sum().backward()",
    "x.div_(b) and mul_": "x = a * 1\nx.div_(b)\nx.mul_(c)\nx.sum().backward()",
    "x.pow_(2)": "x = a * 1\nx.pow_(2)\nx.sum().backward()",
    "x.exp_() and a write after it": "x = a * 1\nx.exp_()\nx.add_(1)\nx.sum().backward()",
    "x.clamp_": "x = a * 1\nx.clamp_(min=-1.0, max=2.0)\n(x * x).sum().backward()",
}

# --- Memory that is shared ------------------------------------------------------------------------

SHARED = {
    "the version counts writes": """
x = torch.zeros(3)
versions = [x._version]
x.add_(1)
x[0] = 2
x.zero_()
versions.append(x._version)
""",
    "views and detached tensors share the version": """
x = torch.zeros(4)
v, d = x.view(2, 2), x.detach()
v.add_(1)
d.mul_(2)
versions = [x._version, v._version, d._version]
""",
    "a clone has a version of its own": """
x = torch.zeros(4)
x.add_(1)
y = x.clone()
versions = [x._version, y._version]
""",
    "data has a version of its own": """
x = torch.zeros(3)
x.data.add_(1)
versions = [x._version, x.data._version]
""",
    "a write through data is not seen": "x = a * 1\ny = x * b\nx.data.zero_()\ny.sum().backward()",
    "a write through detach is seen": "x = a * 1\ny = x * b\nx.detach().zero_()\ny.sum().backward()",
    "detach shares memory": "d = a.detach()\nd[0] = 10.0",
    "a write to a view reaches the base": """
x = m * 1
x[0].mul_(b)
(x * x).sum().backward()
""",
    "a write to the base reaches a view": """
x = m * 1
v = x[:, 1]
x.mul_(3)
(v * v).sum().backward()
""",
    "a write to a view of a view": """
x = m * 1
v = x.t()[1:]
v[0].add_(c[:2])
v *= 2
(x * x).sum().backward()
""",
    "a write to a view reaches another view": """
x = m * 1
flat, column = x.view(-1), x[:, 0]
column.fill_(7.0)
(flat * flat).sum().backward()
""",
    "a write through a transpose, unsqueeze and squeeze": """
x = m * 1
x.transpose(0, 1).unsqueeze(0).squeeze(0)[2].mul_(5.0)
x.sum().backward()
""",
    "a view of a constant takes part in a graph": """
x = torch.zeros(2, 3, dtype=torch.float64)
x[1] = a
x[0, :2] += b[:2]
(x * x).sum().backward()
""",
    "a view made under no_grad may not be written with a graph": """
x = m * 1
with torch.no_grad():
    v = x[0]
v.mul_(2)
(x * x).sum().backward()
""",
    "a view made under no_grad may not take over values with a graph": """
x = m * 1
with torch.no_grad():
    v = x[0]
v.copy_(a)
""",
    "a view made before its base was asked for gradients": """
v = c[:2]
c.requires_grad_()
v.add_(1)
""",
    "a view of a leaf made under no_grad": """
with torch.no_grad():
    v = a[:2]
v.add_(1)
""",
    "a write under no_grad to a tensor of a graph": """
x = a * 2
y = x + b
with torch.no_grad():
    x.mul_(10)
(x + y).sum().backward()
""",
    "a tensor that is expanded cannot be written": "x = torch.zeros(1).expand(3)\nx.add_(1)",
    "an expanded tensor of a graph cannot be written": "x = (a[:1] * 1).expand(3)\nx.mul_(2)",
    "fill_ of an expanded tensor": "x = torch.zeros(2, 1).expand(2, 3)\nx.fill_(1)",
    "an expanded tensor can be cloned and written": """
x = (a[:1] * 1).expand(3).clone()
x[1] = 5.0
(x * x).sum().backward()
""",
    "chunk gives views that may not be written": """
x, y = (m * 1).chunk(2)
x.mul_(2)
(x * y * y).sum().backward()
""",
    "split gives views that may not be written": """
x, y = (m * 1).split(1)
y += 1
(x * y * y).sum().backward()
""",
    "unbind gives views that may not be written": """
x, y = (m * 1).unbind(0)
x.zero_()
(x * y + y * y).sum().backward()
""",
    "iteration gives views that may not be written": """
z = m * 1
for row in z:
    row.mul_(2)
(z * z).sum().backward()
del row
""",
    "chunks of a constant may be written": """
x = torch.arange(6.0)
p, q = x.chunk(2)
p.mul_(10)
q[0] = -1
""",
    "chunks under no_grad may be written": """
x = torch.arange(6.0, requires_grad=True)
with torch.no_grad():
    p, q = x.chunk(2)
    p.mul_(10)
del p, q  # to ask them for requires_grad is an error
""",
    "rows of a leaf under no_grad, one by one": """
with torch.no_grad():
    for row in m:
        row /= row.norm()
del row
""",
    "copy_ of a tensor that requires grad": "x = real([0.0, 0.0, 0.0])\nx.copy_(a * 2)\nx.sum().backward()",
    "copy_ broadcasts and converts": "x = torch.zeros(2, 3)\nx.copy_(torch.arange(3))",
    "copy_ into part of a tensor": """
x = m * 1
x[:, :1].copy_(a[:2].view(2, 1))
(x * x).sum().backward()
""",
    "zero_ cuts the graph": "x = a * b\nx.zero_()\n(x * c).sum().backward()",
    "fill_ with a tensor that requires grad": """
x = torch.zeros(3, dtype=torch.float64)
x.fill_(a.sum())
(x * c).sum().backward()
""",
    "a write of another dtype is refused": "x = torch.arange(3)\nx.add_(0.5)",
    "a division of integers in place is refused": "x = torch.arange(3)\nx /= 2",
    "a write that would broadcast the target is refused": "x = torch.zeros(3)\nx.add_(torch.zeros(2, 3))",
}

# --- Index assignment -----------------------------------------------------------------------------

INDEXED = {
    "a slice": "x = m * 1\nx[:, 1:] = b[:2]\n(x * x).sum().backward()",
    "a single element": "x = m * 1\nx[1, 2] = a[0] * b[1]\n(x * x).sum().backward()",
    "a mask and a number": "x = m * 1\nx[x < 0] = 0.0\n(x * x).sum().backward()",
    "a mask and values": "x = m * 1\nx[m > 4] = a[:2]\n(x * x).sum().backward()",
    "a mask and augmented assignment": "x = m * 1\nx[m > 4] *= 3.0\n(x * x).sum().backward()",
    "a mask of rows": """
x = m * 1
x[torch.tensor([True, False])] = a
(x * x).sum().backward()
""",
    "indices": "x = m * 1\nx[:, [0, 2]] = b[:2]\n(x * x).sum().backward()",
    "pairs of indices": """
x = m * 1
x[torch.tensor([0, 1]), torch.tensor([2, 0])] = a[:2]
(x * x).sum().backward()
""",
    "indices and augmented assignment, one of them twice": """
x = a * 1
x[torch.tensor([0, 0, 2])] += 1.0
(x * x).sum().backward()
""",
    "None and an ellipsis": "x = m * 1\nx[None, ..., 0] = 5.0\n(x * x).sum().backward()",
    "negative indices": "x = m * 1\nx[-1, -2:] = a[1:]\n(x * x).sum().backward()",
    "an assignment to a view": "x = m * 1\nv = x[0]\nv[1:] = b[:2]\n(x * x).sum().backward()",
    "values of a wrong shape": "x = m * 1\nx[0] = b[:2]",
    "an index that is outside": "x = m * 1\nx[2] = 0.0",
    "a mask of a wrong shape": "x = m * 1\nx[torch.tensor([True, False, True])] = 0.0",
    "masked_fill_": "x = m * 1\nx.masked_fill_(m < 0, -9.0)\n(x * x).sum().backward()",
    "index_add_": """
x = m * 1
x.index_add_(1, torch.tensor([0, 0]), (m * 2)[:, 1:])
(x * x).sum().backward()
""",
    "scatter_": """
x = m * 1
x.scatter_(1, torch.tensor([[0], [2]]), 7.0)
(x * x).sum().backward()
""",
    "scatter_add_": """
x = m * 1
x.scatter_add_(0, torch.tensor([[0, 1, 1]]), (a * b).view(1, 3))
(x * x).sum().backward()
""",
    "a value that was read from the same tensor": "x = a * 1\nx[0] = x[1]\n(x * x).sum().backward()",
    "a cumulative loop": """
x = torch.zeros(4, dtype=torch.float64)
for i in range(3):
    x[i + 1] = x[i] + a[i]
x.sum().backward()
""",
    "a cumulative loop that multiplies what it read": """
x = torch.ones(4, dtype=torch.float64)
for i in range(3):
    x[i + 1] = x[i] * a[i]
x.sum().backward()
""",
    "a list of rows made into one by stack": """
rows = []
state = torch.zeros(3, dtype=torch.float64)
for i in range(3):
    state = state * 0.5 + a[i] * b
    rows.append(state)
y = torch.stack(rows)
del rows
(y * y).sum().backward()
""",
}

PROGRAMS = {
    f"{family}: {name}": text
    for family, programs in (
        ("leaf", LEAVES), ("gradient", GRADIENTS), ("saved", SAVED), ("shared", SHARED),
        ("indexed", INDEXED),
    )
    for name, text in programs.items()
}  # fmt: skip

# --- Differences ----------------------------------------------------------------------------------

# Programs with another result here: the reason, and a program that gives our result in PyTorch, or
# the beginning of our error.
DIFFERENT = {
    "gradient: gradients of a gradient accumulate with create_graph": (
        "a gradient with a graph of its own is not written over: its history would be wrong",
        GRADIENTS["gradients of a gradient accumulate with create_graph"].replace(
            "g = a.grad", "g = a.grad.clone()"
        ),
    ),
    "saved: a convolution of images alone saved not its weight": (
        "only what the wanted gradients need is saved",
        """
w = real([[[[1.0, -1.0]]]], True)
y = F.conv2d(m.detach().view(1, 1, 2, 3), w)
y.sum().backward()
with torch.no_grad():
    w.mul_(2)
""",
    ),
    "saved: indexing saved its indices": (
        "the graph holds a copy of them",
        "index = torch.tensor([0, 2])\ny = a[index.clone()]\nindex.zero_()\n(y * y).sum().backward()",
    ),
    "shared: data has a version of its own": (
        "versions are of the memory: see the next",
        "x = torch.zeros(3)\nx.add_(1)\nversions = [x._version, x._version]",
    ),
    "shared: a write through data is not seen": (
        "a gradient that would be wrong without a word is an error",
        "one of the variables needed for gradient computation has been modified by an inplace",
    ),
    "shared: fill_ of an expanded tensor": (
        "one rule for all writes to memory that shows several elements",
        "unsupported operation: more than one element of the written-to tensor",
    ),
    "shared: a view of a leaf made under no_grad": (
        "an error too, in other words", "a view of a leaf Variable that requires grad",
    ),
    "shared: chunk gives views that may not be written": (
        "each is a view as any other", "z = m * 1\nx, y = z[:1], z[1:]\nx.mul_(2)\n(x * y * y).sum().backward()\ndel z"
    ),
    "shared: split gives views that may not be written": (
        "each is a view as any other", "z = m * 1\nx, y = z[:1], z[1:]\ny += 1\n(x * y * y).sum().backward()\ndel z"
    ),
    "shared: unbind gives views that may not be written": (
        "each is a view as any other", "z = m * 1\nx, y = z[0], z[1]\nx.zero_()\n(x * y + y * y).sum().backward()\ndel z"
    ),
    "shared: iteration gives views that may not be written": (
        "each is a view as any other",
        "z = m * 1\nfor row in (z[0], z[1]):\n    row.mul_(2)\n(z * z).sum().backward()\ndel row",
    ),
    "indexed: indices and augmented assignment, one of them twice": (
        "the gradient goes to the value that stayed; to both in PyTorch",
        "x = a * 1\nx[torch.tensor([0, 2])] += 1.0\n(x * x).sum().backward()",
    ),
}  # fmt: skip
INSTEAD = {name: text for name, (_, text) in DIFFERENT.items() if "\n" in text}
