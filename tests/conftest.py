"""Checks that lanes share are written as tests elsewhere: their assertions are explained, too."""

import os
from collections.abc import Generator

import pytest

pytest.register_assert_rewrite("tests.common.checks", "tests.common.portal")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI what a test needs has to be there: such a skip is a failure."""
    report = yield
    reason = str(call.excinfo.value) if call.excinfo else ""
    if report.skipped and reason.startswith("needs") and os.environ.get("CI") == "true":
        report.outcome, report.longrepr = "failed", f"{item.nodeid}: {reason}"
    return report
