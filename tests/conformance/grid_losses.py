"""Activations and losses."""

from itertools import product

from .cases import Case, Input, booleans, given, integers, real, unit

INF = float("inf")
CASES: list[Case] = []


def add(code: str, order: int = 2, name: str = "", **inputs: Input) -> None:
    constant = {"w"} | ({"t"} if "soft_margin" in code else set())
    grad = tuple(
        n
        for n, i in inputs.items()
        if i.kind != "int" and i.dtype == "float64" and n not in constant
    )
    CASES.append(Case(name or code, code, inputs, order, grad))


ACTIVATIONS = {
    "ReLU": ["", "inplace=True"], "ReLU6": [""], "LeakyReLU": ["", "0.2"], "PReLU": ["", "3"], "ELU": ["", "alpha=0.5"], "SELU": [""],
    "CELU": ["", "0.5"], "GELU": ["", "approximate='tanh'"], "SiLU": [""], "Mish": [""], "Softplus": ["", "beta=2, threshold=1"],
    "Softsign": [""], "Hardswish": [""], "Hardsigmoid": [""], "Hardtanh": ["", "-0.5, 1.5"], "Tanh": [""], "Sigmoid": [""],
    "LogSigmoid": [""], "Softmax": ["dim=1"], "LogSoftmax": ["dim=1"], "Softmin": ["dim=1"], "Threshold": ["0.1, 20.0"],
    "Hardshrink": [""], "Softshrink": [""], "Tanhshrink": [""], "GLU": [""],
}  # fmt: skip
for name, options in ACTIVATIONS.items():
    for option in options:
        width = 4 if name == "GLU" else 3
        code = f"m = fill(nn.{name}({option}))\ny = m(x * 1.0)"
        CASES.append(
            Case(
                f"nn.{name}({option})",
                code,
                {"x": real(2, width)},
                1 if name == "Hardsigmoid" else 2,
            )
        )
    if name != "GLU":
        extreme = given(
            [
                [-1e4, -800.0, -100.0],
                [-6.0, -3.0, -1.0],
                [-0.5, 0.0, 0.5],
                [1.0, 3.0, 6.0],
                [100.0, 800.0, 1e4],
            ]
        )
        CASES.append(
            Case(
                f"extreme {name}",
                f"m = fill(nn.{name}({options[-1]}))\ny = m(x * 1.0)",
                {"x": extreme},
                1,
            )
        )
for code in ("F.relu(x)", "F.relu6(x)", "F.leaky_relu(x, 0.2)", "F.prelu(x, w)", "F.elu(x)", "F.selu(x)", "F.celu(x)", "F.gelu(x)", "F.gelu(x, approximate='tanh')",
             "F.silu(x)", "F.mish(x)", "F.softplus(x)", "F.softsign(x)", "F.hardswish(x)", "F.hardsigmoid(x)", "F.hardtanh(x)", "F.tanh(x)", "F.sigmoid(x)",
             "F.logsigmoid(x)", "F.softmax(x, dim=0)", "F.log_softmax(x, dim=-1)", "F.softmin(x, 1)", "F.threshold(x, 0.5, -1.0)", "F.hardshrink(x)", "F.softshrink(x)",
             "F.tanhshrink(x)", "F.glu(x.repeat(1, 2))", "F.relu(x * 1.0, inplace=True)", "F.leaky_relu_(x * 1.0)", "F.elu_(x * 1.0)"):  # fmt: skip
    inputs = {"x": real(2, 3)} | ({"w": real(1)} if "prelu" in code else {})
    CASES.append(Case(code, code, inputs, 1 if "hardsigmoid" in code else 2))
add(
    "F.softmax(x, 1), F.log_softmax(x, 1)",
    name="softmax awkward",
    order=1,
    x=given([[1e4, 0.0, -1e4], [-INF, 0.0, 1.0]]),
)
add("F.softmax(x, 1)", name="softmax empty", x=real(0, 3))

# --- classes ---

