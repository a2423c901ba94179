"""Where this package differs from PyTorch with special values, on purpose.

Each entry is a reason and three patterns: of the call, of the kind of values, of the difference. A case
that differs must match one entry. An entry that no case needs is to be deleted: a test says which.
"""

from __future__ import annotations

import functools
import re

from .special_cases import Outcome
from .special_runs import exact

Entry = tuple[str, str, str, str]  # reason, call, kind, difference

REFUSED = r"^error "  # both refuse, by errors of two types
ALLOWED = r"^no error"  # only PyTorch refuses
STRICT = r"^an error"  # only this package refuses
NUMBERS = r"^(value|gradient)"
GRADIENT = r"^gradient"
LAYERS = (
    r"^F\.(linear|bilinear|conv|(avg|lp|max|adaptive_\w+)_(un)?pool|unfold|fold|\w+_norm|local)"
)
WHOLE = r"bool|int"  # kinds of integers

PURPOSE: list[Entry] = [
    # --- What PyTorch refuses -------------------------------------------------------------------
    ("PyTorch has no loop for the dtype on a CPU; here it is computed",
     r"", r"", r"^no error, wanted (grad )?\w+:dtype"),
    ("PyTorch differentiates no such call; here the gradient of a piecewise constant is 0",
     r"floor_divide|floordiv|//|remainder|%|imod|bernoulli|fmod|unique|index_fill|'floor'|put\(",
     r"", r"^no error, wanted grad"),
    ("floating point minus bool is computed: a check would cost every subtraction",
     r"sub|-|loss|distance|dist\(|_div|lerp", r"bool|True", ALLOWED),
    ("int32 and int16 indices are taken wherever int64 are", r"<|^F\.\w*(entropy|nll|margin|one_hot|emb)",
     r"int32|int16|uint8", ALLOWED),
    ("a mask of no elements selects none, as in NumPy", r"\[|put", r"^m empty", ALLOWED),
    ("a mask of uint8 selects in a write, too", r"put", r"^m uint8", ALLOWED),
    ("a value that is written is converted to the dtype", r"put|fill|copy_|masked", r"", ALLOWED),
    ("a float that is no integer in int64 is a number like others", r"", r"2\*\*63$", ALLOWED),
    ("a Tensor that requires grad may give the value to fill with", r"full", r"", ALLOWED),
    ("the gradient by an integer divisor is not asked for, and so is no error",
     r"addcdiv|pow|atan2|\*\*", WHOLE, r"^no error, wanted grad"),
    # --- What is refused here -------------------------------------------------------------------
    ("einsum contracts Tensors of one dtype", r"einsum", r"", STRICT),
    ("take_along_dim does not wrap indices that are out of range", r"take_along", r"outside|one", STRICT),
    ("label_smoothing is checked to be in [0, 1]", r"cross_entropy", r"^s", STRICT),
    ("a write broadcasts probabilities only to where it writes", r"bernoulli_", r"empty", STRICT),
    ("dropout of integers is refused whatever p is", r"dropout", r"bool|int", STRICT),
    ("no elements of integers are no exception: random numbers are of floating point",
     r"normal|randn|gumbel|exponential", r"empty int64", STRICT),
    ("arange takes no integer beyond int64", r"arange", r"2\*\*63", STRICT),
    # --- Errors of two types --------------------------------------------------------------------
    ("both refuse the dtype, or the call that is wrong in another way too",
     r"", r"bool|int|float|1e4|300", r"^error \w+, wanted (grad )?\w+:dtype"),
    ("an index out of range is an IndexError or a RuntimeError by the path within PyTorch",
     r"index_|embedding|\[", r"empty|one|0-d|outside|negative|2\*\*63", REFUSED),
    ("PyTorch looks for an axis of a Tensor without axes, or checks another argument first",
     r"", r"0-d|empty|one|bool|int|outside|negative|float32|float16|float64|1e4|300", REFUSED),
    ("an argument that is NaN or infinite is refused as any other outside of its range",
     r"", r"^s\d (nan|inf|-inf|-1|1e20|2\*\*)", REFUSED),
    # --- Dtypes ---------------------------------------------------------------------------------
    ("PyTorch returns no elements unconverted", r"soft(max|min)", r"empty int64", r"^dtype"),
    ("a count of draws has its axis though there are no rows", r"multinomial", r"empty", r"^dtype"),
    ("PyTorch writes this loss into the dtype of the target", r"with_logits", r"", r"^dtype"),
    ("PyTorch drops the dtype of a weight", r"cross_entropy", r"^w", r"^dtype"),
    ("a margin of floating point gives floating point", r"hinge", WHOLE, r"^dtype"),
    ("arange with an infinite step holds its start", r"arange", r"inf", r"^dtype"),
    ("positions are int64", r"repeat_interleave", r"int32", r"^dtype"),
    ("an input without axes has the axis that keepdim keeps", r"pairwise", r"0-d", r"^dtype"),
    # --- Values that PyTorch computes by another formula, which over- or underflows ---------------
    ("where the value is NaN or infinite, the gradient of the formula stands: x < 0 in a logarithm",
     r"logit|log\(|gelu|mish|hardsigmoid|softsign|amax|amin|\*\*|pow|lerp|clamp|hardtanh",
     r"", NUMBERS),
    ("the derivative of a product is the product of the other factors, also beside infinity and NaN",
     r"prod", r"inf|nan|1e|300|denormal", GRADIENT),
    ("PyTorch squares integers and float16 in their own dtype, where they overflow or lose digits",
     r"atan2|addc|kl_div|loss|div|mul_|pow|bce|entropy|pairwise", r"int|uint8|float16|1e4|300", NUMBERS),
    ("a quotient over- or underflows in another step", r"div", r"denormal|1e20|1e-20", NUMBERS),
    ("sums of products over- or underflow in the order of their terms",
     r"mm|matmul|mv|cross|einsum|tensordot|linear|conv|attention|outer",
     r"1e4|300|1e20|1e-20|inf|denormal|nan", NUMBERS),
    ("t ln t is 0 at t = 0, and so is its part of the gradient",
     r"kl_div|poisson", r"", GRADIENT),
    ("integers are compared as distributions", r"kl_div", WHOLE, ALLOWED),
    ("a target of integers is a probability of 0 or 1", r"with_logits|gaussian", WHOLE, ALLOWED),
    ("a variance is a number", r"gaussian", r"^s", r""),
    ("rounding alone: the gradient of an angle between parallel vectors", r"cosine", r"", GRADIENT),
    ("an index that is smaller than its source gives gradients to the part that it takes",
     r"scatter", r"0-d|empty|one", r"^(no error, wanted grad|gradient 1)"),
    ("a distance that is NaN has NaN for the largest difference, and no sign", r"cdist", r"nan|inf", NUMBERS),
    ("the number of different elements has the gradient 0", r"dist\(", r"^s2", r"^no error, wanted grad"),
    ("PyTorch's order of NaN among numbers is not defined", r"mode", r"nan", r"^value"),
    ("soft_margin_loss of large numbers: PyTorch's exp overflows; shapes broadcast, dtypes meet",
     r"soft_margin", r"", r"^(value|no error|dtype)"),
    ("a margin beside integers gives floating point", r"hinge", WHOLE, ALLOWED),
    ("infinite bounds of a shrinkage or a slope are bounds", r"softshrink|rrelu", r"^s", ALLOWED),
    ("weights and inputs of a loss have one dtype", r"entropy|multi_margin", r"", STRICT),
    ("embeddings of integers are cut to a norm", r"embedding", WHOLE, ALLOWED),
    ("pixels of no elements are moved, in either direction", r"pixel", r"empty", r""),
    ("batches of attention broadcast, and none has no keys", r"attention", r"empty", STRICT),
    ("sums, norms and variances of 70,000 float32 numbers keep more digits than PyTorch's",
     r"^large", r"(std|var|_mean|torch.norm|cosine\w*|batch_norm|instance_norm)\(.*float32", NUMBERS),
    ("attention to scores of 1e12 is chosen by rounding", r"^large", r"attention.*(offset|1e4)", NUMBERS),
    ("norms of any order neither over- nor underflow before their value does",
     r"norm|pairwise|pdist|triplet|dist\(", r"1e20|1e-20|denormal|2\*\*", NUMBERS),
    ("a base of bool is a number", r"\*\*", r"True", ALLOWED),
    ("layers of no elements of integers are refused as layers of integers are",
     r"^F\.(conv|adaptive|interpolate|\w+_norm)", r"empty int64", STRICT),
    ("no elements of integers give no elements of floating point, as other integers do",
     r"local_response", r"empty int64", r"^dtype"),
    ("a bias of another dtype is refused by every convolution, not by all but one",
     r"conv_transpose", r"^b", STRICT),
    ("PyTorch averages powers of integers in integers, and cuts off the fraction", r"lp_pool", r"int|bool", NUMBERS),
    ("statistics of no elements do not fit three channels", r"batch_norm", r"all empty", STRICT),
    ("no images of channels with weights give none", r"instance_norm", r"x empty", ALLOWED),
    ("an infinite weight times 0 is NaN, other products are not", r"instance_norm", r"w infs", NUMBERS),
    ("the p-norm of 70,000 numbers of 1e4 has a gradient below float16",
     r"^large", r"norm\(x,3.*1e4", GRADIENT),
    ("angles to vectors of 1e20, whose squares PyTorch finds infinite", r"cosine", r"1e20", NUMBERS),
]  # fmt: skip

