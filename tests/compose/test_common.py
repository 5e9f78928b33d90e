"""What holds in every runtime, on the engine."""

from tests.common.checks import *  # noqa: F403

# In test_data.py, with all that only the engine keeps; the full stack is stopped by plain Compose.
del test_model_and_run_are_there_after_down_and_up  # noqa: F821
