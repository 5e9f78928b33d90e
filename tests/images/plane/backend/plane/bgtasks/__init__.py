"""STAND-IN. Tasks that a worker knows only when it is told their modules."""
