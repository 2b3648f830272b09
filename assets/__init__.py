"""MJCF models of the bodies."""
