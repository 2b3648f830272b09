"""Optimal feedback for linear dynamics and quadratic cost, many problems at once."""

import numpy as np

from agent.percept import Array


def riccati_feedback(a: Array, b: Array, q: Array, r: Array, s: Array) -> Array:
    r"""Infinite-horizon linear-quadratic gains, batched.

    Minimises :math:`\sum_t x^T Q x + 2 x^T S u + u^T R u` under :math:`x' = A x + B u` by the
    structure-preserving doubling algorithm (Chu, Fan & Lin 2005,
    doi:10.1016/j.laa.2004.10.010), which solves a whole stack of problems in a dozen products.

    Args:
        a: A, (nx, nx).
        b: B, (nx, nu).
        q: Q, (k, nx, nx).
        r: R, (k, nu, nu), positive definite.
        s: S, (k, nx, nu).

    Returns:
        K of u = −K x, (k, nu, nx). NaN where the iteration did not converge.

    """
    identity = np.eye(len(a))
    st = np.swapaxes(s, -1, -2)
    r_inverse = np.linalg.inv(r)
    phi = a - b @ (r_inverse @ st)
    g = b @ r_inverse @ b.T
    h = q - s @ r_inverse @ st
    for _ in range(40):
        w = np.linalg.inv(identity + g @ h)
        left = phi @ w
        g = g + left @ g @ np.swapaxes(phi, -1, -2)
        change = np.swapaxes(phi, -1, -2) @ h @ w @ phi
        phi = left @ phi
        h = h + change
        size = np.abs(h).max(axis=(-1, -2))
        if (np.abs(change).max(axis=(-1, -2)) <= 1e-9 * size).all():
            break
    bt_h = b.T @ h
    gain = np.linalg.solve(r + bt_h @ b, bt_h @ a + st)
    return np.asarray(gain, np.float64)
