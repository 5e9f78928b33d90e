"""Checks that lanes share are written as tests elsewhere: their assertions are explained, too."""

import pytest

pytest.register_assert_rewrite("tests.common.checks")
