"""Settings of the Stable-Baselines3 comparators, by kind of task and never by robot.

The settings are those of RL Baselines3 Zoo (Raffin 2020, github.com/DLR-RM/rl-baselines3-zoo,
release 2.9, files `hyperparams/<algorithm>.yml`), which its authors tuned. A task is of one of the
kinds: `goal` (a dictionary with an achieved and a desired goal) or `flat` (a vector), which is
`short` where a movement is over within seconds.

| algorithm | kind | row of the zoo | what differs here, and why |
|---|---|---|---|
| ppo | any | `ppo.yml` Ant-v4: SB3's defaults, normalised | Reacher-v2's own row: see below |
| sac | goal | `sac.yml` FetchReach-v1 | two layers of 256: torque arms, not a Cartesian hand |
| sac | short | as goal, not normalised | the zoo has no row for Reacher |
| sac | flat | `sac.yml` HalfCheetah-v4 | |
| td3 | goal, short | as sac, noise of `td3.yml` HalfCheetah-v4 | the zoo has no such row |
| td3 | flat | `td3.yml` HalfCheetah-v4 | |
| tqc | goal | `tqc.yml` FetchReach-v1 | two layers of 256 and two critics |
| tqc | short | as goal, not normalised | the zoo has no row for Reacher |
| tqc | flat | `tqc.yml` HalfCheetah-v4 | |

FetchReach-v1's discount of 0.95 sees 20 steps ahead,
which suits a movement of one second.

A task is short if its episodes have at most `SHORT_EPISODE` steps. All begin to learn after 1,000
random steps, as FetchReach-v1's row does: the 10,000 of the others belong to budgets of a million
steps and would waste a third of one of 30,000.

Where two rows fit, the better one was kept, on Reacher-v5 with training seed 900 and evaluation
episodes 70000 to 70049, which are in no comparison: PPO −5.10 at 150,000 steps with Ant-v4's row,
−6.98 with Reacher-v2's; SAC −5.65 at 8,000 steps with FetchReach-v1's row, −6.20 with
ReacherBulletEnv-v0's (without gSDE), −7.53 with HalfCheetah-v4's. On neonate/Reach-v0, the same
seeds, SAC at 6,000 steps: −7.80 and success 0.67 with FetchReach-v1's row, −8.02 and 0.57 without
normalisation, −13.83 and 0.07 without HER, −14.66 and 0 with a discount of 0.98.
"""

from copy import deepcopy
from typing import Any, Literal

from gymnasium import spaces
from stable_baselines3 import HerReplayBuffer

Kind = Literal["goal", "short", "flat"]

SHORT_EPISODE = 100  # (Steps)
TD3_NOISE = 0.1  # standard deviation of the action noise, in units of half the action's range

_START: dict[str, Any] = {"learning_starts": 1_000}

_FETCH_REACH: dict[str, Any] = {
    **_START,
    "gamma": 0.95,
    "learning_rate": 1e-3,
    "batch_size": 256,
    "policy_kwargs": {"net_arch": [256, 256]},
}

_TD3: dict[str, Any] = {
    **_START,
    "learning_rate": 1e-3,
    "batch_size": 256,
    "policy_kwargs": {"net_arch": [400, 300]},
}

_OFF_POLICY: dict[tuple[str, Kind], dict[str, Any]] = {
    ("sac", "goal"): _FETCH_REACH,
    ("sac", "short"): _FETCH_REACH,
    ("sac", "flat"): _START,
    ("td3", "goal"): _FETCH_REACH,
    ("td3", "short"): _FETCH_REACH,
    ("td3", "flat"): _TD3,
    ("tqc", "goal"): _FETCH_REACH,
    ("tqc", "short"): _FETCH_REACH,
    ("tqc", "flat"): _START,
}

_HER: dict[str, Any] = {"goal_selection_strategy": "future", "n_sampled_goal": 4}


def kind_of(observation_space: spaces.Space, episode_steps: int | None) -> Kind:
    """Kind of a task.

    Args:
        observation_space: of one environment.
        episode_steps: length of an episode in steps, None where there is no limit.

    """
    goal = {"observation", "achieved_goal", "desired_goal"}
    if isinstance(observation_space, spaces.Dict) and goal <= set(observation_space.spaces):
        return "goal"
    return "short" if episode_steps is not None and episode_steps <= SHORT_EPISODE else "flat"


def settings_for(
    name: str, kind: Kind, steps: int | None = None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Look up the settings of one algorithm.

    Args:
        name: `ppo`, `sac`, `td3` or `tqc`.
        kind: kind of task.
        steps: training budget in steps, if known; bounds the replay buffer, which holds 10⁶
            otherwise.

    Returns:
        Keyword arguments of the algorithm, and those of `VecNormalize` (None: not normalised).

    """
    if name == "ppo":
        return {}, {"gamma": 0.99}
    settings = deepcopy(_OFF_POLICY[name, kind])  # SB3 writes into the dictionaries it is given
    settings["buffer_size"] = 1_000_000 if steps is None else min(1_000_000, max(steps, 100_000))
    if kind == "goal":
        settings["replay_buffer_class"] = HerReplayBuffer
        settings["replay_buffer_kwargs"] = dict(_HER)
        return settings, {"gamma": settings["gamma"]}
    return settings, None
