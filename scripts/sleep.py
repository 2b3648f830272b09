"""`neonate sleep`: let the brain of a run sleep for a night."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from policies.brain_agent import BrainAgent
from scripts.errors import UserError
from scripts.run_folder import RunFolder


@dataclass(frozen=True)
class Sleep:
    """Compile habits of what the brain of a run did, chunks of what was rewarded, and keep them.

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
        brain, can_dream = agent.brain, agent.brain.cortex.can_sleep
        if brain.keyboard is None and not can_dream:
            raise UserError(
                f"{self.run_folder} has neither planned {brain.config.motor_cortex.least} reaches "
                "yet nor acts to choose among: there is nothing to compile in sleep; let it learn "
                "longer, or try neonate/Keys-v0"
            )
        new = brain.sleep()
        folder.save(agent, info)
        if brain.keyboard is not None:
            print(f"slept: {len(new)} new chunks, {len(brain.keyboard.chunks.all)} in all")
            for chunk in new:
                print("  " + " ".join(str(act) for act in chunk))
        if can_dream:
            use = "gated" if brain.cortex.trusted else "not gated yet"
            print(f"habits dreamt {100 * brain.cortex.shortfall:.1f} % worse than plans: {use}")
