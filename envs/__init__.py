"""Gymnasium tasks for the bodies in `assets`."""
