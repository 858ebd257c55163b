"""Training commands report wrong arguments before they import torch, which takes seconds."""

import json
import subprocess
import sys
from pathlib import Path

CODE = """
import json, sys
from scriptkd_sdk import cli
for line in json.loads(sys.argv[1]):
    sys.argv = ["scriptkd", *line]
    try:
        cli.main()
    except SystemExit as end:
        assert end.code == 2, line
    assert "torch" not in sys.modules, line
"""


def test_wrong_arguments_do_not_wait_for_torch(tmp_path: Path) -> None:
    whole, part, file = tmp_path / "whole", tmp_path / "part", tmp_path / "file"
    for split in (whole / "train", whole / "val", whole / "test", part / "train", part / "test"):
        split.mkdir(parents=True)
    file.write_text("stages: [")
    out = ["--out", str(tmp_path / "out")]
    lines = {
        ("train", "nothing", "--data", str(whole), *out): "recipe 'nothing' is neither a file nor a ready recipe",
        ("train", str(file), "--data", str(whole), *out): f"recipe {file} is not YAML",
        ("train", "demo", "--data", str(tmp_path / "gone"), *out): "gone: it is missing",
        ("train", "demo", "--data", str(part), *out): f"no folder {part / 'val'}: expected",
        ("train", "demo", "--data", str(whole), "--out", str(file)): f"{file} is a file; --out needs a folder there",
        ("train", "demo", "--data", str(whole), *out, "--devices", "0"): "--devices must be auto or a number",
        ("reproduce", "--recipe", "nothing", "--data", str(whole), *out): "recipe 'nothing' is neither",
        ("reproduce", "--data", str(part), *out): f"no folder {part / 'val'}: expected",
        ("reproduce", "--data", str(whole), "--out", str(file)): f"{file} is a file; --out needs a folder there",
    }
    done = subprocess.run([sys.executable, "-c", CODE, json.dumps(list(lines))], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert len(said) == len(lines)
    for sentence, message in zip(said, lines.values(), strict=True):
        assert sentence.startswith("error: ") and message in sentence
    assert not (tmp_path / "out").exists()
