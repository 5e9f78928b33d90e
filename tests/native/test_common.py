"""What holds in every runtime, natively."""

from tests.common.checks import *  # noqa: F403
