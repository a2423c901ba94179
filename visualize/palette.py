"""The colours, each with its counterpart for a dark page.

The fill and border of a box show its kind, or with `heat` the measurement. Text has a contrast of
at least 4.5 to 1 on each fill, on light and on dark pages.
"""

from __future__ import annotations

Pair = tuple[str, str]  # fill, border

_LEARNED: Pair = ("#e4edfa", "#366ab2")
_ELEMENTWISE: Pair = ("#fdf3e3", "#b4812d")
_REDUCED: Pair = ("#fbeaec", "#be495a")
_MOVED: Pair = ("#f2f4f6", "#7e8c9e")

# Of ops, by the module of `tinygrad_cnn.ops` that defines them.
FAMILIES: dict[str, Pair] = {
    **dict.fromkeys(("conv", "linear", "embedding", "recurrent"), _LEARNED),
    **dict.fromkeys(("elementwise", "arithmetic", "activation", "special", "gamma"), _ELEMENTWISE),
    **dict.fromkeys(("reduce", "softmax", "loss", "scan", "distance"), _REDUCED),
    **dict.fromkeys(("shape", "sparse", "sampling", "windows"), _MOVED),
    "pool": ("#f0eafa", "#8864c6"),
    "norm": ("#e3f3f0", "#488e83"),
}
OTHER: Pair = ("#faf7e1", "#6f6520")
KIND_COLOURS: dict[str, Pair] = {
    "parameter": ("#e9f5ea", "#53995b"),
    "leaf": ("#f0f6e2", "#7a9340"),
    "constant": ("#fefefe", "#86909e"),
    "output": ("#334155", "#334155"),
    "module": ("#e9edf2", "#79889e"),
    "gradient": ("#eaf5eb", "#53995c"),
    "cut": ("#fafafa", "#8f8f9a"),
}
PAPER, FRAME, FRAME_BORDER = "#ffffff", "#f8fafb", "#b9c3ce"
INK, MUTED, ON_OUTPUT = "#0f172a", "#5b6572", "#f8fafc"
EDGE, BACK_EDGE, FAINT_EDGE = "#64748b", "#b07d3c", "#838f9f"

# Of signed numbers: below 0, at 0, above 0. The web pages have the same two.
NEGATIVE, ZERO, POSITIVE = "#1f55a0", "#e2e5e9", "#d9761a"

# From zero to the largest measurement.
HEAT = ("#fcfaf7", "#fdf0df", "#fbe0bf", "#f9cb98", "#f5b16d", "#ee9549")
HEAT_BORDER = "#cdb08f"
VERDICTS: dict[str, Pair] = {
    "right": ("#def3e2", "#4b975a"),
    "doubtful": ("#fbf0c9", "#a18526"),
    "wrong": ("#fbdcdc", "#d45858"),
    "not checked": ("#f3f4f5", "#838d9a"),
}
STATUS: dict[str, Pair] = {
    "added": ("#dcf3e0", "#4b975c"),
    "removed": ("#fbdddd", "#d55959"),
    "changed": ("#fbf0c8", "#a28526"),
    "follows": ("#fdfaea", "#8c8a70"),
    "": ("#fdfdfd", "#8591a0"),
}

DARK = {
    "#e4edfa": "#1a2a40", "#366ab2": "#7593be",
    "#fdf3e3": "#33291a", "#b4812d": "#8f723f",
    "#f0eafa": "#282240", "#8864c6": "#8778b0",
    "#e3f3f0": "#16302d", "#488e83": "#45877d",
    "#fbeaec": "#3a2227", "#be495a": "#b57a84",
    "#f2f4f6": "#21262d", "#7e8c9e": "#667282",
    "#faf7e1": "#2f2c17", "#6f6520": "#a3975a",
    "#e9f5ea": "#18301d", "#53995b": "#468151", "#eaf5eb": "#18301e", "#53995c": "#468152",
    "#f0f6e2": "#262e15", "#7a9340": "#697c3f",
    "#fefefe": "#161b22", "#86909e": "#6b7683",
    "#334155": "#cbd5e1", "#e9edf2": "#242b35", "#79889e": "#67768a",
    "#fafafa": "#161b21", "#8f8f9a": "#6e7681",
    PAPER: "#0d1117", FRAME: "#131920", FRAME_BORDER: "#3d4753",
    INK: "#e6edf3", MUTED: "#9aa5b1", ON_OUTPUT: "#0d1116",
    EDGE: "#8593a5", BACK_EDGE: "#c08d4c", FAINT_EDGE: "#5f6d7c",
    "#fcfaf7": "#191c21", "#fdf0df": "#2e2419", "#fbe0bf": "#44301c", "#f9cb98": "#5c3c1d",
    "#f5b16d": "#76491d", "#ee9549": "#91561c", HEAT_BORDER: "#6b5b45",
    "#def3e2": "#17331d", "#4b975a": "#428550", "#fbf0c9": "#3a3315", "#a18526": "#927b2c",
    "#fbdcdc": "#451f20", "#d45858": "#b85656", "#f3f4f5": "#21262c", "#838d9a": "#66717f",
    "#dcf3e0": "#17341e", "#4b975c": "#3f8a50", "#fbdddd": "#451f21", "#d55959": "#ba5555",
    "#fbf0c8": "#3a3316", "#a28526": "#937b2b", "#fdfaea": "#23211a", "#8c8a70": "#7b795f",
    "#fdfdfd": "#161b23", "#8591a0": "#5d6978",
}  # fmt: skip
