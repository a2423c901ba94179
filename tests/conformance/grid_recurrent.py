"""Recurrent layers, cells, packed sequences, attention and transformers: functions and modules."""

from itertools import product

from .cases import Case, Input, given, integers, real

CASES: list[Case] = []


def add(code: str, order: int = 2, name: str = "", **inputs: Input) -> None:
    CASES.append(Case(name or code, code, inputs, order))


# --- recurrent layers ---

for kind, options in product(("RNN", "LSTM", "GRU"), (
    "", "num_layers=2, bidirectional=True", "bias=False, batch_first=True", "bidirectional=True",
    "num_layers=2, dropout=0.5",
)):  # fmt: skip
    end = ".eval()" if "dropout" in options else ""
    code = f"nn.{kind}(3, 2, {options}){end}" if options else f"nn.{kind}(3, 2)"
    add(f"m = fill({code})\ny = m(x)", name=code, x=real(3, 2, 3))
for kind in ("RNN", "GRU"):
    add(f"m = fill(nn.{kind}(3, 2, 2))\ny = m(x, h)", x=real(3, 2, 3), h=real(2, 2, 2))
    add(f"m = fill(nn.{kind}(3, 2))\ny = m(x, h)", x=real(3, 3), h=real(1, 2), order=1)
add("m = fill(nn.RNN(3, 2, nonlinearity='relu', bidirectional=True))\ny = m(x)", x=real(3, 2, 3))
add("m = fill(nn.LSTM(3, 2))\ny = m(x, (h, c))", x=real(3, 2, 3), h=real(1, 2, 2), c=real(1, 2, 2))
add("m = fill(nn.LSTM(3, 2, batch_first=True))\ny = m(x, (h, c))", x=real(3, 3), h=real(1, 2),
    c=real(1, 2))  # fmt: skip
for options in ("proj_size=2", "num_layers=2, bidirectional=True, proj_size=1, bias=False"):
    add(f"m = fill(nn.LSTM(3, 3, {options}))\ny = m(x)", order=1, x=real(3, 2, 3))
for kind in ("RNN", "LSTM", "GRU"):
    add(f"m = fill(nn.{kind}(3, 2))\ny = m(x)", name=f"nn.{kind} of no sequences", x=real(2, 0, 3))
    add(f"m = fill(nn.{kind}(3, 2))\ny = [list(w.shape) for l in m.all_weights for w in l]")
    for lengths, order in (("[3, 2, 2]", True), ("[1, 3, 2]", False)):
        add(
            f"m = fill(nn.{kind}(3, 2, bidirectional=True))\n"
            f"p = nn.utils.rnn.pack_padded_sequence(x, {lengths}, enforce_sorted={order})\n"
            "y = m(p)",
            name=f"nn.{kind} packed {lengths}",
            x=real(3, 3, 3),
        )
add("m = fill(nn.LSTM(3, 2, 2))\np = nn.utils.rnn.pack_padded_sequence(x, [1, 3], enforce_sorted=False)\n"
    "y = m(p, (h, c))", order=1, x=real(3, 2, 3), h=real(2, 2, 2), c=real(2, 2, 2))  # fmt: skip
add("m = fill(nn.GRU(3, 2))\nz, h = m(x)\nz += 1\ny = (z, h)", order=1, name="GRU, output written",
    x=real(3, 2, 3))  # fmt: skip

# --- cells ---

for code in ("nn.RNNCell(3, 2)", "nn.RNNCell(3, 2, nonlinearity='relu')", "nn.GRUCell(3, 2)",
             "nn.GRUCell(3, 2, bias=False)"):  # fmt: skip
    add(f"m = fill({code})\ny = m(x)", x=real(2, 3))
    add(f"m = fill({code})\ny = m(x, h)", x=real(2, 3), h=real(2, 2))
    add(f"m = fill({code})\ny = m(x, h)", name=f"{code} of one", order=1, x=real(3), h=real(2))
