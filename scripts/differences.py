#!/usr/bin/env python3
"""Runs every platform's golden vectors and writes how far the scores differ: `make differences`.

The page is docs/differences.md. Each platform's own test prints one sentence for each model (SENTENCE).
If a platform's test fails or prints no sentence, the command ends with status 1 and the page stays unchanged.
"""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "differences.md"
SENTENCE = re.compile(r"(\d+) vectors, (\w+)(?: by ([\w-]+))?: largest difference from the golden scores ([\d.e+-]+)")
COMMANDS = {
    "Python": "python -m pytest -q -s tests/contract/test_golden.py -k scores",
    "Java": "sdk/java/test.sh",
    "browser": "sdk/web/test.sh",
    "Node.js": "sdk/web/test-package.sh",
    "React Native": "sdk/react-native/test.sh",
    "C": "sdk/c/test.sh",
    "Swift": "sdk/swift/test.sh",
}
HEAD = """\
# How far the platforms' answers are apart

Every SDK answers the same golden vectors: pictures with the network's exact input and the expected scores
([contract](../sdk/contract/golden/README.md)). Pre-processing gives the same bits everywhere. Scores differ in their
last digits, since runtimes and processors round differently. The expected scores are from Python on x86-64. The table
shows how far any score, of a script or of an orientation, is from the expected one at most.

`fp32` is the float32 model, in which scores may differ by 0.001. `int8` is the bundled `student`, in which they may
differ by 0.005. Vectors in the model's list `unstable` are left out: their scores depend on one rounding.

| platform | vectors | fp32 | int8 |
|---|---:|---:|---:|
"""


def rows(platform: str, printed: str) -> list[str]:
    """Return the table's rows of one platform, one for each runtime that its test names; empty without a sentence."""
    found: dict[str, dict[str, str]] = {}
    for vectors, model, runtime, largest in SENTENCE.findall(printed):
        row = found.setdefault(f"{platform}, {runtime}" if runtime else platform, {"vectors": vectors})
        row[model] = f"{float(largest):.0e}"
    return [f"| {name} | {row['vectors']} | {row['fp32']} | {row['int8']} |" for name, row in found.items()]


def main() -> int:
    """Run all tests and write the page."""
    table = []
    for platform, command in COMMANDS.items():
        print(f"--- {platform}: {command}", flush=True)
        arguments = [sys.executable if part == "python" else part for part in command.split()]
        done = subprocess.run(arguments, cwd=ROOT, text=True, capture_output=True, check=False)
        found = rows(platform, done.stdout)
        if done.returncode or not found:
            print(f"{done.stdout}{done.stderr}\n{platform}: its test failed or printed no difference", file=sys.stderr)
            return 1
        table += found
        print("\n".join(found), flush=True)
    lines = "\n".join(table)
    PAGE.write_text(f"{HEAD}{lines}\n\nMade on {date.today()} by `make differences`.\n", "utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
