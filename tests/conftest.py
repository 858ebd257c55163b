"""Chooses the tests that `make test-fast` leaves out, and those that may not be skipped if all are required."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Whole folders, as any test in them trains, renders, exports or times a model, or waits for another that does.
HEAVY = ("android", "bench", "export", "java", "train/compression", "train/engine", "train/paper", "train/synth")
PLATFORMS = ("android", "java")  # skipped where their tools could not be downloaded


def lies_in(item: pytest.Item, folders: tuple[str, ...]) -> bool:
    return any(item.path.is_relative_to(HERE / folder) for folder in folders)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if lies_in(item, HEAVY):
            item.add_marker("heavy")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """SCRIPTKD_REQUIRE_ALL=1, as in .ci/run: a platform's test that would be skipped fails."""
    report = yield
    if report.skipped and os.environ.get("SCRIPTKD_REQUIRE_ALL") == "1" and lies_in(item, PLATFORMS):
        report.outcome = "failed"
        report.longrepr = f"skipped, although SCRIPTKD_REQUIRE_ALL=1: {report.longrepr}"
    return report