# PyTorch over- or underflows here, or loses digits, and this package gives the exact value: each case
# must also agree with the same call in float64.
EXACT: list[Entry] = [
    ("float16 that is rounded at each step", r"", r"float16|1e4|300", NUMBERS),
    ("squares and sums of float32 out of its range", r"", r"1e20|1e-20|denormal", NUMBERS),
    ("integers in their own dtype", r"", r"int|bool", NUMBERS),
    ("sums of 70,000 numbers of float32", r"^large", r"float32", NUMBERS),
    ("a number as argument", r"", r"^s", NUMBERS),
    ("the mean of an infinity is infinite", r"(var|std)_mean", r"inf", r"^value 1"),
    ("of equal elements the first ones are taken, in the order that sort has",
     r"topk|max_pool|median|kthvalue", r"", r"^(value 1|gradient)"),
    ("a correction of n elements and more leaves no variance", r"var\(|std\(", r"^s|one", NUMBERS),
    ("NaN is passed on, not compared away", r"margin|pdist|distance", r"nan|inf", NUMBERS),
    ("the gradient of equal largest elements is shared evenly", r"inf'\)|pdist", r"", GRADIENT),
    ("rounding alone: a gradient of 0", r"attention", r"halves", GRADIENT),
    ("rounding alone: the weights of labels sum to 0", r"entropy|nll", r"^(w|all|s)", NUMBERS),
    ("an infinite weight times 0 is NaN, and times other numbers it is infinite",
     r"\w+_norm", r"^[wm] -?inf", NUMBERS),
    ("the angle at infinity has the gradient 0", r"atan2", r"inf", GRADIENT),
    ("a gradient beside an infinite input", r"batch_norm", r"inf", GRADIENT),
]  # fmt: skip


@functools.cache
def _compiled() -> list[tuple[Entry, list[re.Pattern[str]]]]:
    return [(e, [re.compile(p, re.DOTALL) for p in e[1:]]) for e in (*EXACT, *PURPOSE)]


def listed(call: str, kind: str, found: str, given: Outcome) -> Entry | None:
    """The entry that a difference falls under, the first of several; None if there is none."""
    for entry, patterns in _compiled():
        if all(p.search(t) for p, t in zip(patterns, (call, kind, found), strict=True)) and (
            entry not in EXACT or exact(call, kind, given)
        ):
            return entry
    return None
