"""The records as matplotlib figures. Each contestant has one colour in all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .contestants import OURS
from .records import Record

COLOURS = {  # of Okabe and Ito, for colour-blind readers too
    "torch": "#D55E00",
    "torch channels-last": "#E69F00",
    "torch.compile": "#8C510A",
    "jax": "#0072B2",
    "autograd": "#009E73",
    "mygrad": "#CC79A7",
    "vectorized": "#56B4E9",
    "compiled": "#000000",
}
MARKERS = {"vectorized": "o", "compiled": "D"}


def save(results: Record, path: str) -> list[str]:
    """Draw the rows to `path`, and scaling and micro rows to FILE-scaling and FILE-micro.

    Returns the names of the written files.
    """
    import matplotlib

    matplotlib.use("Agg")
    given, written = Path(path), []
    for name, draw, suffix in (
        ("rows", _rows, ""),
        ("scaling", _scaling, "-scaling"),
        ("micro", _micro, "-micro"),
    ):
        if results.get(name):
            figure = draw(results[name])
            file = given.with_name(given.stem + suffix + given.suffix)
            figure.savefig(file, dpi=150, bbox_inches="tight")
            written.append(str(file))
    return written


def _figure(*size: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    return figure, figure.subplots()


def _rows(rows: list[Record]) -> Any:
    """For each rival a dot at our ratio to it, the quartiles as a bar, the target as a tick."""
    rows = [r for r in rows if any(e["rival"] for e in r["against"])]
    sets = [k for k in OURS if any(e["ours"] == k for r in rows for e in r["against"])]
    heights = [max(1, len([e for e in r["against"] if e["rival"]])) for r in rows]
    figure, axes = _figure(9, 1.5 + 0.13 * sum(heights) + 0.12 * len(rows))
    y, labels, seen = 0.0, [], set()
    for row, height in zip(rows, heights, strict=True):
        top = y
        for entry in row["against"]:
            if not entry["rival"]:
                continue
            colour, marker = COLOURS[entry["rival"]], MARKERS[entry["ours"]]
            filled = colour if entry["shown"] else "white"
            axes.plot(entry["quartiles"], [y, y], color=colour, linewidth=2, alpha=0.5)
            axes.plot(entry["ratio"], y, marker, color=colour, markersize=4.5, mfc=filled)
            if entry["target"] is not None:
                axes.plot([entry["target"]] * 2, [y - 0.5, y + 0.5], color="black", linewidth=1.5)
            seen.add(entry["rival"])
            y += 1
        labels.append((top + (height - 1) / 2, row["name"]))
        y += 1
        axes.axhline(y - 1, color="#dddddd", linewidth=0.6, zorder=0)
    axes.set_xscale("log")
    axes.axvline(1, color="#888888", linewidth=1, zorder=0)
    axes.set_yticks([at for at, _ in labels], [name for _, name in labels], fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(y, -1.5)
    _plain_ticks(axes.xaxis)
    axes.set_xlabel(
        "our time or memory over the rival's (below 1 is less); bars: quartiles over rounds"
    )
    handles = [_key(name, COLOURS[name], "o") for name in COLOURS if name in seen]
    handles += [_key(k, "#555555", MARKERS[k]) for k in sets]
    handles += [
        _key("not the best of its family", "#555555", "o", "white"),
        _key("target", "k", "|"),
    ]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    return figure


def _plain_ticks(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(LogLocator(subs=()))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))


def _key(label: str, colour: str, marker: str, filled: str | None = None) -> Any:
    from matplotlib.lines import Line2D

    large = 9 if marker == "|" else 5
    return Line2D(
        [], [], color=colour, marker=marker, linestyle="", label=label, markersize=large,
        mfc=filled or colour, mew=1.5 if marker == "|" else 1,
    )  # fmt: skip


def _scaling(records: list[Record]) -> Any:
    """Time (above) and memory (below) against size, on logarithmic scales, with the exponents."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(records), 7), layout="constrained")
    panels = figure.subplots(2, len(records), squeeze=False)
    for k, record in enumerate(records):
        for axes, metric, unit in ((panels[0, k], "time", "ms"), (panels[1, k], "memory", "MiB")):
            for name, metrics in record["contestants"].items():
                if metric not in metrics:
                    continue
                pairs = zip(record["sizes"], metrics[metric]["medians"], strict=True)
                points = [(n, v) for n, v in pairs if v is not None and v > 0]
                fit = metrics[metric]["exponent"]
                label = f"{name}: {fit['upper'][1]:.2f}" if fit else name
                if points:
                    axes.plot(*zip(*points, strict=True), "o-", color=COLOURS[name],
                              markersize=3.5, linewidth=1.2, label=label)  # fmt: skip
            axes.set(xscale="log", yscale="log", xlabel=record["name"], ylabel=f"{metric}, {unit}")
            axes.grid(color="#eeeeee")
            if axes.lines:
                axes.legend(fontsize=7, title="exponent, larger sizes", title_fontsize=7)
    return figure


def _micro(records: list[Record]) -> Any:
    """For each kernel a dot at its share of the machine's peak, with quartiles as a bar."""
    figure, axes = _figure(8, 1.5 + 0.24 * len(records))
    seen = set()
    for y, record in enumerate(records):
        for name, found in record["contestants"].items():
            axes.plot(found["quartiles"], [y, y], color=COLOURS[name], linewidth=2, alpha=0.5)
            axes.plot(found["share"], y, "o", color=COLOURS[name], markersize=4.5)
            seen.add(name)
    axes.axvline(1, color="#888888", linewidth=1, zorder=0)
    axes.set_yticks(range(len(records)), [record["name"] for record in records], fontsize=8)
    axes.set_ylim(len(records) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.grid(color="#eeeeee")
    axes.set_axisbelow(True)
    axes.set_xlabel("share of the machine's peak: least possible time over measured time")
    handles = [_key(name, COLOURS[name], "o") for name in COLOURS if name in seen]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8)
    return figure
