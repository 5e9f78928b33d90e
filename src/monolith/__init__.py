"""Monolith Lean Platform: MLOps, workflow automation and project management on your machines."""

__version__ = "0.1.0"
