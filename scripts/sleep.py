"""`neonate sleep`: let the brain of a run sleep for a night."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from policies.brain_agent import BrainAgent
from scripts.errors import UserError
from scripts.run_folder import RunFolder


@dataclass(frozen=True)
class Sleep:
    """Compile chunks from what the brain of a run was rewarded for, and keep it.

    While it learns, a brain sleeps by itself with `neonate train --brain.sleep.every STEPS`.
    """

    run_folder: Positional[Path]
    """Folder of the run."""

    def run(self) -> None:
        """Do it."""
        folder = RunFolder(self.run_folder)
        info = folder.read()
        agent = folder.load(info, info.task())
        if not isinstance(agent, BrainAgent):
            raise UserError(f"{self.run_folder} is a run of {info.algo}: only the brain sleeps")
        if agent.brain.keyboard is None:
            raise UserError(
                f"{self.run_folder} is a run of {info.env}, which has no acts to choose among: "
                "there is nothing to compile in sleep; try neonate/Keys-v0"
            )
        new = agent.brain.sleep()
        folder.save(agent, info)
        print(f"slept: {len(new)} new chunks, {len(agent.brain.keyboard.chunks.all)} in all")
        for chunk in new:
            print("  " + " ".join(str(act) for act in chunk))
