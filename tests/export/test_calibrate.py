"""`scriptkd calibrate` changes a finished file's temperatures and thresholds, and nothing else in the file."""

import json
import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from scriptkd_export import (
    Precision,
    calibrate_file,
    convert,
    embed_preprocessing,
    export_graph,
    metadata,
    read_samples,
)
from scriptkd_export import calibrate as home
from scriptkd_export.calibrate_cli import calibrate
from scriptkd_export.ort_format import ort_bytes
from scriptkd_export.samples import batches
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.errors import ImageError, ModelError, ScriptkdError
from scriptkd_sdk.images import load_image
from scriptkd_sdk.modelfile import METADATA_KEY, bundled_models, load_content
from scriptkd_train.engine.threshold import KEEP
from scriptkd_train.evaluation.evaluate import evaluate
from scriptkd_train.models.checkpoint import Checkpoint

PROJECT = Path(__file__).parents[2]
ACCURACY = 1e-9

Make = Callable[..., Path]

app = Typer()
app.command()(calibrate)


@pytest.fixture(scope="module")
def crops(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words of which every fifth lies in the folder of another script, so that nobody can be too sure; and noise."""
    root = tmp_path_factory.mktemp("crops")
    labels = [folder.name for folder in sorted((data / "val").iterdir())]
    for number, label in enumerate(labels):
        for i, path in enumerate(sorted((data / "val" / label).iterdir())):
            folder = root / labels[(number + (i % 5 == 0)) % len(labels)]
            folder.mkdir(exist_ok=True)
            shutil.copy(path, folder / f"{label}-{path.name}")
    random = np.random.default_rng(3)
    (root / "none").mkdir()
    for i in range(40):
        cv2.imwrite(str(root / "none" / f"{i}.png"), random.integers(90, 160, (40, 100, 3), np.uint8))
    return root


@pytest.fixture(scope="module")
def half_right(any_crop: Checkpoint) -> Checkpoint:
    """The network for any crop with the answers of its orientation in another order, of which some half are right."""
    state = {
        name: torch.roll(value, 1, dims=0) if name.startswith("orientation_head") else value
        for name, value in any_crop.state_dict.items()
    }
    return replace(any_crop, state_dict=state)


@pytest.fixture(scope="module")
def make(textnet: Checkpoint, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """make(...) -> a model file that is far too sure, with a property of another's beside scriptkd's."""
    pixels = list(batches(read_samples(data, 24)[0], textnet.preprocessing, 16))
    graphs: dict[int, onnx.ModelProto] = {}

    def run(
        checkpoint: Checkpoint = textnet, precision: str = "fp32", any_size: bool = False, suffix: str = ".onnx"
    ) -> Path:
        if id(checkpoint) not in graphs:
            graphs[id(checkpoint)] = export_graph(checkpoint)
        model = onnx.ModelProto()
        model.CopyFrom(graphs[id(checkpoint)])
        model = convert(Precision(precision), model, pixels)
        if any_size:
            model = embed_preprocessing(model, checkpoint.preprocessing)
        sure = replace(checkpoint, temperature=0.05, threshold=0.7)
        metadata.attach(model, metadata.describe(sure, precision, 1, any_size))
        entry = model.metadata_props.add()
        entry.key, entry.value = "owner", "somebody else, ஒருவர்"
        path = tmp_path_factory.mktemp("model") / f"model{suffix}"
        if suffix == ".ort":
            path.write_bytes(ort_bytes(model))
        else:
            onnx.save(model, path)
        return path

    return run


@pytest.mark.parametrize("precision", ["fp32", "fp16", "fp16-compute", "int8", "int8-u8", "int4-weights"])
def test_nothing_else_changes(make: Make, crops: Path, tmp_path: Path, precision: str) -> None:
    model, out = make(precision=precision), tmp_path / "new" / "mine.onnx"
    found = calibrate_file(model, crops, out)
    before, after = onnx.load(model), onnx.load(out)
    assert after.graph.SerializeToString() == before.graph.SerializeToString()
    said = [{entry.key: entry.value for entry in each.metadata_props} for each in (before, after)]
    texts = [json.loads(each.pop(METADATA_KEY)) for each in said]
    assert said[0] == said[1] == {"owner": "somebody else, ஒருவர்"}
    assert texts[1] == texts[0] | found.scripts.after._asdict() != texts[0]
    assert list(texts[0]) == list(texts[1])
    # Nor anything outside: with the old text the new file is the old one, byte for byte.
    for entry in after.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = next(each.value for each in before.metadata_props if each.key == METADATA_KEY)
    assert after.SerializeToString() == model.read_bytes()
    assert model.read_bytes() == onnx.load(model).SerializeToString()
    image = load_image(next((crops / "none").iterdir()))
    assert ScriptIdentifier(out).identify(image).best == ScriptIdentifier(model).identify(image).best


def test_an_ort_file(make: Make, crops: Path, tmp_path: Path) -> None:
    model, out = make(suffix=".ort"), tmp_path / "mine.ort"
    found = calibrate_file(model, crops, out)
    old, new = model.read_bytes(), out.read_bytes()
    changed = [i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    assert len(new) > len(old) and changed and changed[-1] - changed[0] < 4  # the place of the text, no more
    said = [load_content("model", each)[0].get_modelmeta().custom_metadata_map for each in (old, new)]
    texts = [json.loads(each.pop(METADATA_KEY)) for each in said]
    assert said[0] == said[1] == {"owner": "somebody else, ஒருவர்"}
    assert texts[1] == texts[0] | found.scripts.after._asdict() != texts[0]
    again = calibrate_file(out, crops, tmp_path / "again.ort")
    assert again.scripts.after == found.scripts.after and again.scripts.before == found.scripts.after


def test_the_figures_are_those_of_evaluate(make: Make, crops: Path, tmp_path: Path) -> None:
    model, out = make(), tmp_path / "mine.onnx"
    seen: list[tuple[int, int]] = []
    found = calibrate_file(model, crops, out, lambda *numbers: seen.append(numbers))
    assert (found.path, found.words, found.non_text, found.orientation) == (out, 180, 40, None)
    assert seen[-1] == (220, 220) and len(seen) == 220
    before, after = evaluate(model, crops).report, evaluate(out, crops).report
    change = found.scripts
    assert change.before == (0.05, 0.7) and change.accuracy == pytest.approx(before.accuracy, abs=ACCURACY)
    for figures, report, tolerance in (
        (change.figures_before, before, ACCURACY),
        (change.figures_after, after, 0.06),  # of other fifths
    ):
        assert figures.calibration_error == pytest.approx(report.calibration_error, abs=tolerance)
        assert figures.right_kept == pytest.approx(report.threshold.right_words_kept, abs=tolerance)
        assert figures.turned_away == pytest.approx(
            report.threshold.non_text_unknown, abs=0.2 if tolerance > 0.01 else 0
        )
    assert before.calibration_error > 0.15 > 2 * after.calibration_error
    assert after.threshold.right_words_kept is not None and after.threshold.right_words_kept >= KEEP


def test_the_temperature_is_the_most_likely_one(make: Make, crops: Path, tmp_path: Path) -> None:
    found = calibrate_file(make(), crops, tmp_path / "mine.onnx")
    identifier = ScriptIdentifier(tmp_path / "mine.onnx")
    best = found.scripts.after.temperature
    words = [path for path in sorted(crops.rglob("*.png")) if path.parent.name != "none"]
    labels = [label.name for label in identifier.labels]
    scores = [identifier.identify(path).scores for path in words]
    logs = [[np.log(each[label]) for label in labels] for each in scores]
    truth = [labels.index(path.parent.name) for path in words]

    def cost(temperature: float) -> float:
        scaled = np.array(logs) * best / temperature
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(truth)), truth]))

    assert cost(best) < min(cost(best * 1.02), cost(best / 1.02))


def test_without_pictures_of_none_the_threshold_comes_down_at_most(make: Make, crops: Path, tmp_path: Path) -> None:
    words = tmp_path / "words"
    shutil.copytree(crops, words, ignore=shutil.ignore_patterns("none"))
    high = calibrate_file(make(), words, tmp_path / "high.onnx").scripts
    assert high.figures_after.turned_away is None
    assert high.after.threshold < high.before.threshold
    report = evaluate(tmp_path / "high.onnx", words).report
    assert report.threshold.right_words_kept is not None and KEEP <= report.threshold.right_words_kept < 1
    low = tmp_path / "low.onnx"
    model = onnx.load(tmp_path / "high.onnx")
    metadata.attach(model, json.loads(_text(model)) | {"threshold": 0.001})
    onnx.save(model, low)
    assert calibrate_file(low, words, tmp_path / "low-again.onnx").scripts.after.threshold == 0.001


def test_fewer_words_may_be_kept(make: Make, crops: Path, tmp_path: Path) -> None:
    words = tmp_path / "words"
    shutil.copytree(crops, words, ignore=shutil.ignore_patterns("none"))
    kept = {}
    for share in (1, 0.8):
        calibrate_file(make(), words, tmp_path / f"{share}.onnx", keep=share)
        kept[share] = evaluate(tmp_path / f"{share}.onnx", words).report.threshold.right_words_kept or 0
    assert kept[1] == 1 > kept[0.8] >= 0.8


def test_of_a_data_set_with_splits_val_is_read(make: Make, crops: Path, tmp_path: Path) -> None:
    flat = calibrate_file(make(), crops, tmp_path / "flat.onnx")
    for split in ("train", "val"):
        shutil.copytree(crops, tmp_path / "split" / split)
    (tmp_path / "split" / "train" / "Latin" / "broken.png").write_bytes(b"not read")
    of_val = calibrate_file(make(), tmp_path / "split", tmp_path / "split.onnx")
    assert of_val.scripts == flat.scripts


@pytest.mark.parametrize("any_size", [False, True])
def test_orientation(make: Make, half_right: Checkpoint, crops: Path, tmp_path: Path, any_size: bool) -> None:
    model, out = make(half_right, any_size=any_size), tmp_path / "mine.onnx"
    change = calibrate_file(model, crops, out).orientation
    assert change is not None and change.before == (0.2, 0.4)
    info = ScriptIdentifier(out).info
    assert (info.orientation_temperature, info.orientation_threshold) == change.after != change.before
    # What the SDK says of the same words, turned one after the other by 0, 90, 180 and 270 degrees.
    always = tmp_path / "always.onnx"
    told = onnx.load(model)
    metadata.attach(told, json.loads(_text(told)) | {"orientation_threshold": 0})
    onnx.save(told, always)
    identifiers = ScriptIdentifier(always), ScriptIdentifier(model)
    words = [path for folder in sorted(crops.iterdir()) if folder.name != "none" for path in sorted(folder.iterdir())]
    right, kept = [], []
    for i, path in enumerate(words):
        each, thresholded = (one.identify(np.rot90(load_image(path), -i)) for one in identifiers)
        right.append(each.orientation == i % 4 * 90)
        kept.append(thresholded.orientation is not None)
    assert change.accuracy == pytest.approx(np.mean(right), abs=ACCURACY) and 0 < change.accuracy < 1
    rightly, wrongly = np.array(kept)[right], np.array(kept)[~np.array(right)]
    assert change.figures_before.right_kept == pytest.approx(rightly.mean(), abs=ACCURACY)
    assert change.figures_before.turned_away == pytest.approx(1 - wrongly.mean(), abs=ACCURACY)
    assert change.figures_after.calibration_error < change.figures_before.calibration_error


def test_orientation_stays_where_few_words_tell_anything(
    make: Make, any_crop: Checkpoint, crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head for orientation has learned nothing: it tells some 15 of 180 words rightly, and scripts 36 wrongly."""
    monkeypatch.setattr(home, "LEAST_EACH", 25)
    model, out = make(any_crop), tmp_path / "mine.onnx"
    result = CliRunner().invoke(app, [str(model), str(crops), "--out", str(out)])
    assert result.exit_code == 0 and "The parameters of orientation stay unchanged" in result.output
    before, after = (ScriptIdentifier(path).info for path in (model, out))
    assert after == replace(before, temperature=after.temperature, threshold=after.threshold) != before


def test_what_cannot_be_fitted_to_is_refused(make: Make, crops: Path, data: Path, tmp_path: Path) -> None:
    model, out = make(), tmp_path / "mine.onnx"

    def folder(name: str, **counts: int) -> Path:
        root = tmp_path / name
        for label, count in counts.items():
            (root / label).mkdir(parents=True)
            for i in range(count):
                source = sorted((data / "train" / label if label in ("Arabic", "Latin") else crops / "none").iterdir())
                shutil.copy(source[i % len(source)], root / label / f"{i}.png")
        return root

    for root, message in (
        (tmp_path / "nowhere", r"cannot read a data set from .*nowhere: it is missing"),
        (folder("few", Arabic=50, Latin=49), r"few holds 99 words, too few for calibration: at least 100 are needed"),
        (
            folder("one", Latin=120, none=30),
            r"one holds words of Latin alone: words of at least two of the model's scripts",
        ),
        (folder("thin", Arabic=60, Latin=60, none=3), r"thin holds 3 pictures in none, too few to fit a threshold"),
        (
            folder("foreign", Arabic=60, Latin=60, Thai=1, Odia=2),
            r"foreign holds Oriya, Thai, which the model does not know: .* The model knows Arabic, Latin, runes",
        ),
        (
            folder("easy", Arabic=60, Latin=60),
            r"gets 1\d\d of the 120 words of .*easy right and [0-4] wrong: at least 5 of each are needed",
        ),
    ):
        with pytest.raises(ScriptkdError, match=message) as error:
            calibrate_file(model, root, out)
        assert "\n" not in str(error.value)
    broken = folder("broken", Arabic=60, Latin=60)
    (broken / "Latin" / "x.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"x\.png"):
        calibrate_file(model, broken, out)
    assert not out.exists()


def test_what_cannot_be_written_is_refused(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any crop is looked at: there are none."""
    model, nowhere = make(), tmp_path / "nowhere"
    there = tmp_path / "there.onnx"
    there.write_bytes(b"precious")
    for out, message in (
        (there, r"there\.onnx exists already; --out needs a new file"),
        (model, r"model\.onnx is the model itself; --out needs a new file"),
        (tmp_path / "mine.ort", r"--out must end in \.onnx, as the model does, not be mine\.ort"),
        (tmp_path / "mine", r"--out must end in \.onnx"),
        (there / "x.onnx", r"there\.onnx is a file; --out needs a folder there"),
    ):
        with pytest.raises(ScriptkdError, match=message):
            calibrate_file(model, nowhere, out)
    with pytest.raises(ScriptkdError, match=r"--out must end in \.ort, as the model does, not be x\.onnx"):
        calibrate_file(make(suffix=".ort"), nowhere, tmp_path / "x.onnx")
    assert there.read_bytes() == b"precious"


def test_damaged_models_are_refused(make: Make, crops: Path, tmp_path: Path) -> None:
    damaged, out = tmp_path / "damaged.onnx", tmp_path / "mine.onnx"
    model = onnx.load(make())
    for content, message in (
        (model.SerializeToString()[:-3000], "not an ONNX file that onnxruntime can load"),
        (b"", "not an ONNX file that onnxruntime can load"),
        (_without_metadata(model).SerializeToString(), "an ONNX file without scriptkd's metadata"),
    ):
        damaged.write_bytes(content)
        with pytest.raises(ModelError, match=message):
            calibrate_file(damaged, crops, out)
    with pytest.raises(ModelError, match="no such model file"):
        calibrate_file(tmp_path / "none.onnx", crops, out)


def test_the_command(make: Make, half_right: Checkpoint, crops: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.onnx"
    result = CliRunner().invoke(app, [str(make(half_right)), str(crops), "--out", str(out)])
    assert result.exit_code == 0, result.output
    text = re.sub(r"\s+", " ", result.output)
    assert "180 words," in text and "40 pictures without text." in text
    for row in ("scripts before", "scripts after", "orientation before", "orientation after"):
        assert row in text
    assert "scripts before │ 0.050 │ 0.700" in text and f"Written: {out}" in text
    assert "no pictures without text" not in text and "orientation stay unchanged" not in text


def test_the_command_takes_a_bundled_model_by_name(crops: Path, tmp_path: Path) -> None:
    assert "student" in bundled_models()
    result = CliRunner().invoke(app, ["student", str(crops), "--out", str(tmp_path / "mine.onnx")])
    assert isinstance(result.exception, ScriptkdError) and "runes, which the model does not know" in str(
        result.exception
    )


def test_scriptkd_finds_the_command() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    module, _, name = project["entry-points"]["scriptkd.commands"]["calibrate"].partition(":")
    assert getattr(import_module(module), name) is calibrate


def _text(model: onnx.ModelProto) -> str:
    return next(entry.value for entry in model.metadata_props if entry.key == METADATA_KEY)


def _without_metadata(model: onnx.ModelProto) -> onnx.ModelProto:
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.metadata_props[:]
    return bare
