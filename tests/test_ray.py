"""A Ray cluster of two real nodes does what one machine does, and loses nothing with a node."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.cli import main

ray = pytest.importorskip("ray", reason="Ray is an extra: pip install 'neonate[ray]'")
cluster_utils = pytest.importorskip("ray.cluster_utils")

SLOW = '''
"""Notes on which node each run begins, and takes its time."""

import os
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium import spaces

FOLDER = Path(__file__).parent


class Slow(gym.Env):
    observation_space = spaces.Box(-1, 1, (2,))
    action_space = spaces.Box(-1, 1, (1,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None and seed < 100:  # a training seed
            import ray

            node = ray.get_runtime_context().get_node_id()
            with (FOLDER / "begun.txt").open("a") as file:
                file.write(f"{seed} {node}\\n")
            # (On the node that is to die a run lasts until then, however slow the machine is)
            time.sleep(200 if node == (FOLDER / "doomed.txt").read_text() else 2)
        self.left = 5
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.left -= 1
        pay = float(self.np_random.uniform()) - float(action[0]) ** 2
        return np.zeros(2, np.float32), pay, self.left == 0, False, {}


gym.register("Slow-v0", Slow)
'''


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["cluster_utils.Cluster"]:
    """Start two nodes of one core each, which see this project and the slow environment."""
    import os

    root = str(Path(__file__).resolve().parent.parent)
    paths = os.pathsep.join([root, str(tmp_path), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", paths)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "slow_env.py").write_text(SLOW)
    small = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=small)
    try:
        cluster.add_node(**{k: v for k, v in small.items() if k != "include_dashboard"})
        cluster.wait_for_nodes()
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_a_node_that_dies_loses_no_result(
    cluster: "cluster_utils.Cluster",
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = "evaluate --env Slow-v0 --env-package slow_env --algos sac random --steps sac=10 1"
    words += " --seeds sac=5 2 --eval-seed 70000 --eval-episodes 2 --eval-every 10"
    monkeypatch.setattr("sys.argv", ["neonate", *words.split()])
    begun = tmp_path / "begun.txt"
    head, second = cluster.head_node, list(cluster.worker_nodes)[0]  # noqa: RUF015
    (tmp_path / "doomed.txt").write_text(second.node_id)

    def kill_in_the_middle() -> None:
        deadline = time.monotonic() + 900
        while time.monotonic() < deadline:
            if begun.exists() and second.node_id in begun.read_text():
                cluster.remove_node(second, allow_graceful=False)
                return
            time.sleep(0.05)

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    out = tmp_path / "ray"
    where = ["--launcher", "ray", "--ray-address", cluster.address]
    assert main([*words.split(), "--out", str(out), *where]) == 0
    killer.join()
    told = [line.split() for line in begun.read_text().splitlines()]
    lost = [seed for seed, node in told if node == second.node_id]
    assert lost, "the second node was to begin something before it died"
    assert [lost[-1], head.node_id] in told  # begun anew where there was still a node
    on_ray = json.loads((out / "results.json").read_text())
    assert [(r["algo"], r["seed"]) for r in on_ray] == [
        *(("sac", seed) for seed in range(5)),
        ("random", 0),
        ("random", 1),
    ]
    assert not (out / "failures.json").exists()
    assert all("ray" not in r["command"] for r in on_ray)

    # The same on this machine is the same file, but for the seconds that a run took.
    here = tmp_path / "here"
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(ray, "get_runtime_context", lambda: cluster.head_node)
    monkeypatch.setattr(type(cluster.head_node), "get_node_id", lambda self: "", raising=False)
    assert main([*words.split(), "--out", str(here), "--jobs", "1"]) == 0
    local = json.loads((here / "results.json").read_text())
    for record in on_ray + local:
        for point in record["curve"]:
            del point["cpu_seconds"]
    assert on_ray == local


def test_a_cluster_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "evaluate --env Reacher-v5 --algos random --seeds 1 --eval-episodes 1 --launcher ray"
    where = ["--ray-address", "127.0.0.1:1", "--out", str(tmp_path)]
    assert main([*words.split(), *where]) == 2
    assert "--ray-address 127.0.0.1:1" in capsys.readouterr().err
