"""Bodies are put back to a start when they ask for it, and only then."""

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    SubprocVecEnv,
    VecEnv,
    VecFrameStack,
    VecMonitor,
    VecNormalize,
    unwrap_vec_wrapper,
)

import envs  # noqa: F401
from envs.batched import make_many
from policies.brain_agent import BrainAgent
from policies.put_back import PutBack, with_put_back
from policies.transition import successor

MANY = {
    "dummy": lambda task: DummyVecEnv([lambda: gym.make(task)] * 3),
    "subprocess": lambda task: SubprocVecEnv([lambda: gym.make(f"envs:{task}")] * 3),
    "batch": lambda task: make_many(lambda: gym.make(task), 3),
}
TASKS = "neonate/Crawl-v0", "neonate/CrawlTo-v0"


def flat(observation) -> np.ndarray:
    if isinstance(observation, dict):
        return np.concatenate([observation[key] for key in sorted(observation)], axis=-1)
    return observation


def ask(env: VecEnv, *asked: bool) -> None:
    unwrap_vec_wrapper(env, PutBack).ask(np.array(asked))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", MANY)
def test_who_asks_begins_anew_and_nobody_else(kind, task):
    env, plain = with_put_back(MANY[kind](task)), MANY["dummy"](task)
    bodies = (env, plain, with_put_back(MANY["dummy"](task)))
    action = np.full((3, *env.action_space.shape), 0.4, np.float32)
    try:
        for one in bodies:
            one.seed(3)
            one.reset()
            for _ in range(4):
                one.step(action)
        ask(bodies[2], False, True, False)
        ask(env, False, True, False)
        (seen, _, done, infos), (usual, *_), (wanted, *_) = (one.step(action) for one in bodies)
        assert done.tolist() == [False, True, False]
        assert np.allclose(flat(seen)[[0, 2]], flat(usual)[[0, 2]])
        assert np.abs(flat(seen)[1] - flat(usual)[1]).max() > 1e-2
        after, terminated, truncated = successor(seen, done, infos)
        assert np.allclose(flat(after), flat(usual))
        assert truncated.tolist() == [False, True, False] and not terminated.any()
        for _ in range(3):  # (It lives on from its new start, and nobody asks any more)
            assert np.allclose(flat(seen), flat(wanted), atol=1e-6)
            (seen, _, done, _), _, (wanted, *_) = (one.step(action) for one in bodies)
            assert not done.any()
        assert unwrap_vec_wrapper(env, PutBack).count == 1
    finally:
        for one in bodies:
            one.close()


def test_what_wraps_the_environments_sees_an_episode_that_was_cut_short():
    def make() -> VecNormalize:
        return VecNormalize(VecFrameStack(VecMonitor(MANY["dummy"]("Swimmer-v5")), 2))

    env = make()
    assert with_put_back(env) is env and with_put_back(env) is env
    stacked = env.venv
    assert isinstance(stacked.venv.venv, PutBack) and isinstance(
        stacked.venv.venv.venv, DummyVecEnv
    )
    env.seed(0)
    env.reset()
    for _ in range(5):
        env.step(np.ones((3, 2), np.float32))
    ask(env, True, False, False)
    _, _, done, infos = env.step(np.ones((3, 2), np.float32))
    assert done.tolist() == [True, False, False]
    assert infos[0]["episode"]["l"] == 6 and infos[0]["TimeLimit.truncated"]
    size = stacked.observation_space.shape[0] // 2
    first = stacked.stacked_obs.stacked_obs
    assert (first[0, :size] == 0).all() and not (first[1, :size] == 0).all()
    assert infos[0]["terminal_observation"].shape == (2 * size,)
    assert env.returns[0] == 0.0 and env.returns[1] != 0.0


def test_an_episode_that_is_over_anyway_is_not_ended_twice():
    env = with_put_back(DummyVecEnv([lambda: gym.make("Swimmer-v5", max_episode_steps=2)]))
    env.reset()
    env.step(np.ones((1, 2), np.float32))
    ask(env, True)
    _, _, done, _ = env.step(np.ones((1, 2), np.float32))
    assert done.all() and unwrap_vec_wrapper(env, PutBack).count == 0
    _, _, done, _ = env.step(np.ones((1, 2), np.float32))
    assert not done.any()


class Diary(gym.Wrapper):
    """Counts the steps of every episode."""

    def __init__(self, env: gym.Env):
        super().__init__(env)
        self.lengths: list[int] = []

    def reset(self, **options):
        """Begin another."""
        self.lengths.append(0)
        return self.env.reset(**options)

    def step(self, action):
        """Count one more."""
        self.lengths[-1] += 1
        return self.env.step(action)


def lengths(task: str, steps: int, **search: bool) -> list[int]:
    env = Diary(gym.make(task))
    BrainAgent("BrainPolicy", env, seed=0, brain={"search": search}).learn(steps)
    return env.lengths


def test_a_brain_that_seeks_a_gait_asks_after_every_bout():
    told = lengths("Swimmer-v5", 4000)
    assert told[0] < 1000 and len(told) > 20
    # 60 steps at least, 3 cycles of a rhythm of at most 1 / (.5 Hz · .04 s) = 50 steps at most.
    # The second trials of the best of the first gaits last 300, and trials of a challenger 500.
    assert {length for length in told[1:-1] if length > 151} <= {300, 500}
    assert 300 in told and min(told[1:-1]) >= 60


def test_it_does_not_ask_where_it_is_told_not_to_or_where_there_are_places_to_go_to():
    assert lengths("Swimmer-v5", 2500, put_back=False) == [1000, 1000, 500]
    assert max(lengths("neonate/CrawlTo-v0", 2500)) > 400


def test_where_nobody_may_be_put_back_the_way_out_is_told():
    env = Monitor(gym.make("Swimmer-v5"), allow_early_resets=False)
    agent = BrainAgent("BrainPolicy", env, seed=0)
    with pytest.raises(RuntimeError, match="early") as error:
        agent.learn(4000)
    assert any("put_back" in note for note in error.value.__notes__)
    assert agent.num_timesteps > 200
