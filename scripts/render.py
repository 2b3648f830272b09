"""`neonate render`: film a trained run, and what its brain does."""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import gymnasium as gym
import mujoco
import numpy as np
import tyro
from PIL import Image
from rich.console import Console
from rich.progress import track
from stable_baselines3.common.vec_env import DummyVecEnv

from envs.body_disturbances import trunk_index
from scripts import brain_video
from scripts.errors import UserError
from scripts.files import replacing
from scripts.run_folder import RunFolder, RunInfo
from scripts.tasks import Task
from scripts.video import SUFFIXES, Video
from scripts.watching import Picture, Watched

MOST_FRAMES_PER_SECOND = 50  # a screen shows no more
PAUSE = 0.4  # (Seconds) the last picture of an episode stays


@dataclass(frozen=True)
class Render:
    """Film what a run has learnt, without a display. Says what each episode came to.

    With --brain the robot is shown beside what its brain does: the motor program that is gated and
    when a movement is let go, dopamine, what is felt against what was predicted or wanted, commands
    and their correction, and the way to the goal. With --compare two runs live through the same
    episodes side by side.
    """

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Folder that `neonate train` wrote."""
    out: Path
    """Video to write, *.mp4 or *.gif."""
    brain: bool = False
    """Show what the brain does; of another algorithm only its commands and rewards."""
    compare: Path | None = None
    """Another run of the same environment, to be shown beside the first."""
    learning: bool = False
    """Let brains explore and learn on while they are filmed; the runs stay as they are."""
    episodes: int = 5
    """Episodes to film."""
    steps: int = 0
    """Steps of an episode to film; 0 for all."""
    seed: int = 30_000
    """Seed of the first episode; the others count up from it."""
    speed: float = 1.0
    """How fast the film runs; 0.5 is half as fast as life."""
    width: int = 1280
    """Of the picture in pixels, where the environment lets one choose; even."""
    height: int = 720
    """Of the picture in pixels, where the environment lets one choose; even."""
    overwrite: bool = False
    """Replace the video if it exists."""

    def run(self) -> None:
        """Do it."""
        self._check()
        folders = [RunFolder(self.folder)]
        if self.compare is not None:
            folders.append(RunFolder(self.compare))
        infos = [folder.read() for folder in folders]
        if len(infos) == 2 and infos[0].task() != infos[1].task():
            raise UserError(
                f"--compare {self.compare}: that run is of {infos[1].env}, the other one of "
                f"{infos[0].env}, or of other options; compare runs of the same environment"
            )
        console = Console()
        with ExitStack() as stack:
            watched = []
            rate, stride = 0.0, 1
            for folder, info in zip(folders, infos, strict=True):
                env = filmed(info.task(), *self._robot_size())
                stack.callback(env.close)
                rate = self.speed * float(env.metadata.get("render_fps", 30))
                stride = math.ceil(rate / MOST_FRAMES_PER_SECOND)
                agent = folder.load(info, DummyVecEnv([lambda env=env: env]))  # type: ignore[misc]
                watched.append(Watched(agent, env, stride, self.brain, self.learning))
            pictures = self._pictures(watched, [title(info) for info in infos])
            self.out.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.out) as beside:
                video = Video(beside, rate / stride)
                seeds = range(self.seed, self.seed + self.episodes)
                for seed in track(seeds, "filming", console=console, transient=True):
                    for picture in pictures(seed):
                        video.add(picture)
                    video.hold(PAUSE)
                    for info, one in zip(infos, watched, strict=True):
                        who = f"{info.algo}, " if len(infos) == 2 else ""
                        console.print(f"{who}{one.summary()}", highlight=False)
                video.close()
        console.print(
            f"wrote {self.out}: {video.frames / video.rate:.1f} s, "
            f"{video.size[0]} × {video.size[1]} at {video.rate:g} frames per second",
            soft_wrap=True,
            highlight=False,
        )

    @property
    def _composed(self) -> bool:
        """Whether a picture is more than the environment's own."""
        return self.brain or self.compare is not None

    def _robot_size(self) -> tuple[int, int]:
        if not self._composed:
            return self.width, self.height
        return brain_video.robot_size(1 if self.compare is None else 2, self.brain)

    def _pictures(self, watched: list[Watched], titles: list[str]) -> "PicturesOf":
        return PicturesOf(
            watched,
            brain_video.panes(watched, titles, self.brain) if self._composed else None,
            self.steps,
            (self.width, self.height),
        )

    def _check(self) -> None:
        if self.out.suffix not in SUFFIXES:
            raise UserError(f"--out {self.out}: the name must end in {' or '.join(SUFFIXES)}")
        if self.out.exists() and not self.overwrite:
            raise UserError(f"--out {self.out} exists: add --overwrite, or name another file")
        if self.episodes < 1:
            raise UserError(f"--episodes {self.episodes}: must be at least 1")
        if self.steps < 0:
            raise UserError(f"--steps {self.steps}: must be at least 0")
        if not 0.01 <= self.speed <= 100:
            raise UserError(f"--speed {self.speed}: must be from 0.01 to 100")
        for flag, size in (("width", self.width), ("height", self.height)):
            if size < 2 or size % 2:
                raise UserError(f"--{flag} {size}: must be even, e.g. 720")


class PicturesOf:
    """The pictures of one episode after the other."""

    def __init__(
        self,
        watched: list[Watched],
        panes: list[brain_video.Pane] | None,
        steps: int,
        size: tuple[int, int],
    ) -> None:
        self.watched, self.panes, self.size = watched, panes, size
        for one in watched:
            one.most_steps = steps

    def __call__(self, seed: int) -> Iterator[Picture]:
        """Yield them, as the environment draws them or composed."""
        if self.panes is None:
            for moment in self.watched[0].episode(seed):
                if moment.picture is not None:
                    yield moment.picture
            return
        for picture in brain_video.film(self.panes, seed):
            if self.size == (brain_video.WIDTH, brain_video.HEIGHT):
                yield picture
            else:
                image = Image.fromarray(picture).resize(self.size, Image.Resampling.LANCZOS)
                yield np.asarray(image)


def title(info: RunInfo) -> str:
    """Say who is filmed."""
    lesions = info.settings.get("lesions", ()) if info.algo == "brain" else ()
    without = f" without {', '.join(lesions)}" if lesions else ""
    name = info.algo if info.algo == "brain" else info.algo.upper()
    return f"{name}{without}   {info.env}   after {info.steps_done:,} steps"


def filmed(task: Task, width: int, height: int) -> gym.Env:
    """Make an environment that draws; at the size asked for where its maker takes one.

    A camera that stands free and would lose a travelling body follows its trunk.
    """
    try:
        env = task(render_mode="rgb_array", width=width, height=height)
    except UserError:  # it does not know width and height
        env = task(render_mode="rgb_array")
    camera = getattr(env.unwrapped, "mujoco_renderer", None)
    trunk = None if camera is None else trunk_index(camera.model)
    if camera is not None and trunk is not None and camera.camera_id == -1:
        follow = {"type": int(mujoco.mjtCamera.mjCAMERA_TRACKING), "trackbodyid": trunk}
        camera.default_cam_config = {**(camera.default_cam_config or {}), **follow}
        camera.camera_id = None  # as the configuration says
    return env
