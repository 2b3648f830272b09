"""`neonate train`: train one algorithm and keep it."""

import dataclasses
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from rich.console import Console
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger, make_output_format
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from agent.config import BrainConfig, config_to_dict
from envs.batched import make_many
from policies.baselines import algorithm_settings, check_name, make_algorithm
from policies.brain_agent import BrainAgent
from scripts.errors import UserError
from scripts.files import claim_folder
from scripts.run_folder import RunFolder, RunInfo
from scripts.tasks import Task, parse_kwargs
from scripts.versions import command_line, versions


@dataclass(frozen=True)
class Train:
    """Train one algorithm and keep it in a folder, from which it is rendered or trained on.

    Ctrl-C stops after the step under way and saves; the same command with --resume goes on. So it
    does from the latest checkpoint when the process was killed, at any moment: a brain ends there
    bit by bit as if it had not been.
    """

    out: Path
    """Folder of the run; must be new or empty, or be resumed."""
    env: str = ""
    """Environment id, of any installed package; with --resume, that of the run."""
    algo: str = "brain"
    """Algorithm: brain, ppo, sac, td3, tqc, oscillator, pd, random."""
    steps: int = 2000
    """Environment steps to have trained in the end, those before --resume included."""
    seed: int = 0
    """Seeds the algorithm and its environment."""
    n_envs: int = 1
    """Bodies that train side by side."""
    checkpoint_every: int = 0
    """Steps between checkpoints; 0 for a tenth of the steps, or what the run resumed had."""
    env_package: tuple[str, ...] = ()
    """Packages to import so that their environment ids are known, e.g. gymnasium_robotics."""
    env_kwargs: tuple[str, ...] = ()
    """Keyword arguments of the environment, as key=value."""
    tensorboard: bool = False
    """Write TensorBoard's logs as well, into the same folder."""
    resume: bool = False
    """Go on with the run in --out."""
    brain: BrainConfig = field(default_factory=BrainConfig)
    """Settings of the brain, with --algo brain."""

    def run(self) -> None:
        """Do it."""
        for flag, least in {"steps": 1, "n_envs": 1, "seed": 0, "checkpoint_every": 0}.items():
            if getattr(self, flag) < least:
                name = flag.replace("_", "-")
                raise UserError(f"--{name} {getattr(self, flag)}: must be at least {least}")
        torch.set_num_threads(1)
        folder = RunFolder(self.out)
        info = self._resumed(folder.read()) if self.resume else self._new()
        if info.steps_done >= self.steps:
            # (Killed after its last checkpoint, a run is whole: resuming it is no error.)
            print(f"the run in {self.out} has its {self.steps} steps: nothing is left to do")
            return
        env = _vec_env(info)
        try:
            if self.resume:
                claim_folder(self.out, resume=True)
                agent = folder.load(info, env)
                _go_on(agent, folder, info)
            else:
                agent = make_algorithm(info.algo, env, info.seed, self.brain, steps=self.steps)
                claim_folder(self.out, resume=False)
                folder.save(agent, info)  # whoever is killed before the first checkpoint resumes
            self._learn(agent, folder, info)
        finally:
            env.close()

    def _new(self) -> RunInfo:
        """Describe a new run, checked before anything is written."""
        check_name(self.algo)
        if not self.env:
            raise UserError("--env is missing: name an environment, e.g. --env neonate/Reach-v0")
        task = Task(self.env, parse_kwargs(self.env_kwargs), ("envs", *self.env_package))
        if self.out.exists():
            claim_folder(self.out, resume=False)
        if self.algo == "brain":
            settings = config_to_dict(self.brain)
        else:
            settings = algorithm_settings(self.algo, task(), self.steps)
        return RunInfo(
            env=task.env,
            algo=self.algo,
            seed=self.seed,
            steps_asked=self.steps,
            steps_done=0,
            n_envs=self.n_envs,
            env_kwargs=task.kwargs,
            env_packages=tuple(task.packages),
            settings=settings,
            versions=versions(),
            commands=(command_line(),),
            checkpoint_every=self.checkpoint_every or max(1, self.steps // 10),
        )

    def _resumed(self, info: RunInfo) -> RunInfo:
        """Describe the run in the folder with its new target."""
        if self.env and self.env != info.env:
            raise UserError(f"--env {self.env}: the run in {self.out} is of {info.env}")
        if self.algo not in (info.algo, type(self).algo):
            raise UserError(f"--algo {self.algo}: the run in {self.out} is of {info.algo}")
        if self.steps <= info.steps_done - info.n_envs:
            raise UserError(
                f"--steps {self.steps}: the run in {self.out} has {info.steps_done} steps already; "
                "ask for more"
            )
        every = self.checkpoint_every or info.checkpoint_every or max(1, self.steps // 10)
        return dataclasses.replace(
            info,
            steps_asked=self.steps,
            commands=(*info.commands, command_line()),
            checkpoint_every=every,
        )

    def _learn(self, agent: BaseAlgorithm, folder: RunFolder, info: RunInfo) -> None:
        console = Console()
        begun = agent.num_timesteps
        suffix = f"_from_{begun}" if self.resume else ""  # an earlier log is not overwritten
        formats = ["csv", "tensorboard"] if self.tensorboard else ["csv"]
        outputs = [make_output_format(kind, str(self.out), suffix) for kind in formats]
        agent.set_logger(Logger(str(self.out), outputs))
        checkpoint = Checkpoint(folder, info, info.checkpoint_every)
        with checkpoint.stopped_by_ctrl_c():
            agent.learn(
                self.steps - begun,
                callback=checkpoint,
                reset_num_timesteps=not self.resume,
                progress_bar=sys.stderr.isatty(),
            )
        done = dataclasses.replace(info, steps_done=agent.num_timesteps)
        folder.save(agent, done, buffer=True)
        agent.logger.close()
        if checkpoint.stop:
            console.print(
                f"stopped after {agent.num_timesteps} of {self.steps} steps and saved; go on with: "
                f"neonate train --resume --out {self.out} --steps {self.steps}",
                soft_wrap=True,
                highlight=False,
            )
            raise KeyboardInterrupt
        console.print(
            f"trained {info.algo} for {agent.num_timesteps} steps of {info.env}: wrote "
            f"{folder.model_file(info.algo)}",
            soft_wrap=True,
            highlight=False,
        )


class Checkpoint(BaseCallback):
    """Saves every so many steps, and ends the training after Ctrl-C.

    What an environment is in the middle of cannot be saved. So a brain's checkpoint waits for the
    end of an episode (of any body, and no longer than until the next checkpoint is due), and then
    all bodies begin episodes of seeds that follow from the run's seed and the steps done: life
    after the checkpoint is the same whether or not the process survives it.

    Args:
        folder: where to save.
        info: what the run is.
        every: steps between checkpoints.

    """

    def __init__(self, folder: RunFolder, info: RunInfo, every: int) -> None:
        super().__init__()
        self.folder, self.info, self.every = folder, info, every
        self.stop = False
        self._next = 0

    @contextmanager
    def stopped_by_ctrl_c(self) -> Iterator[None]:
        """Let the first Ctrl-C end the training after a step; the second one ends it at once."""

        def request(number: int, frame: FrameType | None) -> None:
            self.stop = True
            signal.signal(signal.SIGINT, before)

        before = signal.signal(signal.SIGINT, request)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _on_training_start(self) -> None:
        self._next = self.num_timesteps + self.every

    def _on_step(self) -> bool:
        if self.num_timesteps >= self._next and not self.stop and self._at_rest():
            self._next = self.num_timesteps + self.every
            if isinstance(self.model, BrainAgent):
                env = self.training_env
                env.seed(episode_seed(self.info.seed, self.num_timesteps))
                self.model._last_obs = env.reset()  # type: ignore[assignment]
                self.model._last_episode_starts = np.ones(env.num_envs, dtype=bool)
            info = dataclasses.replace(self.info, steps_done=self.num_timesteps)
            self.folder.save(self.model, info)
        return not self.stop

    def _at_rest(self) -> bool:
        """Whether a body has just ended an episode, or has been waited for long enough."""
        starts = self.model._last_episode_starts
        if not isinstance(self.model, BrainAgent) or starts is None:
            return True
        return bool(starts.any()) or self.num_timesteps >= self._next + self.every


def episode_seed(seed: int, steps: int) -> int:
    """Seed of the episodes that begin at a checkpoint, from the run's seed and the steps done."""
    return int(np.random.SeedSequence([seed, steps]).generate_state(1)[0]) % 2**31


def _vec_env(info: RunInfo) -> VecEnv:
    """Make the bodies of a run, with returns monitored."""
    return make_many(info.task(), info.n_envs)


def _go_on(agent: BaseAlgorithm, folder: RunFolder, info: RunInfo) -> None:
    """Make a loaded algorithm ready to learn on."""
    if isinstance(agent, BrainAgent) and agent.env is not None:
        steps = agent.num_timesteps
        agent.env.seed(episode_seed(info.seed, steps) if steps else info.seed)
    if agent.seed is not None and not hasattr(agent, "brain"):
        # SB3 seeds again while it loads: with the same seed it would replay the noise of the start.
        agent.set_random_seed(agent.seed + agent.num_timesteps)
    if isinstance(agent, OffPolicyAlgorithm) and not folder.buffer_file.is_file():
        print(
            f"neonate: there is no {folder.buffer_file}: the run was not stopped with Ctrl-C, "
            "and random steps fill a new replay buffer first",
            file=sys.stderr,
        )