for code in ("nn.LSTMCell(3, 2)", "nn.LSTMCell(3, 2, bias=False)"):
    add(f"m = fill({code})\ny = m(x)", x=real(2, 3))
    add(f"m = fill({code})\ny = m(x, (h, c))", x=real(2, 3), h=real(2, 2), c=real(2, 2))
add("m = fill(nn.LSTMCell(3, 2))\ny = m(x)", name="nn.LSTMCell of one", order=1, x=real(3))
for name, gates in (("rnn_tanh_cell", 1), ("rnn_relu_cell", 1), ("gru_cell", 3)):
    add(f"torch.{name}(x, h, v, w, a, b)", x=real(2, 3), h=real(2, 2), v=real(2 * gates, 3),
        w=real(2 * gates, 2), a=real(2 * gates), b=real(2 * gates))  # fmt: skip
add("torch.lstm_cell(x, (h, c), v, w)", x=real(2, 3), h=real(2, 2), c=real(2, 2), v=real(8, 3),
    w=real(8, 2))  # fmt: skip

# --- sequences ---

R = "nn.utils.rnn"
for arguments in ("[3, 2]", "[3, 2], batch_first=True", "[1, 3], True, enforce_sorted=False"):
    x = real(3, 2, 2) if arguments == "[3, 2]" else real(2, 3, 2)
    add(f"y = {R}.pack_padded_sequence(x, {arguments})", x=x)
add(f"y = {R}.pack_padded_sequence(x, torch.tensor([2, 1]))", x=real(3, 2))
for options in ("", "True", "True, -1.5", "total_length=4", "True, 0.5, 4"):
    add(f"y = {R}.pad_packed_sequence({R}.pack_sequence([a, b, c], False), {options})", a=real(2, 2),
        b=real(3, 2), c=real(1, 2))  # fmt: skip
for options in ("", "batch_first=True", "True, 2.0", "padding_side='left'", "True, -1.0, 'left'"):
    add(f"y = {R}.pad_sequence([a, b, c], {options})", a=real(2, 2), b=real(3, 2), c=real(1, 2))
add(f"y = {R}.pad_sequence([a, b])", name="pad vectors", a=real(2), b=real(3))
add(f"y = {R}.unpad_sequence(x, torch.tensor([3, 1]), True)", x=real(2, 3, 2))
add(f"y = {R}.unpack_sequence({R}.pack_sequence([a, b], False))", a=real(1, 2), b=real(3, 2))
add(f"y = {R}.invert_permutation(torch.tensor([2, 0, 1]))")
add(f"y = str({R}.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]))")
add(f"p = {R}.PackedSequence((x, torch.tensor([2, 1])))\ny = (p.double().data, p.is_cuda)", order=1,
    x=real(3, 1))  # fmt: skip

# --- attention and transformers ---

for options in ("kdim=3, vdim=2", "add_bias_kv=True", "add_zero_attn=True", "bias=False, add_bias_kv=True, add_zero_attn=True"):  # fmt: skip
    wide = (3, 2) if "kdim" in options else (4, 4)
    add(f"m = fill(nn.MultiheadAttention(4, 2, {options}))\ny = m(q, k, v)", order=1, q=real(2, 2, 4),
        k=real(3, 2, wide[0]), v=real(3, 2, wide[1]))  # fmt: skip
add("m = fill(nn.MultiheadAttention(4, 2, add_zero_attn=True))\ny = m(q, q, q, key_padding_mask=p, attn_mask=a)", order=1,
    q=real(3, 4), p=given([0.0, 0.5, -1.0]), a=real(3, 3))  # fmt: skip
ENCODER = "nn.TransformerEncoderLayer(4, 2, 3, 0.0"
DECODER = "nn.TransformerDecoderLayer(4, 2, 3, 0.0"
for options in ("", ", batch_first=True", ", norm_first=True", ", activation='gelu'", ", bias=False",
                ", activation=F.silu, layer_norm_eps=0.1", ", activation=nn.Tanh()"):  # fmt: skip
    add(f"m = fill({ENCODER}{options}))\ny = m(x)", order=1, x=real(3, 2, 4))
    add(f"m = fill({DECODER}{options}))\ny = m(x, z)", order=1, x=real(3, 2, 4),
        z=real(3 if "batch" in options else 4, 2, 4))  # fmt: skip
