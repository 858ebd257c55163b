"""Model files that are refused, each with the reason."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from scriptkd_sdk import modelfile
from scriptkd_sdk.errors import ArgumentError, ModelError
from scriptkd_sdk.modelfile import ModelInfo, bundled_models, model_path, open_model
from scriptkd_sdk.scripts import Script

Builder = Callable[..., Path]


def test_what_a_model_file_says_about_itself(model: Path) -> None:
    _, info = open_model(model, 1)
    assert info.network == "gray-levels"
    assert info.labels == (Script("Arabic", "Arab"), Script("Latin", "Latn"), Script("Klingon", "Piqd"))
    assert (info.temperature, info.threshold, info.precision) == (2.0, 0.0, "fp32")
    assert info.preprocessing.height == 8
    assert info.provenance == {"seed": 0}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": 4}, "its format is 4, but this scriptkd reads formats up to 3: update scriptkd"),
        ({"input": "film"}, "input must be 'pixels' or 'image', not 'film'"),
        ({"input": "image"}, r"asks for \(None, None, 3\)"),
        ({"format": "1"}, "no format version: '1'"),
        ({"format": 0}, "no format version: 0"),
        ({"labels": []}, "labels must be a list of scripts"),
        ({"labels": [{"name": "Latin"}] * 3}, "must have a name and a code"),
        ({"labels": ["Latin"] * 3}, "must have a name and a code"),
        ({"labels": [{"name": "La\x1b[31mtin\nX", "code": "Latn"}]}, r"must be printable, not .*'La\\x1b\[31mtin\\nX'"),
        ({"labels": [{"name": "Latin", "code": "L\u202eatn"}]}, "name and the code of each of its labels must be"),
        ({"labels": [{"name": "Lat\ud800in", "code": "Latn"}]}, "name and the code of each of its labels must be"),
        ({"labels": [{"name": "Latin", "code": "Latn"}] * 3}, "two of its labels have the same name"),
        (
            {"labels": [{"name": n, "code": n} for n in "ab"]},
            r"2 labels, but .* \(2, 3\), not float32 of shape \(2, 2\)",
        ),
        ({"preprocessing": {"channels": 1}}, "pre-processing must have exactly the fields"),
        ({"preprocessing": {"a\nb\x1b[31m": 1}}, r"must have exactly the fields .*, not a b \[31m"),
        ({"preprocessing": None}, "pre-processing must have exactly the fields"),
        ({"temperature": 0}, r"temperature must lie in 0.001..1000, not 0"),
        ({"temperature": float("nan")}, "temperature must be a number, not nan"),
        ({"temperature": "hot"}, "temperature must be a number, not 'hot'"),
        ({"threshold": 1.5}, r"threshold must lie in 0..1, not 1.5"),
        ({"network": None}, "network must be text, not None"),
        ({"precision": 8}, "precision must be text, not 8"),
        ({"provenance": []}, r"provenance must be an object, not \[\]"),
        ({"text": "not json"}, "metadata is not JSON"),
        ({"text": "[1]"}, "metadata is not a JSON object"),
        ({"text": None}, "an ONNX file without scriptkd's metadata"),
        ({"input_type": TensorProto.FLOAT}, r"input must be tensor\(uint8\), not tensor\(float\)"),
        ({"input_name": "x"}, "one input 'image' and the output 'logits'"),
        ({"shape": ("n", 3, 8, "w")}, r"asks for \(None, 1, 8, None\), None being any"),
        ({"shape": ("n", 1, 16, "w")}, "has the shape"),
        ({"shape": (1, 1, 8, "w")}, "has the shape"),
        ({"shape": ("n", 1, 8, 32)}, "has the shape"),
        ({"levels": (float("nan"), 1.0, 2.0)}, "NaN or infinity"),
        ({"levels": (1.0, 2.0, 3.0, 4.0)}, "3 labels, but"),
    ],
)
def test_unfit_files_name_the_file_and_the_fault(build_model: Builder, fields: dict[str, Any], message: str) -> None:
    path = build_model(**fields)
    with pytest.raises(ModelError, match=message) as caught:
        open_model(path, 1)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_fixed_width_may_be_fixed_in_the_file_or_left_open(build_model: Builder) -> None:
    squash = {"channels": 1, "height": 8, "width_min": 24, "width_max": 24, "width_step": 1}
    for width in (24, "w"):
        _, info = open_model(build_model(shape=("n", 1, 8, width), preprocessing=squash), 1)
        assert info.preprocessing.fixed_width
    with pytest.raises(ModelError, match=r"asks for \(None, 1, 8, 24\)"):
        open_model(build_model(shape=("n", 1, 8, 32), preprocessing=squash), 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such model file"),
        (b"", "not an ONNX file that onnxruntime can load"),
        (b"hello", "not an ONNX file that onnxruntime can load"),
    ],
)
def test_files_that_are_no_model(
    tmp_path: Path, content: bytes | None, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        open_model(path, 1)
    with pytest.raises(ModelError, match="a folder, not a model file"):
        open_model(tmp_path, 1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("text", [b"gray-levels", b"Piqd", b"logits", b"image"])
def test_texts_that_are_none(tmp_path: Path, model: Path, text: bytes) -> None:
    path = tmp_path / "odd.onnx"
    path.write_bytes(model.read_bytes().replace(text, b"\xff" + text[1:]))
    with pytest.raises(ModelError, match=r"odd\.onnx: "):
        open_model(path, 1)


def test_a_truncated_model(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(model.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"cut\.onnx: "):
        open_model(path, 1)


@pytest.mark.parametrize("name", ["mix", "axes"])
@pytest.mark.parametrize("location", ["data.bin", "../there/data.bin"])
def test_data_in_another_file(
    tmp_path: Path, model: Path, name: str, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the current directory, which is the model's too, holds that file."""
    import onnxruntime

    folder = tmp_path / "there"
    folder.mkdir()
    network = onnx.load(model)
    network.graph.node[-1].output[0] = "unmixed"
    network.graph.node.append(helper.make_node("MatMul", ["unmixed", "mix"], ["logits"]))
    network.graph.initializer.append(numpy_helper.from_array(np.eye(3, dtype=np.float32), "mix"))
    onnx.save(network, folder / "whole.onnx")
    (tensor,) = (each for each in network.graph.initializer if each.name == name)
    (folder / "data.bin").write_bytes(tensor.raw_data)
    set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    (folder / "split.onnx").write_bytes(network.SerializeToString())
    monkeypatch.chdir(folder)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    for given in (None, options):
        open_model("whole.onnx", session_options=given)
        with pytest.raises(ModelError, match=r"^split\.onnx: it keeps data in another file .*; a model is one file$"):
            open_model("split.onnx", session_options=given)


