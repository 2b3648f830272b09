"""Blending: reaches that pass through one goal on the way to the next."""

from functools import lru_cache

import gymnasium as gym
import numpy as np

import envs  # noqa: F401  it registers the tasks
from agent.brain import Brain
from agent.motor_programs.blending import IN_VAIN, NOT, UNDER_WAY, Blending
from agent.motor_programs.passage import Task
from agent.percept import Array, Plan
from policies import BrainAgent


@lru_cache
def _arm() -> Brain:
    """Return a brain that has found its arm."""
    brain: Brain = BrainAgent("BrainPolicy", "neonate/Reach-v0", seed=0).learn(800).brain
    assert brain.schema.body is not None
    return brain


def _task(brain: Brain, turn: float) -> tuple[Plan, Task]:
    """Plan 12 cm from a usual posture, and then as far in a direction turned by so much (rad)."""
    angle = brain.schema.range.middle()
    here = brain.schema.chain(angle)
    way = np.array([0.0, -0.12])
    cosine, sine = np.cos(turn), np.sin(turn)
    aim = here + way
    following = aim + np.array([[cosine, -sine], [sine, cosine]]) @ way
    limits = brain.schema.range.limits()
    reach = brain.reaching.reach
    still, models = np.zeros_like(angle), (brain.schema, brain.cerebellum)
    proposals = reach.propose(angle, still, aim, *models, 40, probing=False)
    best = int(proposals.worth.argmax())
    plain = reach.refine(proposals, best, aim, *models, 0.0)
    return plain, Task(aim, following, *models, limits)


def _skilled(brain: Brain) -> Blending:
    reach = brain.schema.spread
    blending = Blending()
    for _ in range(20):
        blending.arrived(np.array([0.05 * reach, 2.0 * reach]))
    return blending


def _hand(plan: Plan, task: Task) -> tuple[Array, Array]:
    outcome, jacobian = task.schema.chain.with_jacobian(plan.angle)
    return outcome, np.linalg.norm((jacobian @ plan.velocity[..., None])[..., 0], axis=1)


def test_a_passage_is_where_it_should_be_slow_enough_and_on_its_way_to_the_next_goal() -> None:
    brain = _arm()
    blending = _skilled(brain)
    for turn in (0.5, 1.6, 3.0):
        plain, task = _task(brain, turn)
        passage = blending.through(plain, task)
        assert passage is not None
        t = passage.arrival
        outcome, speed = _hand(passage.plan, task)
        assert np.linalg.norm(outcome[t] - task.aim) <= 1.1 * blending.limits[0]
        assert speed[t] <= 1.1 * blending.limits[1]
        far = np.linalg.norm(outcome - task.following, axis=1)
        rest = np.linalg.norm(_hand(plain, task)[0] - task.following, axis=1)
        later = t + 8
        assert far[later] < far[t] - 0.01 and far[later] < rest[later] - 0.01
        # The body's law of motion holds: it is one movement, that begins as the body is.
        h = task.schema.step
        np.testing.assert_allclose(passage.plan.angle[0], plain.angle[0])
        np.testing.assert_allclose(
            np.diff(passage.plan.velocity, axis=0), h * passage.plan.acceleration, atol=1e-9
        )


def test_what_may_be_far_and_fast_is_learnt_and_never_less_than_what_is_usual() -> None:
    blending = Blending()
    for k in range(12):
        assert not blending.able or k >= 10
        blending.arrived(np.array([0.01, 0.3 + 0.01 * (k % 2)]))
    np.testing.assert_allclose(blending.limits, [0.01, 0.31])
    np.testing.assert_allclose(blending.usual, [0.01, 0.305])
    rare = blending.judge(True, np.array([0.2, 0.95]))
    assert blending.limits[1] > 0.31 and blending.limits[0] == 0.01
    assert rare > 0.0 > blending.judge(False, np.array([0.3, 1.2]))
    np.testing.assert_allclose(blending.limits, [0.01, 0.305])
    usual = [blending.judge(True, np.array([1.0, 1.0])) for _ in range(60)]
    assert blending.limits[0] > 0.02 and usual[-1] < usual[0]


def _memory(follow_by: Array) -> dict[str, Array]:
    return {
        "key_blend": np.zeros(1, np.int64),
        "key_follows": np.ones(1, np.bool_),
        "key_follow_by": follow_by[None],
        "key_nearest": np.zeros((1, 2)),
    }


def test_what_was_blended_in_vain_is_not_blended_again() -> None:
    brain = _arm()
    blending, (plain, task) = _skilled(brain), _task(brain, 1.0)
    memory = _memory(task.following - task.aim)
    length = len(plain.acceleration)
    plan, steps = blending.begin(memory, 0, plain, length, task, True)
    assert memory["key_blend"][0] == UNDER_WAY and plan is not plain and steps < length
    memory["key_nearest"][0] = 0.5, 1.2
    plan, steps = blending.begin(memory, 0, plain, length, task, True)
    assert memory["key_blend"][0] == IN_VAIN and plan is plain and steps == length
    assert blending.counts[2] == 1


def test_without_blending_or_a_known_next_goal_a_movement_ends_where_it_was_to_end() -> None:
    brain = _arm()
    plain, task = _task(brain, 1.0)
    lesioned = _skilled(brain)
    lesioned.lesioned = True
    memory = _memory(task.following - task.aim)
    assert lesioned.begin(memory, 0, plain, 40, task, True)[0] is plain
    memory["key_follows"][:] = False
    assert _skilled(brain).begin(memory, 0, plain, 40, task, True)[0] is plain
    assert memory["key_blend"][0] == NOT


def test_movements_of_a_chunk_blend_on_the_real_arm_and_survive_a_file(tmp_path) -> None:
    env = gym.make("neonate/Keys-v0", keys=5, length=4, cues=1, part_length=0)
    agent = BrainAgent("BrainPolicy", env, seed=0).learn(2500)
    brain = agent.brain
    assert brain.keyboard is not None
    brain.keyboard.chunks.add(env.unwrapped.rules.sequences[0])
    program = brain.keyboard.n_acts
    brain.keyboard.striatum.grow(program, env.unwrapped.rules.sequences[0][0], np.full(32, 9.0))
    agent.learn(1500, reset_num_timesteps=False)
    blended = []
    for lesioned in (False, True):
        brain.keyboard.blending.lesioned = lesioned
        names, state, start, over, steps = brain.memory_names, None, True, False, 0
        seen, _ = env.reset(seed=1)
        count = 0
        while not over:
            action, state = agent.predict(seen, state, np.array([start]), deterministic=True)
            count += int(dict(zip(names, state, strict=True))["key_blend"][0] == UNDER_WAY)
            seen, _, over, _, info = env.step(action)
            steps, start = steps + 1, False
        assert info["is_success"]
        blended.append((count > 0, steps))
    assert blended[0][0] and not blended[1][0]
    assert blended[0][1] < blended[1][1]
    agent.save(tmp_path / "keys")
    again = BrainAgent.load(tmp_path / "keys", env=env).brain.keyboard
    assert again is not None
    np.testing.assert_array_equal(again.blending.limits, brain.keyboard.blending.limits)