PADDING = given([[False, False, True], [False, True, True]], "bool")
CAUSAL = "nn.Transformer.generate_square_subsequent_mask(3, dtype=torch.float64)"
add(f"y = {CAUSAL}")
add(f"m = fill({ENCODER}))\ny = m(x, {CAUSAL}, is_causal=True)", order=1, x=real(3, 4))
add(f"m = fill(nn.TransformerEncoder({ENCODER}), 2, nn.LayerNorm(4)))\ny = m(x, src_key_padding_mask=p)",
    order=1, x=real(3, 2, 4), p=PADDING)  # fmt: skip
add(f"m = fill(nn.TransformerEncoder({ENCODER}, batch_first=True), 2)).eval()\n"
    "m.requires_grad_(False)\nwith torch.no_grad():\n    y = m(x, src_key_padding_mask=p)",
    name="nested encoder", order=1, x=real(2, 3, 4), p=PADDING)  # fmt: skip
add(f"m = fill(nn.TransformerDecoder({DECODER}), 2))\ny = m(x, z, tgt_mask={CAUSAL})", order=1,
    x=real(3, 2, 4), z=real(2, 2, 4))  # fmt: skip
for options in ("", ", batch_first=True, norm_first=True", ", activation='gelu', bias=False"):
    add(f"m = fill(nn.Transformer(4, 2, 1, 1, 3, 0.0{options}))\ny = m(x, z)", order=1, x=real(2, 2, 4),
        z=real(2 if "batch" in options else 3, 2, 4))  # fmt: skip
add(f"m = fill(nn.Transformer(4, 2, 2, 1, 3, 0.0, batch_first=True))\n"
    f"y = m(x, z, tgt_mask={CAUSAL}, src_key_padding_mask=p, memory_key_padding_mask=p)", order=1,
    x=real(2, 3, 4), z=real(2, 3, 4), p=PADDING)  # fmt: skip

# --- training: the losses of some steps ---

LANGUAGE_MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Embedding(6, 4), nn.Linear(5, 6)
        self.rnn = nn.{kind}(4, 5, 2, dropout=0.0)

    def forward(self, words, hidden):
        output, hidden = self.rnn(self.encoder(words), hidden)
        return self.decoder(output).view(-1, 6), hidden

def repackage(h):
    return h.detach() if isinstance(h, torch.Tensor) else tuple(repackage(v) for v in h)

m = fill(Model())
optimizer, criterion = optim.{optimizer}, nn.CrossEntropyLoss()
hidden, trace = None, []
for first in range(0, 16, 4):
    data, targets = words[first : first + 4], words[first + 1 : first + 5].reshape(-1)
    m.zero_grad()
    output, hidden = m(data, hidden)
    hidden = repackage(hidden)
    loss = criterion(output, targets)
    loss.backward()
    trace.append(torch.nn.utils.clip_grad_norm_(m.parameters(), 0.25))
    optimizer.step()
    trace.append(loss.detach())
y = trace
"""
for kind, optimizer in (("LSTM", "SGD(m.parameters(), lr=2.0)"), ("GRU", "Adam(m.parameters(), lr=0.05)"),
                        ("RNN", "RMSprop(m.parameters(), lr=0.01)")):  # fmt: skip
    add(LANGUAGE_MODEL.format(kind=kind, optimizer=optimizer), order=1, name=f"{kind} language model",
        words=integers(17, 3, high=6))  # fmt: skip
add("""
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
        self.head = nn.Linear(8, 2)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, (h, c) = self.lstm(packed)
        output, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=True)
        return self.head(output), torch.cat((h[0], h[1]), 1)

