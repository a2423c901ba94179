"""Convolution, pooling, normalisation, padding, interpolation: functions and modules."""

from itertools import product

from .cases import Case, Input, booleans, given, integers, positive, real, ties, unit

CASES: list[Case] = []


def add(code: str, order: int = 2, name: str = "", **inputs: Input) -> None:
    CASES.append(Case(name or code, code, inputs, order))


def module(code: str, order: int = 2, **inputs: Input) -> None:
    """A module `m`, filled, called on the inputs."""
    call = f"m({', '.join(inputs)})"
    CASES.append(
        Case(
            f"{code} {[i.shape for i in inputs.values()]}",
            f"m = fill({code})\ny = {call}",
            inputs,
            order,
        )
    )


# --- convolution ---

for options in ("", "stride=2", "stride=(2, 1), padding=(1, 2)", "padding=1, dilation=(2, 1)", "stride=3, padding=2", "padding='same'",
                "padding='valid'", "stride=(1, 4), dilation=(1, 2), padding=(0, 3)", "padding='same', dilation=(1, 2)"):  # fmt: skip
    add(f"F.conv2d(x, w, b, {options})", x=real(2, 3, 7, 6), w=real(4, 3, 3, 2), b=real(4))
for groups, shape in ((2, (4, 2, 3, 3)), (4, (4, 1, 3, 3)), (4, (8, 1, 2, 3))):
    add(
        f"F.conv2d(x, w, None, 2, 1, 1, {groups})",
        name=f"conv2d groups {groups} {shape}",
        x=real(2, 4, 6, 5),
        w=real(*shape),
    )
add("F.conv2d(x, w)", name="conv2d 1x1", x=real(2, 3, 4, 5), w=real(2, 3, 1, 1))
add("F.conv2d(x, w, stride=2)", name="conv2d 1x1 stride", x=real(2, 3, 5, 4), w=real(2, 3, 1, 1))
add("F.conv2d(x, w)", name="conv2d unbatched", x=real(3, 4, 5), w=real(2, 3, 2, 2))
add("F.conv2d(x, w, padding=1)", name="conv2d no images", x=real(0, 3, 4, 5), w=real(2, 3, 3, 3))
add(
    "F.conv2d(x, w, stride=3)",
    name="conv2d stride over kernel",
    x=real(1, 2, 8, 9),
    w=real(2, 2, 2, 2),
)
add("F.conv2d(x.transpose(2, 3), w)", x=real(1, 2, 5, 6), w=real(2, 2, 2, 3))
for options in ("", "stride=2, padding=1", "dilation=2, padding='same'", "stride=3, groups=2"):
    shape = (4, 1, 3) if "groups" in options else (4, 2, 3)
    add(f"F.conv1d(x, w, b, {options})", x=real(2, 2, 9), w=real(*shape), b=real(4))
for options in ("", "stride=(1, 2, 1), padding=1", "dilation=(1, 1, 2), padding=(0, 1, 2)"):
    add(f"F.conv3d(x, w, b, {options})", x=real(1, 2, 4, 5, 4), w=real(2, 2, 2, 3, 2), b=real(2))
for options in ("", "stride=2", "stride=(2, 3), padding=(1, 0)", "stride=2, padding=1, output_padding=1", "dilation=2", "padding=2",
                "stride=2, groups=2", "stride=(3, 2), output_padding=(2, 1), dilation=(1, 2)"):  # fmt: skip
    shape = (4, 2, 3, 3) if "groups" in options else (4, 3, 3, 3)
    add(f"F.conv_transpose2d(x, w, None, {options})", x=real(2, 4, 3, 4), w=real(*shape))
for options in ("", "stride=2, padding=1, output_padding=1", "stride=3, dilation=2"):
    add(f"F.conv_transpose1d(x, w, b, {options})", x=real(2, 3, 5), w=real(3, 2, 3), b=real(2))
for mode in ("zeros", "reflect", "replicate", "circular"):
    module(f"nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode={mode!r})", x=real(2, 2, 5, 6))
