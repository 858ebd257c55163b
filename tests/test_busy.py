"""Waiting threads sleep and do not spin: OpenMP itself tells the settings that it read when torch was imported."""

import os
import re
import subprocess
import sys

import pytest

MODULES = ["scriptkd_train.engine.trainer", "scriptkd_export.graph", "scriptkd_bench.training"]
SPINNING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


def spin_counts(module: str, **environment: str) -> set[str]:
    """How often threads look before they sleep, of each OpenMP that importing the module has loaded."""
    clean = {name: value for name, value in os.environ.items() if name not in SPINNING}
    command = [sys.executable, "-c", f"import {module}, torch"]
    environment = {**clean, "OMP_DISPLAY_ENV": "VERBOSE", **environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return set(re.findall(r"GOMP_SPINCOUNT = '(\w+)'", done.stderr))


@pytest.mark.skipif(sys.platform != "linux", reason="torch's builds for Linux alone use GNU's OpenMP")
@pytest.mark.parametrize(
    "module", ["scriptkd_train.engine.trainer", "scriptkd_export.graph", "scriptkd_bench.training"]
)
def test_threads_sleep_while_they_wait(module: str) -> None:
    assert spin_counts(module) == {"0"}


@pytest.mark.skipif(sys.platform != "linux", reason="torch's builds for Linux alone use GNU's OpenMP")
def test_the_user_may_say_how_to_wait() -> None:
    assert spin_counts("scriptkd_train.engine.trainer", GOMP_SPINCOUNT="12345") == {"12345"}
