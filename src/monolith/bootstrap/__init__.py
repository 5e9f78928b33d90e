"""Setting systems up: one module each, looks before it acts, may be run at any time."""
