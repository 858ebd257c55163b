"""Writes benchmarks/arm64.md: AArch64 instructions per image, which have no noise, and an estimate of the time.

The page is also the last section of benchmarks/RESULTS.md.

The networks of a recipe are measured in float32 and int8. Their weights are random, which does not change the count.
Model files may be named as well.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import onnx
import onnxruntime
import typer
from onnx import helper

from scriptkd_bench.devices import devices_section
from scriptkd_bench.report import AARCH64, append_counts
from scriptkd_export import draw_samples, export_graph, export_onnx, quantize_int8
from scriptkd_sdk import ScriptIdentifier
from scriptkd_sdk.modelfile import METADATA_KEY, MODELS, bundled_models
from scriptkd_train.models.checkpoint import Checkpoint
from scriptkd_train.models.networks import build_network
from scriptkd_train.recipe import load_recipe
from scriptkd_train.synth.render import SCRIPTS
from scriptkd_train.utils.markdown import markdown_table

ROOT = Path(__file__).resolve().parents[2]
COUNTER = ROOT / "build" / "arm64" / "counter" / "build"
OUT = ROOT / "benchmarks" / AARCH64
RESULTS = OUT.with_name("RESULTS.md")
DEVICES = OUT.with_name("devices")
CPUS = ("cortex-a53", "cortex-a76")
FEW, MANY = 1, 10  # counted calls: of a network for large images, and of any other
LARGE = 30_000  # values of an input that counts as large
# Core -> clock in GHz, assumed instructions a cycle for this kind of code, and the counted instruction set.
CORES = {
    "Cortex-A53, 1.4 GHz (Raspberry Pi 3B+)": (1.4, 0.8, "cortex-a53"),
    "Cortex-A55, 2.0 GHz (little core of a phone)": (2.0, 0.9, "cortex-a76"),
    "Cortex-A72, 1.8 GHz (Raspberry Pi 4)": (1.8, 1.4, "cortex-a53"),
    "Cortex-A76, 2.4 GHz (Raspberry Pi 5)": (2.4, 2.2, "cortex-a76"),
}

INTRODUCTION = """\
# Cost on AArch64

Instructions that onnxruntime executes for one image, counted by an emulator. The count repeats to about
0.2 %, whatever else the machine does. It is a cost, not a time. Made by `make bench-arm64`.

- onnxruntime {version}, one thread, a crop of 114x39 pixels; millions of instructions per image
- CPU names stand for instruction sets: cortex-a76 has an 8-bit dot product, cortex-a53 has none
- run: a bare session.run. identify: the Python SDK's whole call on an array, with pre-processing
- int8: weights and activations in 8 bits; int4-u8: weights stored in 4 bits, computed as int8
- networks named after a recipe have random weights, which do not change the count
"""
ESTIMATE = """\
## Estimated time

Nobody has run these on such a device. The time is the count divided by the clock frequency and by the instructions a
cycle. The instructions a cycle are an assumption, for dense arithmetic from the first-level cache. The true time may be
half or twice the estimate: memory, other load and throttling add time, and onnxruntime's Android build may have other
kernels. Measure with `scriptkd bench` on the device.
Milliseconds for one run:
"""


@dataclass(frozen=True)
class Row:
    """counts: CPU -> instructions of a bare session.run. whole: of the SDK's identify, if counted."""

    name: str
    precision: str
    input_shape: tuple[int, ...]
    counts: dict[str, float]
    whole: dict[str, float]


def main(
    models: Annotated[list[Path] | None, typer.Argument(help="Model files (.onnx) besides the bundled ones.")] = None,
    recipes: Annotated[
        list[str] | None, typer.Option("--recipe", help="Recipe to build. Default: mobile and the paper's.")
    ] = None,
) -> None:
    """Count instructions."""
    with tempfile.TemporaryDirectory(prefix="scriptkd-arm64-") as name:
        bundled = [(f"bundled {each}", MODELS / f"{each}.onnx") for each in bundled_models()]
        subjects = [*bundled, *((path.stem, path) for path in models or [])]
        for recipe in recipes or ["mobile", "paper-inceptionv3"]:
            subjects += untrained(recipe, Path(name))
        identifiers = [ScriptIdentifier(path) for _, path in subjects]
        shapes = [each.preprocessing.apply(np.zeros((39, 114, 3), np.uint8)).shape for each in identifiers]
        calls = [FEW if np.prod(shape) > LARGE else MANY for shape in shapes]
        jobs = [("run", number, path) for number, (_, path) in zip(calls, subjects, strict=True)]
        with ThreadPoolExecutor() as pool:
            whole_calls = [("identify", MANY, path) for _, path in bundled]
            found = pool.map(lambda cpu: per_call([*jobs, *whole_calls], cpu), CPUS)
            counts = dict(zip(CPUS, found, strict=True))
    whole = [{cpu: counts[cpu][len(jobs) + index] for cpu in CPUS} for index in range(len(bundled))]
    whole += [{}] * (len(subjects) - len(bundled))
    rows = [
        Row(title, each.info.precision, shape, {cpu: counts[cpu][index] for cpu in CPUS}, whole[index])
        for index, ((title, _), each, shape) in enumerate(zip(subjects, identifiers, shapes, strict=True))
    ]
    OUT.write_text(markdown(rows), "utf-8")
    if RESULTS.is_file():
        append_counts(RESULTS, OUT.read_text("utf-8"))
    print(OUT.read_text("utf-8"))