def test_a_package_without_its_model_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modelfile, "MODELS", tmp_path / "models")
    with pytest.raises(ModelError, match="holds no model of its own"):
        open_model(None, 1)


def make_package(folder: Path, **models: Path) -> None:
    """A folder like the package's, with models and their sums, as `sha256sum *.onnx > SHA256SUMS` writes them."""
    (folder / "models").mkdir()
    lines = []
    for name, path in models.items():
        (folder / "models" / f"{name}.onnx").write_bytes(path.read_bytes())
        lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}.onnx\n")
    (folder / "models" / "SHA256SUMS").write_text("".join(lines))


def test_models_of_the_package_by_name(tmp_path: Path, build_model: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    make_package(tmp_path, student=build_model(network="small"), world=build_model(network="large"))
    monkeypatch.setattr(modelfile, "MODELS", tmp_path / "models")
    assert bundled_models() == ["student", "world"]
    for name, network in ((None, "small"), ("student", "small"), ("world", "large")):
        assert open_model(name)[1].network == network
    for path in (str(tmp_path / "models" / "world.onnx"), tmp_path / "models" / "world.onnx"):
        assert open_model(path)[1].network == "large"
    for wrong in ("word", Path("world")):  # a Path is always a path
        with pytest.raises(ModelError, match=rf"^{wrong}: no such model file; .* are: student, world$"):
            open_model(wrong)


def test_a_model_of_the_package_that_was_changed(
    tmp_path: Path, build_model: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_package(tmp_path, student=build_model())
    monkeypatch.setattr(modelfile, "MODELS", tmp_path / "models")
    changed = tmp_path / "models" / "student.onnx"
    changed.write_bytes(build_model(network="another").read_bytes())
    with pytest.raises(ModelError, match=r"^student: the model that comes with scriptkd is not as it was made"):
        open_model()
    with pytest.raises(ModelError, match="not as it was made"):
        model_path("student")
    assert open_model(changed)[1].network == "another"  # by path it is anybody's
    (tmp_path / "models" / "SHA256SUMS").unlink()
    with pytest.raises(ModelError, match="not as it was made"):
        open_model()


@pytest.mark.parametrize("name", bundled_models())
def test_the_models_of_this_package_are_as_they_were_made(name: str) -> None:
    _, info = open_model(name)
    assert len(info.labels) >= 10


@pytest.mark.parametrize("threads", [0, -1, 257, 1.0, True, "2"])
def test_wrong_thread_counts_are_not_ignored(model: Path, threads: Any) -> None:
    with pytest.raises(ArgumentError, match=r"threads must be an integer from 1 to 256, not "):
        open_model(model, threads)


def test_providers_and_session_options(model: Path, build_model: Builder) -> None:
    import onnxruntime

    session, _ = open_model(model, 2, ["CPUExecutionProvider"])
    assert session.get_session_options().intra_op_num_threads == 2
    assert open_model(model)[0].get_session_options().intra_op_num_threads == 1
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 3
    session, _ = open_model(model, session_options=options)
    assert session.get_session_options().intra_op_num_threads == 3
    single: list[Any] = [
        "CUDA",
        "NoSuchExecutionProvider",
        ("NoSuchExecutionProvider", {}),
        ("CPUExecutionProvider", 5),
        (),
    ]
    for provider in single:
        with pytest.raises(ArgumentError, match=r"providers must be a list of some of .*CPUExecutionProvider.*, not "):
            open_model(model, providers=[provider])
    several: list[Any] = [[], "CPUExecutionProvider", [7]]
    for providers in several:
        with pytest.raises(ArgumentError, match="providers must be"):
            open_model(model, providers=providers)
    with pytest.raises(ArgumentError, match="threads or session_options, not both"):
        open_model(model, 2, session_options=options)
    with pytest.raises(ArgumentError, match=r"must be an onnxruntime\.SessionOptions, not dict"):
        open_model(model, session_options={})
    with pytest.raises(ArgumentError, match="a name or a path, not int"):
        open_model(7)  # type: ignore[arg-type]


def test_files_that_cannot_be_read(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = tmp_path / "loop.onnx"
    loop.symlink_to(loop)
    for path, reason in (
        (loop, "no such model file|symbolic links"),
        ("a\0b.onnx", "no such|null"),
        ("x" * 300, "no such|long"),
    ):
        with pytest.raises(ModelError, match=reason):
            open_model(path)

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ModelError, match="cannot be read: Permission denied"):
        open_model(model)


def test_metadata_are_read_without_a_file(metadata: dict[str, Any]) -> None:
    info = ModelInfo.from_json(json.dumps(metadata | {"a field of a later version": 1}))
    assert info.labels[2].code == "Piqd"


def test_the_sdk_imports_no_torch_and_help_no_onnxruntime(model: Path) -> None:
    code = (
        "import sys; from scriptkd_sdk import ScriptIdentifier; import scriptkd_sdk.cli;"
        "print('onnxruntime' in sys.modules);"
        f"ScriptIdentifier({str(model)!r});"
        "print([name for name in ('torch', 'PIL', 'onnx', 'scriptkd_train') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split("\n")[:2] == ["False", "[]"]
    assert result.stderr == ""
