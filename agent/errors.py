"""Errors that tell a user of the brain what to do."""


class UnsupportedSpaceError(ValueError):
    """An observation or action space that the brain cannot sense or move through."""


class SensoryError(ValueError):
    """A sensation (observation or reward) that is not a finite number; nothing has been learnt."""


class StateError(ValueError):
    """Weights that do not belong to this brain; nothing has been loaded."""
