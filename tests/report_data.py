"""A folder with one of everything that a report can show, some of it hostile or damaged."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import matplotlib
import numpy as np

from scripts.versions import versions

matplotlib.use("Agg")
from matplotlib import pyplot as plt

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=alert(1)>"


def record(
    algo: str,
    seed: int,
    returns: Sequence[float],
    every: int = 100,
    env: str = "Some-v0",
    success: float | None = None,
    lesions: Sequence[str] = (),
) -> dict[str, Any]:
    """Spell a finished run; pd and random do not learn."""
    learnt = algo not in ("pd", "random")
    curve = [
        {
            "steps": every * (i + 1) if learnt else 0,
            "cpu_seconds": 0.01 * every * (i + 1) if learnt else 0.0,
            "return_mean": value,
            "return_std": 1.0,
            "success_rate": success,
        }
        for i, value in enumerate(returns)
    ]
    return {
        "schema": 1,
        "env": env,
        "env_kwargs": {},
        "algo": algo,
        "seed": seed,
        "steps": every * len(returns) if learnt else 0,
        "eval": {"every": every, "episodes": 50, "first_seed": 20_000},
        "settings": {"lesions": list(lesions)} if algo == "brain" else {},
        "versions": versions(),
        "command": f"neonate evaluate --env {env} --out results/some",
        "curve": curve,
    }


def comparison(env: str, success: float | None = None) -> list[dict[str, Any]]:
    """Spell a comparison: brain and SAC with three seeds, random with one."""
    seeds = range(3)
    return [
        *(record("brain", s, [-9 - s, -3 - s], 100, env, success) for s in seeds),
        *(record("sac", s, [-30 - s, -8 - s, -5 - s], 1000, env, success) for s in seeds),
        record("random", 0, [-40], 1, env, None if success is None else 0.0),
    ]


def write(path: Path, value: Any) -> None:
    """Write JSON into a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def film(path: Path, seconds: float = 1.0) -> None:
    """Write a short video of a moving square."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = imageio_ffmpeg.write_frames(str(path), (160, 96), fps=25)
    writer.send(None)
    for i in range(round(25 * seconds)):
        picture = np.full((96, 160, 3), 40, np.uint8)
        picture[20:60, 4 * i : 4 * i + 40] = (230, 120, 30)
        writer.send(picture)
    writer.close()


def fill(root: Path) -> None:
    """Fill a folder with one of everything."""
    write(root / "some" / "results.json", comparison("Some-v0"))
    write(root / "other" / "results.json", comparison("Other-v0", success=0.5))
    (root / "some" / "summary.csv").write_text("algo\nbrain\n")
    for lesion in ((), ("critic",), ("cerebellum",)):
        name = lesion[0] if lesion else "intact"
        runs = [
            record("brain", s, [-20.0 - s] if lesion else [-3.0], lesions=lesion) for s in (0, 1)
        ]
        write(root / "lesions" / f"some-{name}" / "results.json", runs)
    study = {"return": -4.0, "return_low": -5.0, "return_high": -3.0, "seeds": 3}
    table = [
        {"lesion": "intact", "when": "from birth", **study, "costs": False},
        {"lesion": "cerebellum", "when": "from birth", **study, "costs": True},
        {"lesion": "cerebellum", "when": "after learning", **study, "costs": True},
    ]
    document = {
        "schema": 1,
        "env": "Lesioned-v0",
        "steps": 1000,
        "table": table,
        "runs": [{"a": 1}],
    }
    write(
        root / "study" / "lesions.json", {**document, "command": "neonate lesion --env Lesioned-v0"}
    )
    (root / "study" / "lesions.csv").write_text("lesion\nintact\n")
    kept = {"return": 90.0, "retained_low": 0.8, "retained_high": 1.0}
    table = [
        {"algo": "brain", "disturbance": "clean", "learn_on": 0, **kept, "retained": 1.0},
        {"algo": "brain", "disturbance": "push", "learn_on": 0, **kept, "retained": 0.875},
        {"algo": "ppo", "disturbance": "push", "learn_on": 0, **kept, "retained": 0.4},
        {"algo": "brain", "disturbance": "push", "learn_on": 500, **kept, "retained": 0.95},
    ]
    write(root / "robust" / "robustness.json", {"env": "Pushed-v0", "table": table})
    write(root / "benchmark.json", {"envs": {"Some-v0": {"median": {"act_us": 12.5}}}})
    (root / "adapt.csv").write_text("trial,error\n1,30\n2,11.5\n")
    film(root / "films" / "arm.mp4")
    figure = plt.figure(figsize=(1, 1))
    figure.savefig(root / "map.png")
    plt.close(figure)
    write(root / "hostile" / "results.json", [record("brain", 0, [-1.0], env=HOSTILE)])
    (root / "damaged").mkdir()
    (root / "damaged" / "results.json").write_text('[{"curve": ')
    broken = [{"algo": "sac", "seed": 4, "error": "RuntimeError: no"}]
    write(root / "some" / "failures.json", broken)
    shard = root / "some" / "shard-1-of-2"
    write(shard / "results.json", comparison("Twice-v0"))
