"""An identifier in other processes (forked, pickled or in a pool), and copies of an identifier."""

import copy
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path

import cv2
import numpy as np
import pytest

from scriptkd_sdk import ArgumentError, ClosedError, ModelError, Prediction, ScriptIdentifier

Builder = Callable[..., Path]

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

WORD = np.full((20, 50), 120, np.uint8)

# A parent that makes an identifier (or imports only), forks, and tells how its child ended. `child` is what that does.
FORKING = """
import gc, os, sys, time
import numpy as np
from scriptkd_sdk import ModelError, ScriptIdentifier
import onnxruntime

word = np.full((20, 50), 120, np.uint8)
model, threads = sys.argv[1], int(sys.argv[2])
{parent}
child = os.fork()
if child == 0:
{child}
    sys.exit(0)
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        print("ended with", status)
        break
    time.sleep(0.02)
else:
    os.kill(child, 9)
    print("hung")
"""
MAKES = "identifier = ScriptIdentifier(model, threads=threads); identifier.identify(word)"
CHILDREN = {
    "does nothing": "pass",
    "identifies": "assert identifier.identify(word).script == 'Latin'",
    "closes": "identifier.close()",
    "identifies and closes": "assert identifier.identify(word).script == 'Latin'; identifier.close()",
    "drops it": "del identifier; gc.collect()",
    "forks": "assert identifier.identify(word).script == 'Latin'\n"
    "    grandchild = os.fork()\n"
    "    assert identifier.identify(word).script == 'Latin'\n"
    "    if grandchild: assert os.waitpid(grandchild, 0)[1] == 0",
}


def fork(model: Path, threads: int, parent: str, child: str, **environment: str) -> str:
    """How the child of a fork ended, in words."""
    code = FORKING.format(parent=parent, child=f"    {child}")
    clean = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-W", "ignore", "-c", code, str(model), str(threads)]  # Python warns of such forks
    done = subprocess.run(command, env=clean | environment, capture_output=True, text=True, timeout=60)
    return done.stdout.strip() + done.stderr


@forks
@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN.keys())
def test_a_forked_child_works_and_ends_well(model: Path, threads: int, child: str) -> None:
    assert fork(model, threads, MAKES, child) == "ended with 0"


@forks
@pytest.mark.parametrize("child", ["pass", MAKES], ids=["does nothing", "makes one"])
def test_a_child_of_a_process_that_only_imported_the_sdk(model: Path, child: str) -> None:
    assert fork(model, 2, "pass", child) == "ended with 0"


@forks
def test_a_child_of_a_process_whose_identifier_was_closed_or_is_at_work(model: Path) -> None:
    assert fork(model, 4, f"{MAKES}; identifier.close()", "pass") == "ended with 0"
    busy = (
        "import threading\n"
        "end = time.monotonic() + 1\n"
        "def work():\n"
        "    while time.monotonic() < end: identifier.identify(word)\n"
        "for _ in range(3): threading.Thread(target=work).start()\n"
        "time.sleep(0.1)"
    )
    assert fork(model, 4, f"{MAKES}\n{busy}", "identifier.identify(word)") == "ended with 0"


@forks
def test_a_child_opens_the_file_that_its_parent_opened(model: Path, build_model: Builder, tmp_path: Path) -> None:
    """From another folder, as a daemon does; a file that is another one or gone is refused."""
    here = tmp_path / "model.onnx"
    shutil.copy(model, here)
    moved = "os.chdir('/'); assert identifier.identify(word).script == 'Latin'"
    relative = f"os.chdir({str(tmp_path)!r}); model = 'model.onnx'; {MAKES}"
    assert fork(here, 1, relative, moved) == "ended with 0"
    refused = (
        "try: identifier.identify(word)\n"
        "    except ModelError as error: assert {!r} in str(error), error\n"
        "    else: sys.exit('not refused')"
    )
    other = build_model(threshold=0.5)
    changed = f"{MAKES}; import shutil; shutil.copy({str(other)!r}, model)"
    assert fork(here, 1, changed, refused.format("no longer the file that was opened first")) == "ended with 0"
    assert fork(here, 1, f"{MAKES}; os.remove(model)", refused.format("no such model file")) == "ended with 0"


