"""Ctrl-C while a program is still importing: one word and the shell's status, no traceback."""

import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SCRIPTS = Path(sysconfig.get_path("scripts"))
# A module that the program imports is replaced by one that says so and sleeps: the signal then comes inside an import.
SLEEPY = """
import sys, time
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            print("importing", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Finder())
sys.argv = {argv!r}
import scriptkd_program
scriptkd_program.{program}()
"""


def _heed_ctrl_c():
    """What a shell has it ignore in the background, the child would ignore too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("program", "argv", "module"),
    [
        ("main", ["scriptkd", "identify", "samples"], "scriptkd_sdk.identifier"),
        ("main", ["scriptkd", "model", "list"], "numpy"),
        ("main", ["scriptkd", "train", "demo", "--data", "x", "--out", "y"], "scriptkd_train.commands.train"),
        ("export", ["scriptkd-export", "--ckpt", "x.pt"], "scriptkd_export.cli"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_program_that_is_still_importing_ends_with_one_word(program, argv, module):
    if module in ("scriptkd_train.commands.train", "scriptkd_export.cli"):
        pytest.importorskip("torch", reason="the extra [train] is not installed")
    code = SLEEPY.format(module=module, argv=argv, program=program)
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "importing\n"
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, err, out) == (130, "interrupted\n", "")


def test_the_installed_programs_are_these():
    for name, function in (("scriptkd", "main"), ("scriptkd-export", "export")):
        if (SCRIPTS / name).exists():
            assert f"from scriptkd_program import {function}" in (SCRIPTS / name).read_text("utf-8")


def test_an_ignored_ctrl_c_stays_ignored():
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from scriptkd_program import interruptible\n"
        "with interruptible(): signal.raise_signal(signal.SIGINT)\n"
        "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN\n"
        "print('went on')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "went on\n")
