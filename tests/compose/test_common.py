"""What holds in every runtime, on the engine."""

from tests.common.checks import *  # noqa: F403