def test_a_pickle_opens_the_same_model_with_the_same_options(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    identifier = ScriptIdentifier(model.name, threads=2, providers=["CPUExecutionProvider"])
    pickled = pickle.dumps(identifier)
    monkeypatch.chdir("/")
    again = pickle.loads(pickled)
    assert again.info == identifier.info and again.labels == identifier.labels
    assert again.identify(WORD) == identifier.identify(WORD)
    assert again._network is not identifier._network
    assert again._network._session.get_session_options().intra_op_num_threads == 2
    again.close()
    assert identifier.identify(WORD).script == "Latin"
    assert pickle.loads(pickled).identify(WORD).script == "Latin"
    assert len(pickled) < 4096  # names, not the network


def test_a_pickle_of_a_model_of_the_package_holds_its_name(model: Path) -> None:
    identifier = ScriptIdentifier()
    pickled = pickle.dumps(identifier)
    assert b"student" in pickled and b".onnx" not in pickled
    assert pickle.loads(pickled).identify(WORD) == identifier.identify(WORD)


def test_a_pickle_of_a_model_that_changed_or_is_gone(model: Path, build_model: Builder, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    shutil.copy(model, path)
    pickled = pickle.dumps(ScriptIdentifier(path))
    assert pickle.loads(pickled).identify(WORD).script == "Latin"  # and is kept, for the next time
    shutil.copy(build_model(threshold=0.5), path)
    with pytest.raises(ModelError, match="no longer the file that was opened first"):
        pickle.loads(pickled)
    path.unlink()
    with pytest.raises(ModelError, match="no such model file"):
        pickle.loads(pickled)


def test_session_options_cannot_be_pickled(model: Path) -> None:
    import onnxruntime

    identifier = ScriptIdentifier(model, session_options=onnxruntime.SessionOptions())
    with pytest.raises(ArgumentError, match="an identifier with session_options cannot be pickled"):
        pickle.dumps(identifier)
    assert copy.deepcopy(identifier).identify(WORD) == identifier.identify(WORD)  # in this process they are at hand


def test_a_closed_identifier_stays_closed_in_a_pickle(model: Path) -> None:
    identifier = ScriptIdentifier(model)
    identifier.close()
    again = pickle.loads(pickle.dumps(identifier))
    assert again.info == identifier.info
    with pytest.raises(ClosedError):
        again.identify(WORD)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_are_closed_each_by_itself(
    model: Path, duplicate: Callable[[ScriptIdentifier], ScriptIdentifier]
) -> None:
    identifier = ScriptIdentifier(model)
    twin = duplicate(identifier)
    identifier.close()
    assert twin.identify(WORD).script == "Latin"
    twin.close()
    with pytest.raises(ClosedError):
        twin.identify(WORD)


@pytest.mark.parametrize("method", get_all_start_methods())
def test_a_pool_of_processes(method: str, model: Path, tmp_path: Path) -> None:
    paths = []
    for i in range(20):
        paths.append(str(tmp_path / f"{i}.png"))
        cv2.imwrite(paths[-1], np.full((20, 50), 12 * i, np.uint8))
    identifier = ScriptIdentifier(model)
    with ProcessPoolExecutor(2, get_context(method)) as pool:
        answers = [future.result(60) for future in [pool.submit(identifier.identify, path) for path in paths]]
    assert answers == [identifier.identify(path) for path in paths]


def test_predictions_are_members_of_sets(model: Path) -> None:
    identifier = ScriptIdentifier(model)
    one, same, other = (identifier.identify(np.full((20, 50), level, np.uint8)) for level in (120, 120, 20))
    assert one == same and hash(one) == hash(same)
    assert len({one, same, other}) == 2
    reordered = Prediction(
        one.script, one.code, one.score, dict(sorted(one.scores.items())), one.best, shares={"Latin": 1.0}
    )
    assert reordered == one and hash(reordered) == hash(one)