m = fill(Tagger())
o = optim.AdamW(m.parameters(), lr=0.05)
x = nn.utils.rnn.pad_sequence([a, b, c], batch_first=True).detach()
labels = nn.utils.rnn.pad_sequence([l[:n] for l, n in zip(tags, (2, 4, 3))], True, -100)
trace = []
for _ in range(6):
    o.zero_grad()
    scores, last = m(x, torch.tensor([2, 4, 3]))
    loss = F.cross_entropy(scores.transpose(1, 2), labels) + 0.01 * last.square().mean()
    loss.backward()
    o.step()
    trace.append(loss.detach())
y = trace
""", order=1, name="tagger of packed sequences", a=real(2, 3), b=real(4, 3), c=real(3, 3),
    tags=integers(3, 4, high=2))  # fmt: skip
add("""
class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.place = nn.Embedding(5, 4), nn.Parameter(torch.zeros(6, 1, 4))
        layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, nn.LayerNorm(4), enable_nested_tensor=False)
        self.head = nn.Linear(4, 5)

    def forward(self, words):
        mask = nn.Transformer.generate_square_subsequent_mask(len(words)).double()
        return self.head(self.layers(self.table(words) + self.place[: len(words)], mask=mask))

m = fill(Decoder())
o = optim.Adam(m.parameters(), lr=0.02)
s = optim.lr_scheduler.CosineAnnealingLR(o, 5)
trace = []
for _ in range(6):
    o.zero_grad()
    loss = F.cross_entropy(m(words[:-1]).flatten(0, 1), words[1:].flatten())
    loss.backward()
    o.step()
    s.step()
    trace.append(loss.detach())
y = trace
""", order=1, name="transformer language model", words=integers(7, 3))  # fmt: skip
add("""
class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.LSTMCell(1, 4), nn.LSTMCell(4, 4), nn.Linear(4, 1)

    def forward(self, x, future=0):
        outputs = []
        h, c = torch.zeros(x.size(0), 4).double(), torch.zeros(x.size(0), 4).double()
        g, d = torch.zeros_like(h), torch.zeros_like(c)
        for step in x.split(1, dim=1):
            h, c = self.first(step, (h, c))
            g, d = self.second(h, (g, d))
            outputs.append(self.head(g))
        for _ in range(future):
            h, c = self.first(outputs[-1], (h, c))
            g, d = self.second(h, (g, d))
            outputs.append(self.head(g))
        return torch.cat(outputs, dim=1)

m = fill(Forecaster())
o = optim.SGD(m.parameters(), lr=0.05, momentum=0.9)
trace = []
for _ in range(5):
    o.zero_grad()
    loss = F.mse_loss(m(x[:, :-1]), x[:, 1:])
    loss.backward()
    o.step()
    trace.append(loss.detach())
with torch.no_grad():
    y = trace, m(x, future=3)
