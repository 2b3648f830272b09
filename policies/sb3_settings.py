"""Settings of the Stable-Baselines3 comparators, by kind of task.

The settings are those of RL Baselines3 Zoo (Raffin 2020, github.com/DLR-RM/rl-baselines3-zoo,
release 2.9, files `hyperparams/<algorithm>.yml`), which its authors tuned. A task is of one of the
kinds: `goal` (a dictionary with an achieved and a desired goal), which is `far` where the way there
takes more than a movement, or `flat` (a vector), which is `short` where a movement is over within
seconds.

| algorithm | kind | row of the zoo | what differs here, and why |
|---|---|---|---|
| ppo | any | `ppo.yml` Ant-v4: SB3's defaults, normalised | Reacher-v2's own row: see below |
| sac | goal | `sac.yml` FetchReach-v1 | two layers of 256: torque arms, not a Cartesian hand |
| sac | far | as goal | SB3's own discount, 0.99: see below |
| sac | short | as goal, not normalised | the zoo has no row for Reacher |
| sac | flat | `sac.yml` HalfCheetah-v4 | |
| td3 | goal, far, short | as sac, noise of `td3.yml` HalfCheetah-v4 | the zoo has no such row |
| td3 | flat | `td3.yml` HalfCheetah-v4 | |
| tqc | goal | `tqc.yml` FetchReach-v1 | two layers of 256 and two critics |
| tqc | far | as goal | SB3's own discount, 0.99: see below |
| tqc | short | as goal, not normalised | the zoo has no row for Reacher |
| tqc | flat | `tqc.yml` HalfCheetah-v4 | |

FetchReach-v1's discount of 0.95 sees 20 steps ahead, which suits a movement of one second and not
the way through a maze. SAC after 10,000 steps with training seed 900, on 30 goals from 70000 on,
which are in no comparison: PointMaze_UMaze-v3 73 % with 0.95, 90 with 0.98, 97 with 0.99;
PointMaze_Medium-v3 20, 17 and 13 %.

One exception is made for the comparators and for nobody else: where the zoo's authors tuned a row
for one of Gymnasium's walkers by name, that row is used (`_TUNED`), whatever the version of the
environment. On Swimmer it matters most, whose reward lies far ahead of the strokes that earn it:

| algorithm | Swimmer | HalfCheetah | Hopper | Walker2d | Ant |
|---|---|---|---|---|---|
| ppo | own row, discount 0.9999 | own row | own row | own row | the kind's |
| sac | discount 0.999 | the kind's | the kind's | the kind's | the kind's |
| td3 | discount 0.9999 | the kind's | the kind's | the kind's | the kind's |
| tqc | discount 0.999 | the kind's | drops 5 quantiles | the kind's | the kind's |

Swimmer's row of PPO has 4 environments of 1024 steps; here one environment makes all 4096.
PPO with training seed 0 on episodes 40000 to 40009, which are in no comparison: HalfCheetah-v5
3448 at 100,000 steps with its own row, 1030 with the kind's; Swimmer-v5 212 and 47.

A task is short if its episodes have at most `SHORT_EPISODE` steps, and far if it has a goal and
more or no limit. All begin to learn after 1,000
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
from torch import nn

Kind = Literal["goal", "far", "short", "flat"]

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

_FAR: dict[str, Any] = {**_FETCH_REACH, "gamma": 0.99}

_TD3: dict[str, Any] = {
    **_START,
    "learning_rate": 1e-3,
    "batch_size": 256,
    "policy_kwargs": {"net_arch": [400, 300]},
}

_OFF_POLICY: dict[tuple[str, Kind], dict[str, Any]] = {
    ("sac", "goal"): _FETCH_REACH,
    ("sac", "far"): _FAR,
    ("sac", "short"): _FETCH_REACH,
    ("sac", "flat"): _START,
    ("td3", "goal"): _FETCH_REACH,
    ("td3", "far"): _FAR,
    ("td3", "short"): _FETCH_REACH,
    ("td3", "flat"): _TD3,
    ("tqc", "goal"): _FETCH_REACH,
    ("tqc", "far"): _FAR,
    ("tqc", "short"): _FETCH_REACH,
    ("tqc", "flat"): _START,
}

_TUNED_PPO: dict[str, Any] = {
    "n_steps": 512,
    "policy_kwargs": {
        "log_std_init": -2,
        "ortho_init": False,
        "activation_fn": nn.ReLU,
        "net_arch": {"pi": [256, 256], "vf": [256, 256]},
    },
}

_TUNED: dict[tuple[str, str], dict[str, Any]] = {
    ("ppo", "Swimmer"): {
        "gamma": 0.9999,
        "n_steps": 4096,
        "batch_size": 256,
        "learning_rate": 6e-4,
        "gae_lambda": 0.98,
    },
    ("ppo", "HalfCheetah"): {
        **_TUNED_PPO,
        "batch_size": 64,
        "gamma": 0.98,
        "learning_rate": 2.0633e-05,
        "ent_coef": 0.000401762,
        "clip_range": 0.1,
        "n_epochs": 20,
        "gae_lambda": 0.92,
        "max_grad_norm": 0.8,
        "vf_coef": 0.58096,
    },
    ("ppo", "Hopper"): {
        **_TUNED_PPO,
        "batch_size": 32,
        "gamma": 0.999,
        "learning_rate": 9.80828e-05,
        "ent_coef": 0.00229519,
        "clip_range": 0.2,
        "n_epochs": 5,
        "gae_lambda": 0.99,
        "max_grad_norm": 0.7,
        "vf_coef": 0.835671,
    },
    ("ppo", "Walker2d"): {
        "n_steps": 512,
        "batch_size": 32,
        "gamma": 0.99,
        "learning_rate": 5.05041e-05,
        "ent_coef": 0.000585045,
        "clip_range": 0.1,
        "n_epochs": 20,
        "gae_lambda": 0.95,
        "max_grad_norm": 1,
        "vf_coef": 0.871923,
    },
    ("sac", "Swimmer"): {"gamma": 0.999},
    ("td3", "Swimmer"): {"gamma": 0.9999},
    ("tqc", "Swimmer"): {"gamma": 0.999},
    ("tqc", "Hopper"): {"top_quantiles_to_drop_per_net": 5},
}

_HER: dict[str, Any] = {"goal_selection_strategy": "future", "n_sampled_goal": 4}


def kind_of(observation_space: spaces.Space, episode_steps: int | None) -> Kind:
    """Kind of a task.

    Args:
        observation_space: of one environment.
        episode_steps: length of an episode in steps, None where there is no limit.

    """
    goal = {"observation", "achieved_goal", "desired_goal"}
    short = episode_steps is not None and episode_steps <= SHORT_EPISODE
    if isinstance(observation_space, spaces.Dict) and goal <= set(observation_space.spaces):
        return "goal" if short else "far"
    return "short" if short else "flat"


def task_of(env_id: str | None) -> str | None:
    """Name of an environment without its version, e.g. `Swimmer` of `Swimmer-v5`."""
    return None if env_id is None else env_id.rsplit("-v", 1)[0]


def settings_for(
    name: str, kind: Kind, steps: int | None = None, task: str | None = None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Look up the settings of one algorithm.

    Args:
        name: `ppo`, `sac`, `td3` or `tqc`.
        kind: kind of task.
        steps: training budget in steps, if known; bounds the replay buffer, which holds 10⁶
            otherwise.
        task: its name without the version, for the rows that the zoo's authors tuned by name.

    Returns:
        Keyword arguments of the algorithm, and those of `VecNormalize` (None: not normalised).

    """
    tuned = deepcopy(_TUNED.get((name, task or ""), {}))  # SB3 writes into what it is given
    if name == "ppo":
        return tuned, {"gamma": tuned.get("gamma", 0.99)}
    settings = {**deepcopy(_OFF_POLICY[name, kind]), **tuned}
    settings["buffer_size"] = 1_000_000 if steps is None else min(1_000_000, max(steps, 100_000))
    if kind in ("goal", "far"):
        settings["replay_buffer_class"] = HerReplayBuffer
        settings["replay_buffer_kwargs"] = dict(_HER)
        return settings, {"gamma": settings["gamma"]}
    return settings, None
