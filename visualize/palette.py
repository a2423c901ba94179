"""The colours, each with its counterpart for a dark page.

The fill and border of a box show its kind, or with `heat` the measurement. Text has a contrast of
at least 4.5 to 1 on each fill, on light and on dark pages.
"""

from __future__ import annotations

Pair = tuple[str, str]  # fill, border

_LEARNED: Pair = ("#e4edfa", "#8fb0dd")
_ELEMENTWISE: Pair = ("#fdf3e3", "#e0bd84")
_REDUCED: Pair = ("#fbeaec", "#dda0a9")
_MOVED: Pair = ("#f2f4f6", "#bfc6cf")

# Of ops, by the module of `tinygrad_cnn.ops` that defines them.
FAMILIES: dict[str, Pair] = {
    **dict.fromkeys(("conv", "linear", "embedding"), _LEARNED),
    **dict.fromkeys(("elementwise", "activation", "special"), _ELEMENTWISE),
    **dict.fromkeys(("reduce", "softmax", "loss", "scan"), _REDUCED),
    **dict.fromkeys(("shape", "sparse"), _MOVED),
    "pool": ("#f0eafa", "#b8a3dd"),
    "norm": ("#e3f3f0", "#87c2b8"),
}
OTHER: Pair = ("#faf7e1", "#d6cb85")
KIND_COLOURS: dict[str, Pair] = {
    "parameter": ("#e9f5ea", "#98c79d"),
    "leaf": ("#f0f6e2", "#b4c982"),
    "constant": ("#fefefe", "#9aa3ae"),
    "output": ("#334155", "#334155"),
    "module": ("#e9edf2", "#8e9bad"),
    "gradient": ("#eaf5eb", "#98c79e"),
    "cut": ("#fafafa", "#a1a1aa"),
}
PAPER, FRAME, FRAME_BORDER = "#ffffff", "#f8fafb", "#d3dae2"
INK, MUTED, ON_OUTPUT = "#0f172a", "#5b6572", "#f8fafc"
EDGE, BACK_EDGE, FAINT_EDGE = "#64748b", "#b07d3c", "#b6c0cc"

# Of signed numbers: below 0, at 0, above 0. The web pages have the same two.
NEGATIVE, ZERO, POSITIVE = "#2563b4", "#e2e5e9", "#d66814"

# From zero to the largest measurement.
HEAT = ("#fcfaf7", "#fdf0df", "#fbe0bf", "#f9cb98", "#f5b16d", "#ee9549")
HEAT_BORDER = "#cdb08f"
VERDICTS: dict[str, Pair] = {
    "right": ("#def3e2", "#7fbf8b"),
    "doubtful": ("#fbf0c9", "#d5b64c"),
    "wrong": ("#fbdcdc", "#d96b6b"),
    "not checked": ("#f3f4f5", "#c4c9cf"),
}
STATUS: dict[str, Pair] = {
    "added": ("#dcf3e0", "#62b174"),
    "removed": ("#fbdddd", "#d76060"),
    "changed": ("#fbf0c8", "#d2b040"),
    "": ("#fdfdfd", "#c9ced5"),
}

DARK = {
    "#e4edfa": "#1a2a40", "#8fb0dd": "#44638f",
    "#fdf3e3": "#33291a", "#e0bd84": "#7d6337",
    "#f0eafa": "#282240", "#b8a3dd": "#5f5089",
    "#e3f3f0": "#16302d", "#87c2b8": "#3a7169",
    "#fbeaec": "#3a2227", "#dda0a9": "#8a4d57",
    "#f2f4f6": "#21262d", "#bfc6cf": "#4b5460",
    "#faf7e1": "#2f2c17", "#d6cb85": "#756b31",
    "#e9f5ea": "#18301d", "#98c79d": "#3f7449", "#eaf5eb": "#18301e", "#98c79e": "#3f744a",
    "#f0f6e2": "#262e15", "#b4c982": "#61733a",
    "#fefefe": "#161b22", "#9aa3ae": "#6b7683",
    "#334155": "#cbd5e1", "#e9edf2": "#242b35", "#8e9bad": "#5d6b7d",
    "#fafafa": "#161b21", "#a1a1aa": "#6e7681",
    PAPER: "#0d1117", FRAME: "#131920", FRAME_BORDER: "#303944",
    INK: "#e6edf3", MUTED: "#9aa5b1", ON_OUTPUT: "#0d1116",
    EDGE: "#8593a5", BACK_EDGE: "#c08d4c", FAINT_EDGE: "#46525f",
    "#fcfaf7": "#191c21", "#fdf0df": "#2e2419", "#fbe0bf": "#44301c", "#f9cb98": "#5c3c1d",
    "#f5b16d": "#76491d", "#ee9549": "#91561c", HEAT_BORDER: "#6b5b45",
    "#def3e2": "#17331d", "#7fbf8b": "#3d7a49", "#fbf0c9": "#3a3315", "#d5b64c": "#8a742a",
    "#fbdcdc": "#451f20", "#d96b6b": "#b04a4a", "#f3f4f5": "#21262c", "#c4c9cf": "#4b535d",
    "#dcf3e0": "#17341e", "#62b174": "#3f8a50", "#fbdddd": "#451f21", "#d76060": "#b14848",
    "#fbf0c8": "#3a3316", "#d2b040": "#8a7328", "#fdfdfd": "#161b23", "#c9ced5": "#454e59",
}  # fmt: skip
