"""Head direction: how a body believes it is turned while what tells it stands still."""

import numpy as np
from numpy.typing import NDArray

from agent.heading import Heading
from agent.percept import Array
from agent.working_memory import Memory


class HeadDirection:
    r"""Goes on turning the heading when its sensor shows the very same number again and again.

    Head-direction cells go on in the dark by integrating how fast the head turns (Skaggs et al.
    1995, Advances in Neural Information Processing Systems 7, 173; Stackman & Taube 1997,
    doi:10.1523/JNEUROSCI.17-11-04349.1997). Here, with κ and the channel c of angular velocity
    that the `Heading` was found with,

    .. math:: \hat\psi \leftarrow \hat\psi + \tfrac{\kappa}{2} (c_t + c_{t-1})

    from the last heading that was felt, or from 0, how episodes begin, where none was felt in this
    episode. It is disbelieved when one of the numbers that tell it has
    stood still for `STUCK` steps at which something else has changed.
    """

    STUCK = 3

    def believe(
        self, memory: Memory, channels: Array, heading: Heading, starts_alike: bool
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Turn to add to the heading that is felt, and whether it is to be believed, (n,) each.

        To be asked for before the proprioception of the same step, which notes what was sensed.

        Args:
            memory: working memory of n bodies; updated.
            channels: (n, n_channels) as they are felt.
            heading: how the heading is read.
            starts_alike: whether all episodes begin with a heading of 0.

        """
        known = memory["sensing"]
        same = channels == memory["sensed"]
        still = np.logical_or.reduce(same[:, heading.channels], axis=1) & known
        if not np.count_nonzero(still) and not np.count_nonzero(~known):
            memory["stuck_heading"] = np.zeros(len(known), np.int64)
            memory["oriented"] = known.copy()
            memory["heading_off"] = np.zeros(len(known))
            return memory["heading_off"], known
        alone = still & ~np.logical_and.reduce(same, axis=1)
        memory["stuck_heading"] = count = np.where(still, memory["stuck_heading"] + alone, 0)
        felt = heading.angle(channels)
        moved = known & ~still
        oriented = (memory["oriented"] & known) | moved
        # At the first step there is nothing to tell a sensor that stands still by.
        first = -felt if starts_alike else 0.0
        off = np.where(known, np.where(moved, 0.0, memory["heading_off"]), first)
        if heading.turning >= 0:
            speed, last = channels[:, heading.turning], memory["sensed"][:, heading.turning]
            off = off + 0.5 * heading.per_step * still * (speed + last)
        memory["heading_off"], memory["oriented"] = off, oriented
        stuck = count >= self.STUCK
        lost = stuck & ((heading.turning < 0) | ~(oriented | starts_alike))
        return np.where(stuck, off, 0.0), ~lost