for code, shape in (("nn.Conv2d(2, 4, (3, 2), stride=2, bias=False)", (2, 2, 6, 5)), ("nn.Conv2d(4, 4, 3, padding='same', groups=2)", (1, 4, 5, 4)),
                    ("nn.Conv1d(2, 3, 3, padding=1, padding_mode='circular')", (2, 2, 6)), ("nn.Conv1d(2, 3, 4, stride=2, dilation=2)", (2, 2, 12)),
                    ("nn.Conv3d(1, 2, 2)", (1, 1, 3, 4, 3)), ("nn.ConvTranspose2d(3, 2, 3, 2, 1, 1)", (1, 3, 4, 3)),
                    ("nn.ConvTranspose2d(4, 2, 4, stride=2, padding=1, bias=False, groups=2)", (1, 4, 3, 3)), ("nn.ConvTranspose1d(3, 2, 3, stride=2)", (2, 3, 4)),
                    ("nn.Conv2d(1, 2, 3)", (1, 5, 4))):  # fmt: skip
    module(code, x=real(*shape))
add(
    "m = fill(nn.ConvTranspose2d(2, 2, 3, stride=2, padding=1))\ny = m(x, output_size=(8, 7))",
    x=real(1, 2, 4, 4),
)

# --- pooling ---

for options in (
    "2",
    "3, stride=1",
    "(2, 3), stride=(2, 1), padding=(1, 1)",
    "2, ceil_mode=True",
    "3, 2, 1, ceil_mode=True",
    "(3, 2), stride=3",
):
    for pool in ("max", "avg"):
        add(f"F.{pool}_pool2d(x, {options})", x=real(2, 2, 7, 6))
add("F.max_pool2d(x, 2, dilation=2)", x=real(1, 2, 6, 5))
add("F.max_pool2d(x, 2, return_indices=True)", x=real(1, 2, 4, 5))
add("F.max_pool2d(x, 2, stride=1)", name="max_pool2d ties", x=ties(2, 2, 5, 5))
add(
    "F.max_pool2d(x, 2)",
    name="max_pool2d nan",
    order=1,
    x=given([[[[1.0, float("nan")], [2.0, 3.0]]]]),
)
add("F.max_pool2d(x, 2), F.avg_pool2d(x, 2)", name="pool2d no images", x=real(0, 2, 4, 4))
add("F.max_pool2d(x, 2), F.avg_pool2d(x, 2)", name="pool2d unbatched", x=real(2, 4, 5))
for options in (
    "3, 2, 1, count_include_pad=False",
    "2, divisor_override=3",
    "3, 2, 1, ceil_mode=True, count_include_pad=False",
):
    add(f"F.avg_pool2d(x, {options})", x=real(1, 2, 6, 5))
for pool, size in product(("avg", "max"), ("1", "3", "(2, 3)", "(None, 2)", "7")):
    add(f"F.adaptive_{pool}_pool2d(x, {size})", x=real(2, 2, 5, 7))
add("F.adaptive_max_pool2d(x, 2, return_indices=True)", x=ties(1, 2, 5, 5))
for pool in ("max", "avg"):
    for options in ("2", "3, 2, 1", "2, stride=1, ceil_mode=True"):
        add(f"F.{pool}_pool1d(x, {options})", x=real(2, 3, 7))
    add(f"F.adaptive_{pool}_pool1d(x, 3)", x=real(2, 3, 7))
    for code in (
        f"nn.{pool.title()}Pool2d(3, stride=2, padding=1)",
        f"nn.{pool.title()}Pool2d((2, 1))",
        f"nn.Adaptive{pool.title()}Pool2d((1, 2))",
    ):
        module(code, x=real(2, 2, 6, 5))
    for code in (f"nn.{pool.title()}Pool1d(2)", f"nn.Adaptive{pool.title()}Pool1d(2)"):
        module(code, x=real(2, 2, 5))

# --- normalisation ---

for training, affine in product(("True", "False"), ("w, b", "None, None")):
    add(f"m0, v0 = torch.zeros(3).double(), torch.ones(3).double()\nwatch = 'm0', 'v0'\n"
        f"y = F.batch_norm(x, m0, v0, {affine}, training={training}, momentum=0.3)",
        name=f"batch_norm {training} {affine}", x=real(4, 3, 2, 2), w=real(3), b=real(3))  # fmt: skip
