"""The wiring of the brain: one tick reads like the diagram."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.anatomy import Anatomy
from agent.saving import Knowledge
from agent.senses import full_at_most
from agent.working_memory import (
    Memory,
    begin_episodes,
    note_command,
    number_episodes,
)


class Brain(Anatomy, Knowledge):
    """A newborn brain for n bodies of one kind.

    ::

        observation ─► senses ─► body schema ─► babble, reach, gait ──► basal ganglia
                          │      (joints,         (programs)      (gate) │ wanted movement
                          │       geometry)                              ▼
        action ◄──────────┴───── cerebellum ◄──────────────────── spinal cord
                                 (command)                  (reflex and rhythm)

        where commands move the body's place itself:
        senses ─► prefrontal (goal) ─► hippocampus (map and subgoal) ─► travel ─► action

        where it crawls to a place:
        senses ─► prefrontal (goal) ─► hippocampus (map and subgoal) ─► gait

        what is practised:
        senses ─► motor cortex (course and commands) ─► spinal cord ─► action

        within a reach:
        senses ─► efference (body now) ─► strategy (aim) ─► adaptation (turn) ─► reach
        felt − explained ─► dynamics adaptation (force) ─► spinal cord

        after the step:  command − explained by what was felt ─► cerebellum (climbing fibre)
                         outcome seen − expected              ─► body schema
                         reward − expected                    ─► basal ganglia (dopamine)

    Args:
        observation_space: of one environment: a flat box, or a goal dict of flat boxes.
        action_space: of one environment: a bounded flat box.
        n_envs: bodies that learn together.
        config: settings and lesions.
        seed: of everything random in it.

    Raises:
        UnsupportedSpaceError: for other spaces; the message says what to do.

    """

    def act(
        self,
        observation: Any,
        memory: Memory,
        episode_start: NDArray[np.bool_],
        learning: bool = False,
        deterministic: bool = True,
    ) -> tuple[NDArray[np.float32], Memory]:
        """Choose actions for n bodies.

        Args:
            observation: (n, ·) or dict of them.
            memory: what `new_memory` or the last `act` returned. It is not changed, but while
                learning it is taken over: go on with the one that is returned.
            episode_start: (n,) whether an episode begins.
            learning: explore, and number the episodes.
            deterministic: without exploration (while not learning).

        Returns:
            Actions (n, n_motors) within the action box, and the memory of the next call.

        Raises:
            SensoryError: for a NaN or infinite number; nothing has changed then.

        """
        channels = self.senses.channels(observation)
        memory = begin_episodes(memory, np.asarray(episode_start, bool), own=learning)
        rng = self._rng if learning else None if deterministic else self._play
        if learning:
            self.episodes += number_episodes(memory, self.episodes)
        if self.keyboard:
            able = any(self.programs.able)
            self.keyboard.intend(memory, channels, rng, able, self.reaching.available)
        memory["program"] = self.gate.let_through(memory["program"], self.programs.able, rng)
        wanted = self.programs.act(memory, channels, rng, learning, self.episode_length)
        memory["last_command"] = command = full_at_most(wanted)
        memory["steps"] = memory["steps"] + 1
        if self.efference.lag:
            note_command(memory, command)
        self.trace.record(command=command, program=memory["program"])
        return self.senses.action(command), memory

    def asks(self, memory: Memory) -> NDArray[np.bool_]:
        """Tell which of n bodies ask to be put back to a start, once their command is carried out.

        They do so after each bout while they seek a gait, and have no place to go to.

        Args:
            memory: what `act` returned, learning.

        Returns:
            (n,) whether each asks.

        """
        return self.programs.asks(memory)

    def learn(
        self,
        observation: Any,
        action: Any,
        reward: Any,
        next_observation: Any,
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
        memory: Memory,
    ) -> None:
        """Learn from one transition of each of n bodies.

        Args:
            observation: before the step, (n, ·) or dict of them.
            action: (n, n_motors) that was taken.
            reward: (n,).
            next_observation: the true successor, also at the end of an episode.
            terminated: (n,).
            truncated: (n,).
            memory: returned by the `act` that chose the action.

        Raises:
            SensoryError: for NaN or infinite numbers; nothing has been learnt then.

        """
        step = self.senses.transition(
            observation, action, reward, next_observation, terminated, truncated
        )
        self.steps += len(step.reward)
        if self.efference.lag:
            step = step._replace(command=self.efference.cause(memory["copies"]))
        if self.efference.felt(memory["copied"]):
            self.memory.store(*step[:4], memory["episode"])
        if np.count_nonzero(step.ended):
            longest = int(memory["steps"][step.ended].max())
            self.episode_length = max(self.episode_length, longest)
        if self.keyboard:
            self.keyboard.judge(step, memory)
            step = self.keyboard.felt(step, memory, self.schema.body)
        worth = self.gate.saturate(step.reward)
        self.programs.learn(step, worth, memory, self.memory)
        self.gate.learn(memory["program"], worth, step.ended)
        if not any(self.programs.able) and self.search.due(self.steps, len(step.reward)):
            self.efference.find(self.memory, self.n_envs, self.senses.proprioception)
        self.search.look(self.memory, self.steps, self._rng)
        every = self.config.sleep.every
        if every and self.steps % every < len(step.reward):
            self.sleep()
        self.trace.record(reward=step.reward, known=any(self.programs.able))
        self.trace.next_tick()

    def sleep(self) -> list[tuple[int, ...]]:
        """Sleep for a night; returns the chunks of acts that were compiled in it.

        What the planner did is compiled into habits, too (`MotorCortex.shortfall` says how good
        they are).
        """
        self.skill.sleep(self.episode_length, self._dreaming)
        return self.keyboard.sleep() if self.keyboard else []
