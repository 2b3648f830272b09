"""Gymnasium tasks for the bodies in `assets`.

| id | body | what is asked |
|---|---|---|
| `neonate/Reach-v0` | planar arm, 2 joints, 10 ms control | fingertip to the target, and hold |
| `neonate/Reach3D-v0` | arm of 7 joints under gravity, 20 ms control | the same, in space |

`import envs` registers them. Gymnasium has had no plugin entry points since its version 1.0: code
that does not import this package names it in the id, `gymnasium.make("envs:neonate/Reach-v0")`.

Hints: what a task hands the agent instead of letting it be discovered
----------------------------------------------------------------------
- **Which numbers are the goal.** The observation is a dict whose keys `achieved_goal` and
  `desired_goal` say where the outcome is, where it is wanted, and that the two are measured in
  the same coordinates (metres). Which of the other numbers are angles, which velocities, and
  what an action does to them is not told.
- **The reward's form.** `compute_reward` may be called for goals that were never pursued, which
  is what hindsight replay does.
- **When a trial begins.** The arm is put in its starting posture at rest.

`info` is for the person who watches (success, distance, terms of the reward), not for the agent.
"""

from gymnasium.envs.registration import register, registry

from envs.rendering import choose_backend

choose_backend()

ENV_IDS = ("neonate/Reach-v0", "neonate/Reach3D-v0")


def register_envs() -> None:
    """Add the tasks to Gymnasium's registry; calling it again changes nothing."""
    if "neonate/Reach-v0" not in registry:
        register("neonate/Reach-v0", entry_point="envs.reach:ReachEnv", max_episode_steps=100)
    if "neonate/Reach3D-v0" not in registry:
        register("neonate/Reach3D-v0", entry_point="envs.reach3d:Reach3DEnv", max_episode_steps=75)


register_envs()