add("F.batch_norm(x, None, None, training=True)", name="batch_norm (N, C)", x=real(5, 3))
for code, shape in (("nn.BatchNorm2d(3)", (4, 3, 2, 3)), ("nn.BatchNorm1d(3)", (5, 3)), ("nn.BatchNorm1d(3)", (5, 3, 4)), ("nn.BatchNorm3d(2)", (2, 2, 2, 2, 2)),
                    ("nn.BatchNorm2d(3, affine=False)", (4, 3, 2, 3)), ("nn.BatchNorm2d(3, track_running_stats=False)", (4, 3, 2, 3)),
                    ("nn.BatchNorm2d(3, momentum=None, eps=0.1)", (4, 3, 2, 3)), ("nn.BatchNorm2d(3).eval()", (4, 3, 2, 3)),
                    ("nn.LayerNorm(4)", (2, 3, 4)), ("nn.LayerNorm((3, 4), elementwise_affine=False)", (2, 3, 4)), ("nn.LayerNorm([3, 4], bias=False)", (2, 3, 4)),
                    ("nn.GroupNorm(2, 4)", (2, 4, 3, 2)), ("nn.GroupNorm(4, 4, affine=False)", (2, 4, 3)), ("nn.GroupNorm(1, 4)", (3, 4)),
                    ("nn.InstanceNorm2d(3)", (2, 3, 3, 2)), ("nn.InstanceNorm2d(3, affine=True, track_running_stats=True)", (2, 3, 3, 2)),
                    ("nn.InstanceNorm2d(3, affine=True, track_running_stats=True).eval()", (2, 3, 3, 2)), ("nn.InstanceNorm1d(3)", (2, 3, 5)),
                    ("nn.LocalResponseNorm(3)", (2, 5, 3, 2))):  # fmt: skip
    module(code, x=real(*shape))
add("F.layer_norm(x, (3,), w, b)", x=real(4, 3), w=real(3), b=real(3))
add("F.group_norm(x, 2, w, b)", x=real(2, 4, 3), w=real(4), b=real(4))
add("F.instance_norm(x)", x=real(2, 3, 4, 2))
add("F.normalize(x), F.normalize(x, p=1, dim=0)", x=real(3, 4))
add("F.normalize(x)", name="normalize zeros", order=1, x=given([[0.0, 0.0], [3.0, 4.0]]))
add("F.local_response_norm(x, 2, alpha=0.1, beta=0.5, k=2.0)", x=real(2, 4, 3))

# --- padding, resampling, rearranging ---

for mode in ("constant", "reflect", "replicate", "circular"):
    add(f"F.pad(x, (1, 2, 0, 1), mode={mode!r})", x=real(1, 2, 3, 4))
    add(f"F.pad(x, (2, 1), mode={mode!r})", x=real(2, 3, 4))
add("F.pad(x, (1, -1, 0, 2), value=3.0)", x=real(2, 3, 4))
add("F.pad(x, (0, 0, 1, 1, 2, 0))", x=real(2, 3, 4))
for code in (
    "nn.ZeroPad2d(1)",
    "nn.ZeroPad2d((1, 2, 0, 1))",
    "nn.ReflectionPad2d(1)",
    "nn.ReplicationPad2d((1, 0, 2, 1))",
    "nn.ConstantPad2d(1, 2.5)",
):
    module(code, x=real(1, 2, 3, 4))
for options in ("scale_factor=2", "size=(5, 7)", "size=3", "scale_factor=(0.5, 1.5)"):
    add(f"F.interpolate(x, {options})", x=real(1, 2, 4, 4))
    for align in ("False", "True"):
        add(
            f"F.interpolate(x, {options}, mode='bilinear', align_corners={align})",
            x=real(1, 2, 4, 4),
        )
add(
    "F.interpolate(x, scale_factor=1.3, mode='bilinear', recompute_scale_factor=True)",
    x=real(1, 1, 5, 6),
)
add("F.interpolate(x, scale_factor=1.7, mode='bilinear')", x=real(1, 1, 5, 6))
add("F.interpolate(x, 5), F.interpolate(x, 5, mode='linear')", x=real(2, 2, 3))
add("F.interpolate(x, size=(1, 1), mode='bilinear', align_corners=True)", x=real(1, 1, 3, 3))
for code in ("nn.Upsample(scale_factor=2)", "nn.Upsample(size=(5, 3), mode='bilinear', align_corners=True)", "nn.Upsample(scale_factor=2, mode='bilinear')",
             "nn.UpsamplingNearest2d(scale_factor=2)", "nn.UpsamplingBilinear2d(scale_factor=2)"):  # fmt: skip
    module(code, x=real(1, 2, 3, 4))
