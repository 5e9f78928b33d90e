"""What holds in every runtime and stack, in the full one."""

from tests.common.checks import *  # noqa: F403

# In test_data_full.py, with all that only this stack keeps.
del test_model_and_run_are_there_after_down_and_up  # noqa: F821
