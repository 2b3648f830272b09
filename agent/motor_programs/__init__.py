"""Motor programs: each proposes itself, runs to its end and can be aborted."""
