"""`neonate map`: what a run's hippocampus knows of its world, in one picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import matplotlib
import numpy as np
import tyro
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agent import Brain
from agent.grid_cells import GridCells
from policies import BrainAgent
from scripts.errors import UserError
from scripts.files import replacing
from scripts.rate_maps import autocorrelogram, grid_score, rate_map, spatial_information
from scripts.run_folder import RunFolder

matplotlib.use("Agg")

Array = NDArray[np.float64]

GRIDS = 3  # modules shown, from the finest on
NOISE = 0.1  # of the movement felt in the dark
BINS_PER_SPACING = 8
WALL = "#b3473d"
PLACE = "#2f6f8f"


@dataclass(frozen=True)
class Walk:
    """What was recorded while a trained brain went to its goals.

    Attributes:
        place: (t, 2) true places, m.
        grid: (t, phases) of the grid cells.
        activity: (t, cells) of the place cells.
        begins: (t,) whether an episode begins.

    """

    place: Array
    grid: Array
    activity: Array
    begins: NDArray[np.bool_]


@dataclass(frozen=True)
class Map:
    """Draw the map that a run has learnt: path, place cells and links, grid cells, replay."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Folder that `neonate train` wrote."""
    out: Path
    """Picture to write, *.png."""
    episodes: int = 20
    """Episodes to walk, with learning off."""
    seed: int = 30_000
    """Seed of the first episode; the others count up from it."""

    def run(self) -> None:
        """Do it."""
        if self.out.suffix != ".png":
            raise UserError(f"--out {self.out}: the name must end in .png")
        folder = RunFolder(self.folder)
        info = folder.read()
        if info.algo != "brain":
            raise UserError(f"{self.folder} is a run of {info.algo}: only a brain has a map")
        env = info.task()()
        agent = folder.load(info, env)
        assert isinstance(agent, BrainAgent)
        brain = agent.brain
        if not len(brain.hippocampus.map):
            raise UserError(
                f"{self.folder} has no map: its body does not go to places, or has not yet; train "
                "on a task that tells it of them, e.g. --env PointMaze_UMaze-v3 or "
                "neonate/CrawlMaze-v0"
            )
        walk = walked(brain, env, self.seed, self.episodes)
        env.close()
        title = f"{info.env}, {info.steps_done} steps, seed {info.seed}"
        figure, told = draw(brain, walk, title)
        self.out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.out) as beside:
            figure.savefig(beside, dpi=110, format="png")
        print(*told, f"wrote {self.out}", sep="\n")


def walked(brain: Brain, env: object, seed: int, episodes: int) -> Walk:
    """Let a brain go to the goals of some episodes, and record what its cells do."""
    place, grid, begins = [], [], []
    for episode in range(episodes):
        seen, _ = env.reset(seed=seed + episode)  # type: ignore[attr-defined]
        memory, start, over = brain.new_memory(1), np.ones(1, bool), False
        while not over:
            batch = {key: part[None] for key, part in seen.items()}
            action, memory = brain.act(batch, memory, start)
            place.append(seen["achieved_goal"])
            grid.append(memory["grid"][0])
            begins.append(bool(start[0]))
            start = np.zeros(1, bool)
            seen, _, ended, late, found = env.step(action[0])  # type: ignore[attr-defined]
            over = ended or late or bool(found.get("success", found.get("is_success")))
    phases = np.array(grid)
    activity = brain.hippocampus.map.activity(GridCells.features(phases))
    return Walk(np.array(place), phases, activity, np.array(begins))


