"""The choice of MuJoCo's drawing backend on a machine without a display."""

import os


def choose_backend() -> None:
    """Have MuJoCo draw through EGL when there is no display and the user has not chosen.

    MuJoCo reads ``MUJOCO_GL`` once, while it is imported: this must run before, and therefore
    imports nothing of it. Without the variable Gymnasium tries a window first, fails on a machine
    without a display, and the next attempt aborts the process. A ``MUJOCO_GL`` that is already
    set, and any machine with ``DISPLAY`` or ``WAYLAND_DISPLAY``, is left as it is.
    """
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not has_display and not os.environ.get("MUJOCO_GL"):
        os.environ["MUJOCO_GL"] = "egl"
