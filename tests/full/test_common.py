"""What holds in every runtime and stack, in the full one."""

from tests.common.checks import *  # noqa: F403
