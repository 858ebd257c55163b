"""The Java SDK's own tests, which hold the golden vectors, run on this machine's JVM."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 and not (shutil.which("javac") and shutil.which("mvn")), reason="needs a JDK and Maven"
)
def test_the_java_sdks_tests_pass() -> None:
    result = subprocess.run([ROOT / "sdk/java/test.sh"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    passed, failed = (
        int(re.search(rf"\[ +(\d+) tests {word} +\]", result.stdout)[1]) for word in ("successful", "failed")
    )
    assert passed > 600  # the golden vectors alone are over 200, for inputs and two models
    assert failed == 0
