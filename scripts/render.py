"""`neonate render`: film a trained run."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import imageio_ffmpeg
import numpy as np
import tyro
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv

from scripts.errors import UserError
from scripts.files import replacing
from scripts.run_folder import RunFolder
from scripts.tasks import Task

MOST_FRAMES_PER_SECOND = 50  # a screen shows no more
PAUSE = 0.4  # (Seconds) the last picture of an episode stays


@dataclass(frozen=True)
class Render:
    """Film what a run has learnt, as mp4, without a display. Says what each episode came to."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Folder that `neonate train` wrote."""
    out: Path
    """Video to write, *.mp4."""
    episodes: int = 5
    """Episodes to film."""
    seed: int = 30_000
    """Seed of the first episode; the others count up from it."""
    width: int = 1280
    """Of the picture in pixels, where the environment lets one choose; even."""
    height: int = 720
    """Of the picture in pixels, where the environment lets one choose; even."""
    overwrite: bool = False
    """Replace the video if it exists."""

    def run(self) -> None:
        """Do it."""
        self._check()
        folder = RunFolder(self.folder)
        info = folder.read()
        env = filmed(info.task(), self.width, self.height)
        console = Console()
        try:
            bodies = DummyVecEnv([lambda: env])
            agent = folder.load(info, bodies)
            rate = float(env.metadata.get("render_fps", 30))
            stride = math.ceil(rate / MOST_FRAMES_PER_SECOND)
            self.out.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.out) as beside:
                video = Video(beside, rate / stride)
                for i in track(range(self.episodes), "filming", console=console, transient=True):
                    episode = Episode(agent, env, self.seed + i, stride)
                    for picture in episode:
                        video.add(picture)
                    video.hold(PAUSE)
                    console.print(episode.summary(), highlight=False)
                video.close()
        finally:
            env.close()
        console.print(
            f"wrote {self.out}: {video.frames / video.rate:.1f} s, "
            f"{video.size[0]} × {video.size[1]} at {video.rate:g} frames per second",
            soft_wrap=True,
            highlight=False,
        )

    def _check(self) -> None:
        if self.out.suffix != ".mp4":
            raise UserError(f"--out {self.out}: the name must end in .mp4")
        if self.out.exists() and not self.overwrite:
            raise UserError(f"--out {self.out} exists: add --overwrite, or name another file")
        if self.episodes < 1:
            raise UserError(f"--episodes {self.episodes}: must be at least 1")
        for flag, size in (("width", self.width), ("height", self.height)):
            if size < 2 or size % 2:
                raise UserError(f"--{flag} {size}: must be even, e.g. 720")


class Episode:
    """One episode of a frozen algorithm, picture by picture: one every `stride` steps."""

    def __init__(self, agent: BaseAlgorithm, env: gym.Env, seed: int, stride: int = 1) -> None:
        self.agent, self.env, self.seed, self.stride = agent, env, seed, stride
        self.total, self.steps, self.success = 0.0, 0, None

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the picture of the start, of some steps and of the end, (height, width, 3)."""
        observation, _ = self.env.reset(seed=self.seed)
        normaliser = self.agent.get_vec_normalize_env()
        state, start, over = None, np.ones(1, dtype=bool), False
        yield self._picture()
        while not over:
            batch: Any = _batch(observation)
            if normaliser is not None:
                batch = normaliser.normalize_obs(batch)
            action, state = self.agent.predict(batch, state, start, deterministic=True)
            observation, reward, terminated, truncated, info = self.env.step(action[0])
            self.total += float(reward)
            self.steps += 1
            self.success = info.get("is_success")
            over, start = terminated or truncated, np.zeros(1, dtype=bool)
            if over or self.steps % self.stride == 0:
                yield self._picture()

    def summary(self) -> str:
        """Say what the episode came to."""
        text = f"episode {self.seed}: return {self.total:.3f} in {self.steps} steps"
        if self.success is None:
            return text
        return f"{text}, {'success' if self.success else 'no success'}"

    def _picture(self) -> NDArray[np.uint8]:
        picture = self.env.render()
        if not isinstance(picture, np.ndarray):
            raise UserError(f"{self.env} draws no picture in render_mode rgb_array")
        return picture


class Video:
    """An mp4 file that grows picture by picture. The first one decides its size."""

    def __init__(self, path: Path, rate: float) -> None:
        self.path, self.rate, self.frames = path, rate, 0
        self.size = (0, 0)
        self._writer: Any = None
        self._last = b""

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Append one picture (height, width, 3)."""
        if self._writer is None:
            self.size = (picture.shape[1], picture.shape[0])
            self._writer = imageio_ffmpeg.write_frames(
                str(self.path), self.size, fps=self.rate, quality=8, macro_block_size=2
            )
            self._writer.send(None)  # starts the encoder
        self._last = np.ascontiguousarray(picture).tobytes()
        self._send()

    def hold(self, seconds: float) -> None:
        """Let the last picture stay."""
        for _ in range(round(seconds * self.rate)):
            self._send()

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()

    def _send(self) -> None:
        self._writer.send(self._last)
        self.frames += 1


def filmed(task: Task, width: int, height: int) -> gym.Env:
    """Make an environment that draws; at the size asked for where its maker takes one."""
    try:
        return task(render_mode="rgb_array", width=width, height=height)
    except UserError:  # it does not know width and height
        return task(render_mode="rgb_array")


def _batch(observation: Any) -> Any:
    if isinstance(observation, dict):
        return {key: np.asarray(part)[None] for key, part in observation.items()}
    return np.asarray(observation)[None]