""", order=1, name="forecaster", x=real(2, 6))  # fmt: skip

# --- errors ---

for code in (
    "nn.RNN(3, 2, nonlinearity='x')", "nn.RNN(3)", "nn.LSTM(3, 0)", "nn.GRU(0, 2)", "nn.LSTM(3., 2)",
    "nn.LSTM(3, 2, bias=1)", "nn.LSTM(3, 2, batch_first=1)", "nn.GRU(3, 2, dropout=2)",
    "nn.GRU(3, 2, num_layers=0)", "nn.LSTM(3, 2, proj_size=2)", "nn.LSTM(3, 2, proj_size=-1)",
    "nn.RNNBase('X', 3, 2)", "nn.RNNBase('LSTM', 3, 2)(torch.ones(2, 1, 3))",
    "nn.LSTM(3, 2)(torch.ones(0, 2, 3))", "nn.LSTM(3, 2)(torch.ones(2, 2, 4))",
    "nn.LSTM(3, 2)(torch.ones(2, 2, 3, 1))", "nn.LSTM(3, 2)(torch.ones(2, 2, 3).double())",
    "nn.GRU(3, 2)(torch.ones(2, 2, 3, dtype=torch.int64))",
    "nn.GRU(3, 2)(torch.ones(2, 2, 3), torch.ones(1, 3, 2))",
    "nn.GRU(3, 2)(torch.ones(2, 2, 3), torch.ones(2, 2))",
    "nn.GRU(3, 2)(torch.ones(2, 3), torch.ones(1, 1, 2))",
    "nn.GRU(3, 2)(torch.ones(2, 2, 3), torch.ones(1, 2, 2).double())",
    "nn.LSTM(3, 2)(torch.ones(2, 2, 3), (torch.ones(1, 2, 2), torch.ones(1, 2, 3)))",
    "nn.LSTM(3, 2)(torch.ones(2, 3), (torch.ones(1, 2, 2), torch.ones(1, 2, 2)))",
    "nn.GRUCell(3, 2)(torch.ones(2, 4))", "nn.GRUCell(3, 2)(torch.ones(2, 3, 1))",
    "nn.RNNCell(3, 2)(torch.ones(2, 3), torch.ones(3, 2))",
    "nn.RNNCell(3, 2)(torch.ones(2, 3), torch.ones(2, 3))",
    "nn.RNNCell(3, 2)(torch.ones(2, 3), torch.ones(2, 2, 1))",
    "nn.RNNCell(3, 2)(torch.ones(2, 3).double())",
    "nn.RNNCell(3, 2, nonlinearity='x')(torch.ones(2, 3))",
    "nn.LSTMCell(3, 2)(torch.ones(2, 3), torch.ones(2, 2, 1))",
    "nn.LSTMCell(3, 2)(torch.ones(2, 3), (torch.ones(2, 2), torch.ones(2, 3)))",
    f"{R}.pack_padded_sequence(torch.ones(3, 2), [1, 2])",
    f"{R}.pack_padded_sequence(torch.ones(3, 2), [2, 0])",
    f"{R}.pack_padded_sequence(torch.ones(3, 2), [2])",
    f"{R}.pack_padded_sequence(torch.ones(3, 2), torch.tensor([[2, 1]]))",
    f"{R}.pack_padded_sequence(torch.ones(3), [2])",
    f"{R}.pack_padded_sequence(torch.ones(3, 0, 2), [])",
    f"{R}.pack_sequence([torch.ones(1), torch.ones(2)])",
    f"{R}.pack_sequence([torch.ones(0), torch.ones(2)], False)",
    f"{R}.pad_sequence([])", f"{R}.pad_sequence(5)",
    f"{R}.pad_sequence([torch.ones(2), torch.ones(3)], padding_side='x')",
    f"{R}.pad_sequence([torch.ones(2, 3), torch.ones(3, 4)])",
    f"{R}.pad_packed_sequence({R}.pack_sequence([torch.ones(2), torch.ones(1)]), total_length=1)",
    f"{R}.pad_packed_sequence({R}.PackedSequence(torch.ones(3), torch.tensor([2, 2])))",
    "nn.LSTM(1, 2)(nn.utils.rnn.PackedSequence(torch.ones(3, 1), torch.tensor([1, 2])))",
    "nn.TransformerEncoderLayer(4, 2, activation='x')", "nn.Transformer(5, 2)",
    "nn.TransformerEncoderLayer(4, 2)(torch.ones(3, 2, 5))",
    "nn.TransformerEncoderLayer(4, 2)(torch.ones(3, 2, 4), is_causal=True)",
    "nn.TransformerEncoderLayer(4, 2)(torch.ones(3, 2, 4), torch.ones(3, 3, dtype=torch.int64))",
    "nn.Transformer(4, 2, 1, 1, 4)(torch.ones(3, 2, 4), torch.ones(3, 1, 4))",
    "nn.Transformer(4, 2, 1, 1, 4)(torch.ones(3, 2, 5), torch.ones(3, 2, 4))",
):  # fmt: skip
    add(f"y = {code}")
