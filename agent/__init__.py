"""The brain: one file per region, numpy only."""
