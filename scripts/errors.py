"""The error of a user, which a command answers in one line."""


class UserError(Exception):
    """Something that the user asked cannot be done; the message says what to type instead."""
