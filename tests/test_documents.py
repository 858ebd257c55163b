"""Command blocks in documents have one command a line. Re-wrapping would hide commands behind a comment."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(?:sh|bash)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HIDDEN = re.compile(r"#.*\s(?:scriptkd|scriptkd-export|make|pip) [a-z]+.*(?:--|/|\.onnx|#)")


def hidden_commands(text: str) -> list[str]:
    return [line for block in BLOCK.findall(text) for line in block.splitlines() if HIDDEN.search(line)]


def test_a_hidden_command_is_found() -> None:
    wrapped = "```sh\nscriptkd data fonts --out fonts # optional scriptkd data render --out\nbuild/data\n```\n"
    assert len(hidden_commands(wrapped)) == 1
    assert hidden_commands("```sh\nscriptkd identify samples   # a table; --top 3 for runners-up\n```\n") == []


def test_no_document_hides_a_command() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False)
    documents = listed.stdout.split() or [str(path) for path in ROOT.glob("*.md")]
    found = {name: hidden_commands((ROOT / name).read_text("utf-8")) for name in documents}
    assert {name: lines for name, lines in found.items() if lines} == {}