add("F.pixel_shuffle(x, 2)", x=real(2, 8, 2, 3))
add("F.pixel_unshuffle(x, 2)", x=real(2, 2, 4, 6))
module("nn.PixelShuffle(2)", x=real(1, 4, 2, 3))
for options in ("2", "(2, 3), stride=2", "3, padding=1, dilation=2", "(3, 2), 2, (1, 0), (1, 2)"):
    kernel = options
    add(
        f"F.unfold(x, {kernel})" if "," not in options else f"F.unfold(x, {options})",
        x=real(2, 2, 6, 7),
    )
add("F.unfold(x, (2, 3), dilation=1, padding=1, stride=2)", x=real(2, 2, 5, 6))
add("F.fold(x, (4, 5), (2, 2))", x=real(2, 8, 12))
add("F.fold(x, output_size=(5, 6), kernel_size=(3, 2), stride=2, padding=(1, 0))", x=real(1, 12, 9))
module("nn.Unfold(2, stride=2)", x=real(1, 2, 4, 4))
module("nn.Fold((4, 4), 2, stride=2)", x=real(1, 8, 4))
for code, shape in (("nn.Flatten()", (2, 3, 4)), ("nn.Flatten(0, 1)", (2, 3, 4)), ("nn.Unflatten(1, (2, 2))", (3, 4)), ("nn.Identity(5, a=1)", (2, 3)),
                    ("nn.Linear(3, 2)", (4, 3)), ("nn.Linear(3, 2, bias=False)", (2, 4, 3)), ("nn.Linear(3, 2)", (3,)), ("nn.Linear(3, 2)", (0, 3)),
                    ("nn.Dropout(0.5).eval()", (2, 3)), ("nn.Dropout2d(0.5).eval()", (1, 2, 3, 3)), ("nn.Dropout(0.0)", (2, 3)),
                    ("nn.ChannelShuffle(2)", (1, 4, 2, 2))):  # fmt: skip
    module(code, x=real(*shape))
module("nn.Bilinear(2, 3, 4)", x=real(5, 2), y=real(5, 3))
module("nn.Embedding(5, 3)", x=integers(2, 4))
module("nn.Embedding(5, 3, padding_idx=1)", x=integers(7))
add("F.embedding(i, w, padding_idx=0)", i=integers(2, 3), w=real(5, 4))
module(
    "nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Sequential(nn.Flatten(), nn.Linear(8, 2)))",
    x=real(2, 1, 4, 4),
)
module("nn.ModuleDict({'a': nn.Linear(2, 3), 'b': nn.ReLU()})['a']", x=real(2, 2))

# --- attention ---

for options in ("", "is_causal=True", "scale=0.3", "attn_mask=mask", "attn_mask=bias"):
    add(f"F.scaled_dot_product_attention(q, k, v, {options})", q=real(2, 3, 4), k=real(2, 3, 4), v=real(2, 3, 5), bias=real(3, 3),
        mask=given([[True, False, True], [True, True, False], [False, True, True]], "bool"))  # fmt: skip
for code in (
    "nn.MultiheadAttention(4, 2, batch_first=True)",
    "nn.MultiheadAttention(4, 2)",
    "nn.MultiheadAttention(4, 1, bias=False)",
):
    add(
        f"m = fill({code})\ny = m(q, k, v)",
        order=1,
        q=real(3, 3, 4),
        k=real(3, 3, 4),
        v=real(3, 3, 4),
    )
add("m = fill(nn.MultiheadAttention(4, 2, batch_first=True))\n"
    "y = m(q, q, q, key_padding_mask=mask, average_attn_weights=False)", order=1, q=real(2, 3, 4),
    mask=given([[False, False, True], [False, False, False]], "bool"))  # fmt: skip
add("m = fill(nn.MultiheadAttention(4, 2, batch_first=True))\ny = m(q, q, q, need_weights=False, attn_mask=mask)", order=1,
    q=real(2, 3, 4), mask=given([[False, True, True], [False, False, True], [False] * 3], "bool"))  # fmt: skip
_ = booleans, positive, unit