def untrained(recipe: str, folder: Path) -> list[tuple[str, Path]]:
    """Export the stages of a recipe in float32 and int8, with random weights. Return each file's name and path."""
    found = []
    for stage, plan in load_recipe(recipe).stages.items():
        preprocessing, arguments = plan.input.preprocessing(), plan.network.arguments
        arguments = {**arguments, "pretrained": False} if "pretrained" in arguments else arguments
        network = build_network(plan.network.name, len(SCRIPTS), preprocessing, **arguments)
        checkpoint = Checkpoint(plan.network.name, arguments, list(SCRIPTS), preprocessing, network.state_dict())
        path = folder / f"{recipe}-{stage}.onnx"
        samples = draw_samples(8)
        export_onnx(checkpoint, path, samples)
        floats = onnx.load(path)
        (text,) = (entry.value for entry in floats.metadata_props if entry.key == METADATA_KEY)
        images = [preprocessing.apply(image)[None] for image in samples.images]
        small = quantize_int8(export_graph(checkpoint), images)
        helper.set_model_props(small, {METADATA_KEY: json.dumps({**json.loads(text), "precision": "int8"})})
        onnx.save(small, path.with_suffix(".int8.onnx"))
        name = f"{recipe}: {stage}"
        found += [(name, path), (name, path.with_suffix(".int8.onnx"))]
    return found


def per_call(jobs: list[tuple[str, int, Path]], cpu: str) -> list[float]:
    """Return the instructions of one call for each (what, calls, model), counted in one emulated machine."""
    plugin = COUNTER / "tests" / "tcg" / "plugins" / "libinsn.so"
    environment = {**os.environ, "QEMU": str(COUNTER / "qemu-aarch64"), "QEMU_PLUGIN": f"{plugin},inline=on"}
    here = Path(__file__).parent
    command = [str(here / "python.sh"), cpu, str(here / "count.py"), *(str(word) for job in jobs for word in job)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    totals = [int(text) for text in re.findall(r"total insns: (\d+)", done.stdout + done.stderr)]
    if done.returncode or len(totals) != 3 * len(jobs) + 1:
        raise SystemExit(f"counting on {cpu} failed: {done.stderr[-2000:]}")
    idle, calling = totals[:-1:3], totals[1:-1:3]
    return [(more - less) / calls for (_, calls, _), less, more in zip(jobs, idle, calling, strict=True)]


def markdown(rows: list[Row]) -> str:
    counts, times = [], []
    for row in rows:
        cells = [millions(values.get(cpu)) for values in (row.counts, row.whole) for cpu in CPUS]
        counts.append([row.name, row.precision, "×".join(map(str, row.input_shape)), *cells])
        cells = [milliseconds(row.counts[cpu] / (clock * 1e6 * ipc)) for clock, ipc, cpu in CORES.values()]
        times.append([row.name, row.precision, *cells])
    assumed = ["*instructions a cycle assumed*", "", *(f"{ipc}" for _, ipc, _ in CORES.values())]
    heads = ["model", "precision", "input", "a53 run", "a76 run", "a53 identify", "a76 identify"]
    lines = [
        INTRODUCTION.format(version=onnxruntime.__version__),
        *markdown_table(heads, counts, text_columns=3),
        "",
        ESTIMATE,
        *markdown_table(["model", "precision", *CORES], [assumed, *times], text_columns=2),
        "",
        devices_section(DEVICES).rstrip("\n"),
    ]
    return "\n".join(lines) + "\n"


def milliseconds(number: float) -> str:
    return f"{float(f'{number:.3g}'):,g}"


def millions(number: float | None) -> str:
    return "" if number is None else f"{number / 1e6:.3g}" if number < 1e9 else f"{number / 1e6:,.0f}"


if __name__ == "__main__":
    typer.run(main)
