"""The picture of `neonate robustness`: what share of the clean score is left."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # a picture is written, no window is opened

from matplotlib import pyplot as plt

from scripts.curves import COLOURS, LABELS, MARKERS
from scripts.files import replacing


def plot_robustness(path: Path, document: Mapping[str, Any]) -> None:
    """Write one picture: a row for each disturbance, a mark for each algorithm.

    Where clean scores are not positive and a share would say nothing, it is the return itself.
    """
    rows = [row for row in document["table"] if row["disturbance"] != "clean"]
    algos = list(dict.fromkeys(row["algo"] for row in document["table"]))
    shares = bool(rows) and all("retained" in row for row in rows)
    metric, scale = ("retained", 100.0) if shares else ("return", 1.0)
    lines = list(dict.fromkeys((row["disturbance"], row["learn_on"]) for row in rows))
    size = (9.2, 1.9 + 0.44 * len(lines))
    with plt.rc_context({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axis = plt.subplots(figsize=size, layout="constrained")
        for k, algo in enumerate(algos):
            colour, marker = COLOURS.get(algo, "#8C8C8C"), MARKERS.get(algo, "o")
            for row in (r for r in rows if r["algo"] == algo):
                line = lines.index((row["disturbance"], row["learn_on"]))
                y = line + (k - 0.5 * (len(algos) - 1)) * 0.2
                low, high = row[f"{metric}_low"], row[f"{metric}_high"]
                if low is not None:
                    axis.plot([scale * low, scale * high], [y, y], color=colour, linewidth=1.5)
                axis.plot(scale * row[metric], y, marker, color=colour)
            axis.plot([], [], marker, color=colour, label=LABELS.get(algo, algo.upper()))
        labels = []
        for name, learn_on in lines:
            learnt = f"\n{learn_on:,} steps lived with it" if learn_on else ""
            labels.append(document["disturbances"].get(name, name) + learnt)
        axis.set_yticks(range(len(lines)), labels)
        axis.invert_yaxis()
        if shares:
            values = [100.0 * row["retained"] for row in rows]
            axis.axvline(100.0, color="#555555", linewidth=1.0)
            axis.set_xlim(min(0.0, *values) - 5.0, max(110.0, *values) + 5.0)
        axis.set(
            xlabel="share of the clean score, %" if shares else "return per episode",
            title=f"{document['env']}, trained undisturbed",
        )
        axis.grid(axis="x", alpha=0.25, linewidth=0.6)
        figure.legend(loc="outside lower center", ncols=len(algos), frameon=False, fontsize=10)
        with replacing(path) as beside:
            figure.savefig(beside, dpi=130, metadata={"Software": None})
        plt.close(figure)
