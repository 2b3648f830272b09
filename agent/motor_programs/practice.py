"""Practice: the directions in which bodies go that try gaits out."""

import numpy as np
from numpy.typing import NDArray

from agent.motor_programs.journey import Journey
from agent.motor_programs.steering import Steering
from agent.percept import Array
from agent.working_memory import Memory


def choose(
    steering: Steering,
    journey: Journey,
    memory: Memory,
    channels: Array,
    place: Array,
    bodies: NDArray[np.int64],
    practising: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Let bodies that practise choose a direction, or another one; where a map tells, with room.

    Args:
        steering: where the bodies head; told.
        journey: what is known of the walls.
        memory: working memory of k bodies.
        channels: (k, n_channels).
        place: (k, 2) where they are.
        bodies: (k,) which of those that learn they are.
        practising: (n,) of all that learn, whether they practise.

    Returns:
        Those of the bodies that go on in another direction, as a wall was in their way.

    """
    nobody = np.zeros(0, np.int64)
    if not steering.to_goals or not journey.mapped:
        steering.choose(channels, bodies, practising)
        return nobody

    def room(rows: NDArray[np.int64], bearing: Array) -> Array:
        return journey.room(place[rows], bearing)

    def berth(rows: NDArray[np.int64], bearing: Array) -> Array:
        return journey.room(place[rows], bearing, beside=True)

    blocked = journey.blocked(memory, steering.practised(bodies))
    turned = steering.reconsider(channels, bodies, blocked, berth) if len(blocked) else nobody
    if steering.range > journey.grain:
        steering.choose(channels, bodies, practising, room, steering.range)
    elif journey.walled:
        steering.choose(channels, bodies, practising, berth)
    else:
        steering.choose(channels, bodies, practising)
    return turned
