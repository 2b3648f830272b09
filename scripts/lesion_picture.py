"""The picture of `neonate lesion`: each region's cost, from birth and after learning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # a picture is written, no window is opened

import numpy as np
from matplotlib import pyplot as plt

from scripts.files import replacing

KINDS = (("from birth", "#D55E00", "o"), ("after learning", "#0072B2", "s"))


def plot_lesions(path: Path, document: Mapping[str, Any]) -> None:
    """Write one picture: the return without each region, every seed, and the intact brain's."""
    rows, regions = document["table"], list(document["regions"])
    intact = next((row for row in rows if row["lesion"] == "intact"), None)
    size = (7.6, 1.6 + 0.42 * len(regions))
    with plt.rc_context({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axis = plt.subplots(figsize=size, layout="constrained")
        if intact is not None:
            axis.axvline(intact["return"], color="#555555", linewidth=1.2, label="intact")
            if intact["return_low"] is not None:
                axis.axvspan(
                    intact["return_low"], intact["return_high"], color="#555555", alpha=0.12
                )
        for k, (when, colour, marker) in enumerate(KINDS):
            for row in (r for r in rows if r["when"] == when and r["lesion"] in regions):
                y = regions.index(row["lesion"]) + (k - 0.5) * 0.32
                seeds = [
                    run["return_mean"]
                    for run in document["runs"]
                    if run["lesion"] == row["lesion"] and run["when"] == when
                ]
                axis.plot(seeds, np.full(len(seeds), y), ".", color=colour, alpha=0.35)
                low, high = row["return_low"], row["return_high"]
                if low is not None:
                    axis.plot([low, high], [y, y], color=colour, linewidth=1.6)
                face = colour if row["costs"] else "white"
                axis.plot(row["return"], y, marker, color=colour, markerfacecolor=face)
        for when, colour, marker in KINDS:
            axis.plot([], [], marker, color=colour, label=f"lesion {when}")
        axis.plot([], [], "o", color="#555555", markerfacecolor="white", label="no cost shown")
        axis.set_yticks(range(len(regions)), [name.replace("_", " ") for name in regions])
        axis.invert_yaxis()
        axis.set(
            xlabel="return per episode",
            title=f"{document['env']}, {document['steps']:,} steps, without each region",
        )
        returns = [run["return_mean"] for run in document["runs"]]
        low, high = min(returns), max(returns)
        room = 0.06 * max(high - low, 1e-9)
        axis.set_xlim(low - room, high + room)
        axis.grid(axis="x", alpha=0.25, linewidth=0.6)
        figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
        with replacing(path) as beside:
            figure.savefig(beside, dpi=130, metadata={"Software": None})
        plt.close(figure)
