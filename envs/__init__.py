"""Gymnasium tasks for the bodies in `assets`.

| id | body | what is asked |
|---|---|---|
| `neonate/Reach-v0` | planar arm, 2 joints, 10 ms control | fingertip to the target, and hold |
| `neonate/Reach3D-v0` | arm of 7 joints under gravity, 20 ms control | the same, in space |
| `neonate/Crawl-v0` | infant-like crawler, 8 position servos, 50 ms control | crawl forward |
| `neonate/CrawlTorque-v0` | the same with torque motors | crawl forward |
| `neonate/CrawlTo-v0` | the same with position servos | to a place within 8 m |
| `neonate/CrawlToTorque-v0` | the same with torque motors | to a place within 8 m |
| `neonate/CrawlMaze-v0` | the crawler among walls, position servos | to a place behind walls |
| `neonate/Keys-v0` | the arm of Reach-v0 | press keys in the order of a cue |
| `neonate/KeyChoice-v0` | none (discrete acts) | press keys in the order of a cue |
| `neonate/AntTo-v0` | Gymnasium's Ant, 8 torque motors, 50 ms control | to a place within 8 m |

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
- **Where the keys are** (keyboard tasks): the places to go to are told, in the coordinates of
  `achieved_goal`, and so are the cue, which key has just been pressed, and the answer to it.
  Which key is due, what a cue means and that sequences share parts is not told.
- **When a trial begins.** The body is put in its starting posture at rest.
- **Which way it faces** (crawlers only): the observation holds the direction of the crawler's
  forward axis in the world, as Ant's holds a quaternion. Which numbers these are is not told.

- **That a goal is not seen** (`neonate/CrawlMaze-v0` with hidden goals): then `desired_goal` says
  the same as `achieved_goal`, exactly.

`info` is for the person who watches (success, distance, terms of the reward), not for the agent.
"""

from gymnasium.envs.registration import register, registry

from envs.rendering import choose_backend

choose_backend()

REACH_IDS = ("neonate/Reach-v0", "neonate/Reach3D-v0")
CRAWL_IDS = (
    "neonate/Crawl-v0",
    "neonate/CrawlTorque-v0",
    "neonate/CrawlTo-v0",
    "neonate/CrawlToTorque-v0",
    "neonate/AntTo-v0",
)
MAZE_IDS = ("neonate/CrawlMaze-v0",)
KEY_IDS = ("neonate/Keys-v0", "neonate/KeyChoice-v0", "neonate/Places-v0")
ENV_IDS = REACH_IDS + CRAWL_IDS + MAZE_IDS

_TORQUE = {"actuation": "torque"}


def register_envs() -> None:
    """Add the tasks to Gymnasium's registry; calling it again changes nothing."""
    if "neonate/Reach-v0" in registry:
        return
    register("neonate/Reach-v0", entry_point="envs.reach:ReachEnv", max_episode_steps=100)
    register("neonate/Reach3D-v0", entry_point="envs.reach3d:Reach3DEnv", max_episode_steps=75)
    for name, task in (("Crawl", "envs.crawl:CrawlEnv"), ("CrawlTo", "envs.crawl_to:CrawlToEnv")):
        register(f"neonate/{name}-v0", entry_point=task, max_episode_steps=1000)
        register(
            f"neonate/{name}Torque-v0", entry_point=task, max_episode_steps=1000, kwargs=_TORQUE
        )
    register(
        "neonate/CrawlMaze-v0", entry_point="envs.crawl_maze:CrawlMazeEnv", max_episode_steps=1500
    )
    register("neonate/Keys-v0", entry_point="envs.keys:KeysEnv", max_episode_steps=1500)
    register("neonate/Places-v0", entry_point="envs.places:PlacesEnv", max_episode_steps=2000)
    register("neonate/KeyChoice-v0", entry_point="envs.key_choice:KeyChoiceEnv")
    register("neonate/AntTo-v0", entry_point="envs.ant_to:AntToEnv", max_episode_steps=1000)


register_envs()
