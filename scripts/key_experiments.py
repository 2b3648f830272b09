"""Experiments on keyboards without an arm: basal ganglia, sleep and the memory of cues."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.config import BrainConfig, StriatumConfig
from agent.motor_programs.sequence import Sequencing
from agent.trace import Trace
from envs.key_choice import KeyChoiceEnv

Row = dict[str, Any]

EPOCH = 128  # (Sequences: that of the published basal-ganglia simulation)
_CRITERION = 0.95  # (Share of an epoch's sequences without a wrong press)
_NIGHT = 40  # (Trials between two nights)

TASKS = ((7, 5), (6, 6), (6, 5), (7, 7))
"""Keys and length of the orders to be found by trial and error."""
HARD = ((7, 5), (6, 6))
"""Those that many seeds are spent on."""

SHARED: Row = {"keys": 7, "length": 6, "cues": 6, "parts": 4, "long_cues": 3, "long_length": 12}
"""A book whose sequences share parts, and three longer sequences made of the same parts."""

DELAYED: Row = {"keys": 4, "length": 2, "cues": 3, "part_length": 0, "cue_steps": 1, "delay": 4}
"""A cue that is shown briefly, then a delay in which other cues flash."""


class Player:
    """Plays sequences by choosing keys.

    Args:
        seed: of choices and of episodes.
        env: keyboard without an arm.
        config: of the brain.

    """

    def __init__(self, seed: int, env: KeyChoiceEnv, config: BrainConfig | None = None):
        self.env, self.rng = env, np.random.default_rng(seed)
        self.brain = Sequencing(env.rules.keys, env.rules.n_cues, config or BrainConfig(), Trace())
        self._next = 100_000 * seed

    def trial(self, learning: bool = True, env: KeyChoiceEnv | None = None) -> Row:
        """Play one sequence; returns reward, errors, decisions and whether it was perfect."""
        env = env or self.env
        seen, _ = env.reset(seed=self._next)
        self._next += 1
        memory, rng = self.brain.new_memory(1), self.rng if learning else None
        earned, over = 0.0, False
        while not over:
            self.brain.see(memory, _which(seen["cue"]), rng)
            act = self.brain.choose(memory, rng, seen["go"] > 0, _which(seen["pressed"]))
            seen, reward, terminated, truncated, info = env.step(int(max(act[0], 0)))
            earned, over = earned + reward, terminated or truncated
            pressed, answer = _which(seen["pressed"]), seen["answer"]
            if learning:
                self.brain.learn(memory, pressed, answer, np.array([reward]), np.array([over]))
            self.brain.finish(memory, pressed, answer)
        decisions = int(memory["decisions"][0])
        return {"reward": earned, "decisions": decisions, "perfect": info["is_success"]} | {
            "errors": info["errors"]
        }


def _which(one_hot: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.array([one_hot.argmax() if one_hot.any() else -1])


def mean_of(trials: list[Row], name: str) -> float:
    """Mean of one number over trials."""
    return float(np.mean([trial[name] for trial in trials]))


def trial_and_error(
    seed: int, keys: int, length: int, opponent: bool = True, epochs: int = 30
) -> Row:
    """Find an order by trial and error, with reward at the end alone; epochs to criterion."""
    env = KeyChoiceEnv(
        keys=keys, length=length, cues=1, part_length=0, feedback="sparse", book=seed
    )
    striatum = StriatumConfig() if opponent else StriatumConfig(**PLAIN)
    player = Player(seed, env, BrainConfig(striatum=striatum))
    row: Row = {"seed": seed, "keys": keys, "length": length, "opponent": opponent}
    curve: list[float] = []
    for _ in range(epochs):
        curve.append(mean_of([player.trial() for _ in range(EPOCH)], "perfect"))
        if curve[-1] >= _CRITERION:
            return row | {"epochs": len(curve), "curve": curve}
    return row | {"epochs": None, "curve": curve}


PLAIN: Row = {"opponent": False, "actor_rate": 1.0, "critic_rate": 0.05, "gain": 1.0}
"""The best found of a plain actor, of rates 0.25, 0.5, 1 and gains 1, 2."""


def bandits(seed: int, opponent: bool, kind: str, trials: int = 400) -> Row:
    """Choose among seven keys of which one pays most: `rich`, `lean`, or with a `cost` of pressing.

    Returns:
        The share of the best key over the second half of the trials.

    """
    rng = np.random.default_rng(seed)
    pays = {"rich": (0.6, 0.8), "lean": (0.1, 0.3), "cost": (0.3, 0.6)}[kind]
    best, price = int(rng.integers(7)), 0.3 if kind == "cost" else 0.0
    settings = StriatumConfig() if opponent else StriatumConfig(**PLAIN)
    brain = Sequencing(7, 1, BrainConfig(striatum=settings), Trace())
    right = []
    for _ in range(trials):
        memory = brain.new_memory(1)
        act = brain.choose(memory, rng, np.ones(1, bool))
        right.append(act[0] == best)
        reward = float(rng.random() < pays[int(right[-1])]) - price
        brain.learn(memory, act, np.zeros(1), np.array([reward]), np.ones(1, bool))
    return {"seed": seed, "kind": kind, "opponent": opponent} | {
        "best": float(np.mean(right[trials // 2 :]))
    }


def chunking(
    seed: int,
    sleeps: bool,
    trials: int = 200,
    later: int = 160,
    lesions: tuple[str, ...] = (),
) -> Row:
    """Practise sequences that share parts, then longer ones made of the same parts."""
    practice = KeyChoiceEnv(asked=tuple(range(6)), book=seed, **SHARED)
    longer = KeyChoiceEnv(asked=(6, 7, 8), book=seed, **SHARED)
    config = BrainConfig(lesions=lesions if sleeps else (*lesions, "sleep"))
    player = Player(seed, practice, config)
    first = _practise(player, practice, trials)
    known = [player.trial(learning=False) for _ in range(30)]
    second = _practise(player, longer, later)
    errors = [trial["errors"] for trial in second]
    found = {order[i : i + 3] for order in practice.rules.sequences for i in (0, 3)}
    spelt = player.brain.chunks.all
    whole = {chunk[i : i + 3] for chunk in spelt for i in range(0, len(chunk), 3)}
    perfect = [sum(errors[t : t + 5]) == 0 for t in range(len(errors) - 4)]
    return {
        "seed": seed,
        "sleeps": sleeps,
        "lesions": list(lesions),
        "errors": [trial["errors"] for trial in first],
        "known_reward": mean_of(known, "reward"),
        "known_decisions": mean_of(known, "decisions"),
        "long_errors": errors,
        "long_early": sum(errors[:40]),
        "long_late": float(np.mean(errors[-40:])),
        "long_criterion": perfect.index(True) + 1 if any(perfect) else None,
        "long_decisions": mean_of(second[-40:], "decisions"),
        "parts_found": len(found & whole) / len(found) if sleeps else None,
    }


def _practise(player: Player, env: KeyChoiceEnv, trials: int) -> list[Row]:
    done = []
    for t in range(trials):
        done.append(player.trial(env=env))
        if t % _NIGHT == _NIGHT - 1:
            player.brain.sleep()
    return done


def delayed_cue(seed: int, lesions: tuple[str, ...] = (), trials: int = 400) -> Row:
    """Keep a briefly shown cue through a delay in which others flash."""
    env = KeyChoiceEnv(book=seed, distractors=0.3, **DELAYED)
    player = Player(seed, env, BrainConfig(lesions=lesions))
    curve = [player.trial()["errors"] for _ in range(trials)]
    tested = [player.trial(learning=False) for _ in range(60)]
    return {"seed": seed, "lesions": list(lesions), "errors": curve} | {
        "perfect": mean_of(tested, "perfect")
    }


def basal_ganglia_lesion(seed: int) -> Row:
    """Take the basal ganglia from a brain that has practised; then ask for old and new orders."""
    env = KeyChoiceEnv(asked=(0, 1, 2, 3, 4, 5), book=seed, **SHARED)
    new = KeyChoiceEnv(asked=(6, 7, 8), book=seed, **SHARED)
    player = Player(seed, env)
    _practise(player, env, 120)
    lesioned = Player(seed + 1, env, BrainConfig(lesions=("basal_ganglia",)))
    lesioned.brain.load_state({k: np.array(v) for k, v in player.brain.state().items()})
    old = [lesioned.trial() for _ in range(30)]
    fresh = [lesioned.trial(env=new) for _ in range(60)]
    return {
        "seed": seed,
        "practised_reward": mean_of(old, "reward"),
        "new_errors_first_10": mean_of(fresh[:10], "errors"),
        "new_errors_last_10": mean_of(fresh[-10:], "errors"),
    }


def sb3(name: str, seed: int, options: Row, steps: int, success: str) -> Row:
    """Train PPO or RecurrentPPO on the same acts; returns what its last hundred trials were like.

    Args:
        name: `ppo` or `recurrent_ppo`.
        seed: of everything.
        options: of `KeyChoiceEnv`.
        steps: presses to train.
        success: what to call the task.

    """
    from sb3_contrib import RecurrentPPO
    from stable_baselines3 import PPO
    from stable_baselines3.common.monitor import Monitor

    makers: dict[str, Callable[..., Any]] = {"ppo": PPO, "recurrent_ppo": RecurrentPPO}
    policy = {"ppo": "MultiInputPolicy", "recurrent_ppo": "MultiInputLstmPolicy"}[name]
    env = Monitor(KeyChoiceEnv(book=seed, **options), info_keywords=("is_success",))
    model = makers[name](policy, env, seed=seed, n_steps=512, ent_coef=0.01, device="cpu")
    model.learn(steps)
    wins: list[bool] = []
    lengths: list[int] = []
    for trial in range(60):
        seen, _ = env.reset(seed=10_000_000 + trial)
        state, start, over = None, np.ones(1, bool), False
        while not over:
            act, state = model.predict(seen, state, start, deterministic=True)
            seen, _, terminated, truncated, info = env.step(int(act))
            over, start = terminated or truncated, np.zeros(1, bool)
        wins.append(info["is_success"])
        lengths.append(env.unwrapped.recital.presses)  # type: ignore[attr-defined]
    return {"algorithm": name, "task": success, "seed": seed, "steps": steps} | {
        "trials": len(env.get_episode_rewards()) - 60,
        "perfect": float(np.mean(wins)),
        "presses": float(np.mean(lengths)),
    }