for reduction in ("mean", "sum", "none"):
    for options in (
        "",
        "weight=w",
        "ignore_index=2",
        "label_smoothing=0.2",
        "weight=w, ignore_index=1, label_smoothing=0.1",
    ):
        add(
            f"F.cross_entropy(x, t, {options + ', ' if options else ''}reduction={reduction!r})",
            x=real(5, 4),
            t=integers(5, high=4),
            w=unit(4),
        )
    add(
        f"F.cross_entropy(x, t, w, reduction={reduction!r})",
        name=f"soft targets {reduction}",
        x=real(3, 4),
        t=unit(3, 4),
        w=unit(4),
    )
    add(
        f"F.cross_entropy(x, t, label_smoothing=0.3, reduction={reduction!r})",
        name=f"smooth soft targets {reduction}",
        x=real(3, 4),
        t=unit(3, 4),
    )
    add(
        f"F.cross_entropy(x, t, w, ignore_index=0, reduction={reduction!r})",
        name=f"spatial {reduction}",
        x=real(2, 3, 2, 4),
        t=integers(2, 2, 4, high=3),
        w=unit(3),
    )
    add(
        f"F.nll_loss(x, t, w, ignore_index=1, reduction={reduction!r})",
        x=real(5, 4),
        t=integers(5, high=4),
        w=unit(4),
    )
    add(
        f"F.nll_loss(x, t, reduction={reduction!r})",
        name=f"nll spatial {reduction}",
        x=real(2, 3, 2, 2),
        t=integers(2, 2, 2, high=3),
    )
add("F.cross_entropy(x, t)", name="one sample", x=real(4), t=given(2, "int64"))
add("F.cross_entropy(x, t)", name="no samples", x=real(0, 4), t=given([], "int64"))
add(
    "F.cross_entropy(x, t, reduction='sum')",
    name="no samples, sum",
    x=real(0, 4),
    t=given([], "int64"),
)
add(
    "F.cross_entropy(x, t, ignore_index=3)",
    name="all ignored",
    order=1,
    x=real(2, 4),
    t=given([3, 3], "int64"),
)
add(
    "F.cross_entropy(x, t)",
    name="huge logits",
    order=1,
    x=given([[1e4, -1e4, 0.0], [0.0, 1e30, 5.0]]),
    t=given([1, 1], "int64"),
)
add(
    "F.cross_entropy(x, t)",
    name="infinite logits",
    order=1,
    x=given([[-INF, 0.0, 1.0], [2.0, -INF, 0.0]]),
    t=given([1, 0], "int64"),
)

# --- numbers ---

PAIRS = {
    "mse_loss": [""], "l1_loss": [""], "smooth_l1_loss": ["", "beta=0.5", "beta=0.0"], "huber_loss": ["", "delta=0.4"],
    "binary_cross_entropy_with_logits": ["", "weight=w", "pos_weight=w"], "poisson_nll_loss": ["", "log_input=False, full=True"],
    "kl_div": ["", "log_target=True"], "soft_margin_loss": [""],
}  # fmt: skip
for (loss, options), reduction in product(PAIRS.items(), ("mean", "sum", "none")):
    for option in options:
        code = f"F.{loss}(x, t, {option + ', ' if option else ''}reduction={reduction!r})"
        add(
            code, x=real(3, 4) if "log_input" not in option else unit(3, 4), t=unit(3, 4), w=unit(4)
        )
