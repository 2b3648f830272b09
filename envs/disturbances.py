"""Disturbances that any MuJoCo environment can be wrapped in, without the agent being told.

| wrapper | what goes wrong |
|---|---|
| `SensorNoise` | every channel is noisy, by a share of its spread |
| `StuckSensor` | one channel shows one number for a whole episode |
| `DroppedFrames` | now and then the observation before is shown again |
| `SensoryDelay` | everything that is felt and seen is some steps old |
| `Push` | now and then the body is pushed sideways |
| `WeakActuator` | one actuator has lost some or all of its force |
| `AddedMass` | one part of the body is heavier or lighter |

Spaces, rewards and info are the environment's own: rewards count what truly happens. What is drawn
(which sensor, when to push) comes from a generator of the wrapper's own that `reset(seed=…)`
seeds, so that the task's own draws, and with them starts and goals, are those of an undisturbed
episode of the same seed. `wrapper.active = False` ends a disturbance at any moment, `True` brings
it back. They can be put on top of each other, and on any wrapper:

    env = SensoryDelay(SensorNoise(gymnasium.make("Ant-v5"), sigma=0.25, spread=spread), ms=100)

The number of channels, and their order, are those of the observation: a flat vector, or a goal
dictionary, whose `desired_goal` is no sense: it is neither noisy nor stuck, but delayed and dropped
with the frame that it is part of.
"""

from envs.body_disturbances import AddedMass, Push, WeakActuator
from envs.disturbance import Disturbance
from envs.sensor_disturbances import (
    DroppedFrames,
    SensorNoise,
    SensoryDelay,
    StuckSensor,
    channel_spread,
)

__all__ = [
    "AddedMass",
    "Disturbance",
    "DroppedFrames",
    "Push",
    "SensorNoise",
    "SensoryDelay",
    "StuckSensor",
    "WeakActuator",
    "channel_spread",
]
