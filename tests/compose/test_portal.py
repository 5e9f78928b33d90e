"""The portal of this stack."""

from tests.common.portal import *  # noqa: F403
