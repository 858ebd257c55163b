#!/usr/bin/env python3
"""Checks that every package has pyproject.toml's version: `make release` runs this first.

    python3 scripts/versions.py [FOLDER]    # a checkout; this one by default

Prints each file that differs, and ends with status 1 if there are any.
"""

import re
import sys
import tomllib
from pathlib import Path

ARTIFACT = r"<artifactId>scriptkd-\w+</artifactId>\s*<version>([^<]*)</version>"
# Each file, and the pattern of a version in it. All matches must be the version, and at least one match is needed.
PLACES = {
    "sdk/scriptkd_sdk/__init__.py": r'^__version__ = "(.*?)"',
    "sdk/c/CMakeLists.txt": r"^project\(scriptkd VERSION (\S+)",
    "sdk/java/pom.xml": ARTIFACT,
    "sdk/java/models/pom.xml": ARTIFACT,
    "sdk/java/android/pom.xml": ARTIFACT,
    "sdk/java/consumer/pom.xml": ARTIFACT,
    "sdk/java/README.md": r"\bscriptkd-(?:sdk|models|android):([\d.]+\d)",
    "sdk/web/package.json": r'^  "version": "(.*)"',
    "sdk/web/package-lock.json": r'"name": "scriptkd",\s*"version": "(.*)"',
    "sdk/react-native/package.json": r'^  "version": "(.*)"|"scriptkd": "(.*?)"',
    "sdk/swift/README.md": r'scriptkd\.git", from: "(.*?)"',
    "sdk/swift/consumer/Package.swift": r'from: "(.*?)"',
    "android-demo/app/src/main/AndroidManifest.xml": r'android:versionName="(.*?)"',
    "android-demo/app/build.gradle": r'versionName\s*=?\s*"(.*?)"|org\.scriptkd:[\w-]+:([^"]*)"',
}


def differing(root: Path) -> list[str]:
    """Return a sentence for each place in the checkout `root` whose version is missing or not pyproject.toml's."""
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    wrong = []
    for name, pattern in PLACES.items():
        found = re.findall(pattern, (root / name).read_text("utf-8"), re.MULTILINE)
        versions = ["".join(groups) for groups in found]
        wrong += [f"{name} has the version {other}, pyproject.toml {version}" for other in versions if other != version]
        if not versions:
            wrong.append(f"{name} has no version at the expected place")
    return wrong


if __name__ == "__main__":
    sentences = differing(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    print("\n".join(f"error: {sentence}" for sentence in sentences), end="\n" if sentences else "", file=sys.stderr)
    sys.exit(1 if sentences else 0)