def draw(brain: Brain, walk: Walk, title: str) -> tuple[Figure, list[str]]:
    """Draw everything, and tell its figures in lines."""
    figure = Figure(figsize=(17, 11), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(3, 4)
    _draw_path(axes[0, 0], walk)
    _draw_graph(axes[0, 1], brain)
    _draw_replay(axes[0, 2], brain)
    told = _draw_drift(axes[0, 3], brain, walk)
    cells, rates = brain.hippocampus.grid, brain.hippocampus.grid.rates(walk.grid)
    for module in range(GRIDS):
        size = float(cells.spacing[module]) / BINS_PER_SPACING
        found, _, *edges = rate_map(walk.place, rates[:, module], size)
        _draw_rates(axes[1, module], found, edges[0], edges[1])
        axes[1, module].set_title(f"grid cell, spacing {cells.spacing[module]:.2f} m")
        correlogram = autocorrelogram(found)
        score = grid_score(correlogram, 0.5 * BINS_PER_SPACING, 1.5 * BINS_PER_SPACING)
        axes[2, module].imshow(correlogram.T, origin="lower", cmap="viridis", vmin=-1, vmax=1)
        axes[2, module].set_title(f"its autocorrelogram, grid score {score:.2f}")
        told.append(f"grid cell, spacing {cells.spacing[module]:.2f} m: grid score {score:.2f}")
        axes[2, module].set_axis_off()
    _draw_place_cells(axes[1, 3], axes[2, 3], walk, brain.hippocampus.map.spacing)
    return figure, told


def _draw_rates(axes: Axes, rates: Array, x: Array, y: Array) -> None:
    axes.pcolormesh(x, y, rates.T, cmap="inferno", vmin=0.0)
    axes.set_aspect("equal")


def _draw_path(axes: Axes, walk: Walk) -> None:
    _, visits, x, y = rate_map(walk.place, np.ones(len(walk.place)), 0.2, smooth=0.0)
    axes.pcolormesh(x, y, np.where(visits > 0, visits, np.nan).T, cmap="Blues")
    for one in np.split(walk.place, np.flatnonzero(walk.begins)[1:]):
        axes.plot(one[:, 0], one[:, 1], color="0.25", lw=0.6)
    axes.set_aspect("equal")
    axes.set_title("occupancy and path, m")


def _draw_graph(axes: Axes, brain: Brain) -> None:
    world, walls = brain.hippocampus.map, brain.hippocampus.boundaries
    start, end = np.nonzero(np.triu(np.isfinite(world.links)))
    gone = world.walked[start, end]
    for chosen, colour in ((~gone, "0.8"), (gone, PLACE)):
        lines = np.stack([world.place[start[chosen]], world.place[end[chosen]]], axis=1)
        axes.add_collection(LineCollection(list(lines), colors=colour, linewidths=0.8))
    along = np.stack([-walls.normal[:, 1], walls.normal[:, 0]], axis=1)
    ends = walls.place + along * walls.left[:, None], walls.place - along * walls.right[:, None]
    axes.add_collection(LineCollection(list(np.stack(ends, axis=1)), colors=WALL, linewidths=2))
    axes.plot(world.place[:, 0], world.place[:, 1], "o", color=PLACE, ms=3)
    axes.set_aspect("equal")
    axes.set_title(f"{len(world)} place cells, walls felt (red)")


def _draw_replay(axes: Axes, brain: Brain) -> None:
    world = brain.hippocampus.map
    axes.plot(world.place[:, 0], world.place[:, 1], "o", color="0.85", ms=3)
    rng, colours = np.random.default_rng(0), matplotlib.colormaps["plasma"]
    for goal in rng.choice(len(world), min(4, len(world)), replace=False):
        length = world.distances(int(goal))
        start = int(np.argmax(np.where(np.isfinite(length), length, -1.0)))
        way = world.place[[start, *world.way(start, int(goal), most=len(world))]]
        axes.plot(way[:, 0], way[:, 1], color="0.6", lw=0.8)
        axes.scatter(way[:, 0], way[:, 1], c=colours(np.linspace(0, 0.9, len(way))), s=14, zorder=3)
    axes.set_aspect("equal")
    axes.set_title("replay of ways (dark first)")


def _draw_drift(axes: Axes, brain: Brain, walk: Walk) -> list[str]:
    """Draw how path integration goes astray, and say what it explains of the first minute."""
    cells, rng, told = brain.hippocampus.grid, np.random.default_rng(0), []
    motion = brain.travel.motion
    step = brain.crawling.step if motion is None else motion.step
    minute = max(1, round(60.0 / step))
    for noise, colour in ((0.0, PLACE), (NOISE, WALL)):
        errors, missed, varied = [], 0.0, 0.0
        for path in np.split(walk.place, np.flatnonzero(walk.begins)[1:]):
            phase, place, error = cells.encode(path[:1]), path[:1], [0.0]
            for moved in np.diff(path, axis=0):
                felt = moved[None] * (1.0 + noise * rng.normal(size=(1, 2)))
                phase = cells.integrate(phase, felt)
                place = cells.decode(phase, place + felt)
                error.append(float(np.linalg.norm(place - path[len(error)])))
            errors.append(error)
            missed += float(np.square(error[:minute]).sum())
            varied += float(np.square(path[:minute] - walk.place.mean(axis=0)).sum())
        longest = max(len(error) for error in errors)
        padded = np.full((len(errors), longest), np.nan)
        for row, error in zip(padded, errors, strict=True):
            row[: len(error)] = error
        mean, name = np.nanmean(padded, axis=0), f"{noise:.0%} noise in the movement felt"
        axes.plot(step * np.arange(longest), mean, color=colour, label=name)
        told.append(f"path integration, {name}: R² {1.0 - missed / varied:.4f} over 60 s")
    axes.set_xlabel("s in the dark")
    axes.set_ylabel("m")
    axes.legend(frameon=False)
    axes.set_title("error of path integration")
    return told


def _draw_place_cells(one: Axes, all_of_them: Axes, walk: Walk, spacing: float) -> None:
    size = 0.4 * spacing
    told: list[float] = []
    names: list[int] = []
    for cell in range(walk.activity.shape[1]):
        rates, visits, *edges = rate_map(walk.place, _firing(walk.activity[:, cell]), size, 0.0)
        if np.nanmax(rates) > 0.0:  # (Cells that were silent on this walk tell nothing)
            told.append(spatial_information(rates, visits))
            names.append(cell)
    best = int(np.argmax(_firing(walk.activity).sum(axis=0)))
    rates, _, *edges = rate_map(walk.place, _firing(walk.activity[:, best]), size, 0.0)
    _draw_rates(one, rates, edges[0], edges[1])
    one.set_title(f"place cell {best}, {told[names.index(best)]:.2f} bits per spike")
    all_of_them.hist(told, bins=20, color=PLACE)
    all_of_them.set_xlabel("spatial information of each place cell, bits per spike")


def _firing(activity: Array) -> Array:
    """Rates of place cells, which fire above half of what is usual within their field."""
    return np.maximum(activity - 0.8, 0.0)