for reduction in ("mean", "sum", "none"):
    add(f"F.binary_cross_entropy(x, t, reduction={reduction!r})", x=unit(3, 4), t=unit(3, 4))
    add(
        f"F.binary_cross_entropy(x, t, weight=w, reduction={reduction!r})",
        x=unit(3, 4),
        t=unit(3, 4),
        w=unit(4),
    )
    add(
        f"F.cosine_embedding_loss(x, y, t, margin=0.2, reduction={reduction!r})",
        x=real(4, 3),
        y=real(4, 3),
        t=given([1, -1, 1, -1], "int64"),
    )
    add(
        f"F.triplet_margin_loss(x, y, z, reduction={reduction!r})",
        x=real(4, 3),
        y=real(4, 3),
        z=real(4, 3),
    )
    add(
        f"F.margin_ranking_loss(x, y, t, margin=0.3, reduction={reduction!r})",
        x=real(4),
        y=real(4),
        t=given([1.0, -1.0, 1.0, -1.0]),
    )
    add(
        f"F.hinge_embedding_loss(x, t, reduction={reduction!r})",
        x=real(4),
        t=given([1.0, -1.0, 1.0, -1.0]),
    )
add("F.kl_div(x, t, reduction='batchmean')", x=real(3, 4), t=unit(3, 4))
add(
    "F.triplet_margin_loss(x, y, z, margin=0.5, p=1.0, swap=True)",
    x=real(4, 3),
    y=real(4, 3),
    z=real(4, 3),
)
add(
    "F.binary_cross_entropy(x, t)",
    name="bce at the ends",
    order=1,
    x=given([0.0, 1.0, 0.0, 1.0]),
    t=given([0.0, 1.0, 1.0, 0.0]),
)
add(
    "F.binary_cross_entropy_with_logits(x, t)",
    name="bce extreme",
    order=1,
    x=given([-1e4, -0.0, 0.0, 1e4]),
    t=given([1.0, 0.0, 1.0, 0.0]),
)
add(
    "F.l1_loss(x, t), F.smooth_l1_loss(x, t), F.huber_loss(x, t)",
    name="losses at 0",
    order=1,
    x=given([1.0, 2.0]),
    t=given([1.0, 1.0]),
)
add("F.mse_loss(x, t)", name="mse empty", x=real(0, 2), t=real(0, 2))
add("F.cosine_similarity(x, y)", x=real(3, 4), y=real(3, 4))
add("F.cosine_similarity(x, y, dim=0)", x=real(3, 4), y=real(3, 1))
add("F.pairwise_distance(x, y)", x=real(3, 4), y=real(3, 4))
add("F.one_hot(t, 5), F.one_hot(t)", t=integers(2, 3, high=4))
add("F.multi_margin_loss(x, t)", order=1, x=real(3, 4), t=integers(3, high=4))
for code in ("CrossEntropyLoss(weight=w, label_smoothing=0.1)", "CrossEntropyLoss(ignore_index=1)", "NLLLoss(reduction='sum')", "MSELoss()", "L1Loss()", "SmoothL1Loss(beta=0.3)",
             "HuberLoss(delta=0.5)", "BCEWithLogitsLoss(pos_weight=w)", "KLDivLoss(reduction='batchmean')", "CosineEmbeddingLoss()", "TripletMarginLoss()",
             "BCELoss()", "MarginRankingLoss()", "PoissonNLLLoss()", "SoftMarginLoss()", "HingeEmbeddingLoss()"):  # fmt: skip
    labels = code.startswith(("CrossEntropy", "NLL"))
    if labels:
        args, inputs = "x, t", {"x": real(5, 4), "t": integers(5, high=4)}
    elif code.startswith(("Cosine", "Margin")):
        args, inputs = (
            "x, z, t",
            {
                "x": real(4, 3) if "Cos" in code else real(4),
                "z": real(4, 3) if "Cos" in code else real(4),
                "t": given([1, -1, 1, -1], "int64"),
            },
        )
    elif code.startswith("Triplet"):
        args, inputs = "x, z, t", {"x": real(4, 3), "z": real(4, 3), "t": real(4, 3)}
    else:
        args, inputs = (
            "x, t",
            {"x": unit(3, 4) if code.startswith("BCELoss") else real(3, 4), "t": unit(3, 4)},
        )
    CASES.append(
        Case(
            f"nn.{code}",
            f"l = nn.{code}\ny = l({args}), str(l)",
            inputs | {"w": unit(4)},
            2,
            ("x",),
        )
    )
_ = booleans
