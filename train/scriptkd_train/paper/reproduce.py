"""A matrix of recipes x seeds as a resumable list of jobs: Table 6 of the paper, or any recipes to compare.

Every job runs the chain in its own folder, `out/seed-<seed>/<row>/`, and measures each of its networks on the test
split. Jobs whose recipes begin with the same stages share them, so that one teacher serves all its rows. Any number of
processes, on any machines with access to `out`, may work on one matrix. Each process takes a whole job at a time. So a
job's batch size and result do not depend on the number of processes.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from rich.console import Console

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.data.dataset import NON_TEXT, fingerprint, read_dataset, splits_of
from scriptkd_train.data.inspect import inspect
from scriptkd_train.engine.chain import train_chain
from scriptkd_train.engine.run import changed_stages, read_run
from scriptkd_train.evaluation.evaluate import predict_scores
from scriptkd_train.models.checkpoint import load_checkpoint
from scriptkd_train.models.networks import parameter_count
from scriptkd_train.paper.collect import read_facts
from scriptkd_train.recipe import Recipe, load_recipe
from scriptkd_train.utils.files import named
from scriptkd_train.utils.writable import check_folder

TEACHERS = ("inceptionv3", "efficientnet-b4", "vgg19")
ALONE, DIRECT = "alone", "-direct"
STUDENT, TEACHER = "student", "teacher"
_FINGERPRINTS = {"train": "data_sha256", "val": "val_sha256", "test": "test_sha256"}  # split -> key of matrix.json
POLL = 5.0  # seconds between checks for a free job


def paper_rows(scale: str, teachers: Sequence[str] = TEACHERS) -> dict[str, Recipe]:
    """Row -> recipe for the paper's Table 6: each teacher through the assistant and directly, and the student alone.

    The directly taught student learns by eq. 4, since the third term of eq. 5 needs the assistant's LSTM. Everything
    else is the same in all rows, including the student's initial weights and the order of images.

    Raises:
        ArgumentError: a teacher is unknown.
    """
    if unknown := [name for name in teachers if name not in TEACHERS]:
        raise ArgumentError(f"unknown teacher {unknown[0]!r}: it must be one of {', '.join(TEACHERS)}")
    chains = {name: load_recipe(f"paper-{name}" + ("-cpu" if scale == "cpu" else "")) for name in teachers}
    rows = dict(chains)
    for name, chain in chains.items():
        student = chain.stages[STUDENT]
        assert student.distil is not None  # the paper's recipe has it
        by_teacher = student.distil.model_copy(update={"teacher": TEACHER, "match": {}})
        direct = {TEACHER: chain.stages[TEACHER], STUDENT: student.model_copy(update={"distil": by_teacher})}
        rows[name + DIRECT] = chain.model_copy(update={"stages": direct})
        rows[ALONE] = chain.model_copy(update={"stages": {STUDENT: student.model_copy(update={"distil": None})}})
    return rows


@dataclass(frozen=True)
class Job:
    """One recipe with one seed, run in `folder`. shared: stage -> folder of the other job that trains the stage."""

    row: str
    seed: int
    recipe: Recipe
    folder: Path
    shared: Mapping[str, Path]

    @property
    def name(self) -> str:
        """The name of the job in messages."""
        return f"seed {self.seed}, {self.row}"

    @property
    def own(self) -> list[str]:
        """The stages that this job measures: the stages that it trains, and always the last one."""
        *earlier, last = self.recipe.stages
        return [*(stage for stage in earlier if stage not in self.shared), last]

    def done(self) -> bool:
        """Whether all its stages are measured."""
        return all(measured(self.folder, stage) for stage in self.own)

    def ready(self) -> bool:
        """Whether all stages that other jobs train for this one are finished.

        Raises ArgumentError if such a stage was measured but its checkpoint is gone. No job trains a measured stage
        again.
        """
        for stage, folder in self.shared.items():
            if not (path := folder / f"{stage}.pt").exists():
                if measured(folder, stage):
                    raise ArgumentError(
                        f"{path} is gone, and {self.name} needs it: put it back, or delete {stage}.test.npz beside it "
                        "to train it again"
                    )
                return False
        return True


def plan_jobs(rows: Mapping[str, Recipe], seeds: Sequence[int], out: Path) -> list[Job]:
    """All jobs, seed by seed. Stages that an earlier row of the same seed trains identically are shared."""
    jobs: list[Job] = []
    for seed in seeds:
        trained: dict[str, Path] = {}  # settings of a stage and all stages before it -> the folder that trains it
        for row, recipe in rows.items():
            recipe = recipe.model_copy(update={"seed": seed})
            folder, shared = out / f"seed-{seed}" / row, {}
            content: list[Any] = [recipe.precision]
            for stage, spec in recipe.stages.items():
                content.append([stage, spec.model_dump()])
                provider = trained.setdefault(json.dumps(content), folder)
                if provider != folder:
                    shared[stage] = provider
            jobs.append(Job(row, seed, recipe, folder, shared))
    return jobs


def measured(folder: Path, stage: str) -> bool:
    """Whether a stage is trained and measured; its scores are written last."""
    return (folder / f"{stage}.test.npz").exists()


def reproduce(
    rows: Mapping[str, Recipe], seeds: Sequence[int], data: Path, out: Path, kind: str, console: Console
) -> None:
    """Work on the matrix until it is complete, by this process or others (see the module's docstring).

    kind: the kind of rows, for example "paper, cpu", stored in `out/matrix.json` for the report.

    Raises:
        ArgumentError: the data lacks a train, val or test split; `out` holds another kind of matrix, other data or runs
            of other recipes; a shared checkpoint was deleted; the file system has no locks.
        TrainingError: a loss became NaN or infinite.
    """
    if missing := [split for split in ("train", "val", "test") if split not in splits_of(data)]:
        raise ArgumentError(f"{data} has no {missing[0]} split; train, val and test are needed")
    check_folder(out)
    jobs = plan_jobs(rows, seeds, out)
    _describe(rows, seeds, data, out, kind)
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    devices, device_name = _device()
    said_waiting = False
    while remaining := [job for job in jobs if not job.done()]:
        job = lock = None
        for candidate in filter(Job.ready, remaining):
            if (lock := _lock(candidate.folder)) is not None:
                job = candidate
                break
        if job is None or lock is None:
            if not said_waiting:
                console.print(
                    f"other processes hold the remaining {len(remaining)} jobs; waiting for them", highlight=False
                )
                said_waiting = True
            time.sleep(POLL)
            continue
        with lock:
            if job.done():  # another process did the job before this one got the lock
                continue
            started = time.perf_counter()
            console.print(f"[{rank}] {job.name}: {', '.join(job.own)}", highlight=False, markup=False)
            _borrow(job)
            train_chain(job.recipe, job.row, data, job.folder, devices, console if world == 1 else None)
            for stage in job.own:
                if not measured(job.folder, stage):
                    _measure(job.folder, stage, data, device_name)
            seconds = time.perf_counter() - started
            console.print(f"[{rank}] {job.name}: done in {seconds:.0f} s", highlight=False, markup=False)


def _describe(rows: Mapping[str, Recipe], seeds: Sequence[int], data: Path, out: Path, kind: str) -> None:
    """Check that the contents of `out` fit. Write or extend `out/matrix.json`, and write `out/data.json` if missing."""
    out.mkdir(parents=True, exist_ok=True)
    content = {"kind": kind, "rows": list(rows), "seeds": list(seeds), "data": str(data.resolve())}
    for split, key in _FINGERPRINTS.items():
        content[key] = fingerprint(read_dataset(data, split))
    with FileLock(out / ".lock"):
        path = out / "matrix.json"
        if path.exists():
            old = read_facts(path)
            if old["kind"] != kind:
                raise ArgumentError(f"{out} holds a matrix of kind {old['kind']!r}, not {kind!r}; give another --out")
            for split, key in _FINGERPRINTS.items():
                if old.get(key, content[key]) != content[key]:  # older versions kept only the train split's fingerprint
                    raise ArgumentError(f"{out} holds runs on another {split} split; give another --out")
            for row, recipe in rows.items():
                for run in out.glob(f"seed-*/{row}/run.json"):
                    if changed_stages(run.parent, read_run(run)[1], recipe):
                        raise ArgumentError(f"{run.parent} holds another recipe's run; give another --out or delete it")
            content["rows"] = [*old["rows"], *(row for row in rows if row not in old["rows"])]
            content["seeds"] = sorted({*old["seeds"], *seeds})
        _write(path, json.dumps(content, indent=2) + "\n")
        if not (out / "data.json").exists():
            _write(out / "data.json", json.dumps(_data_facts(data), indent=2) + "\n")


def _data_facts(data: Path) -> dict[str, Any]:
    """Facts about the data for the report: counts by script and split, differences from CVSI-2015, duplicates."""
    report = inspect(data)
    described = data / "dataset.json"
    return {
        "name": data.resolve().name,
        "rendered": described.exists(),  # written by the renderer
        "counts": {split: dict(sorted(report.counts(split).items())) for split in report.items},
        "notes": report.notes,
        "unreadable": len(report.unreadable),
        "exact_duplicates": len(report.exact),
        "near_duplicates": len(report.near),
    }


def _device() -> tuple[int | str, str]:
    """The devices of this process, for Fabric and for the report. Processes of torchrun divide the GPUs among them."""
    if not torch.cuda.is_available():
        threads = torch.get_num_threads()
        return 1, f"CPU, {threads} thread{'s' if threads > 1 else ''}"
    index = int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count()
    torch.cuda.set_device(index)
    return f"{index},", torch.cuda.get_device_name(index)


def _lock(folder: Path) -> FileLock | None:
    """Acquire the lock of a job's folder; None if another process holds it. A dying process releases its lock."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    except NotImplementedError as error:
        raise ArgumentError(
            f"the file system of {folder} does not support locks; give an --out on one that does"
        ) from error
    return lock


def _borrow(job: Job) -> None:
    """Link or copy the checkpoints of shared stages into the job's folder, where the chain finds them as finished."""
    for stage, folder in job.shared.items():
        target, draft = job.folder / f"{stage}.pt", job.folder / f".{stage}.pt"
        draft.unlink(missing_ok=True)
        try:
            os.link(folder / f"{stage}.pt", draft)
        except OSError:  # the file system has no hard links
            shutil.copyfile(folder / f"{stage}.pt", draft)
        draft.replace(target)
        draft.unlink(missing_ok=True)  # a rename between two links of one file does nothing


def _measure(folder: Path, stage: str, data: Path, device: str) -> None:
    """Write facts about a trained stage (`<stage>.test.json`), then its scores on the test split (`<stage>.test.npz`).

    npz: labels [K]; files [N], relative to the data set; truth int64 [N], index of a label; scores float32 [N, K].
    """
    path = folder / f"{stage}.pt"
    items = [item for item in read_dataset(data, "test") if item.label != NON_TEXT]
    started = time.perf_counter()
    labels, scores, failures = predict_scores(path, items)
    seconds = time.perf_counter() - started
    checkpoint = load_checkpoint(path)
    facts = {
        "network": checkpoint.network,
        "parameters": parameter_count(checkpoint.build()),
        "bytes": path.stat().st_size,
        "metrics": checkpoint.metrics,
        "device": device,
        "unreadable": len(failures),
        "test_seconds": seconds,
    }
    _write(folder / f"{stage}.test.json", json.dumps(facts, indent=2) + "\n")
    kept = [i for i in range(len(items)) if i not in failures]
    draft = folder / f".{stage}.test.npz"
    np.savez_compressed(
        draft,
        labels=np.array(labels),
        files=np.array([items[i].identity.relative_to(data).as_posix() for i in kept]),
        truth=np.array([labels.index(items[i].label) for i in kept]),
        scores=scores[kept].astype(np.float32),
    )
    draft.replace(folder / f"{stage}.test.npz")


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")  # one draft per process, as others may write this file
    with named(path):
        draft.write_text(text)
        draft.replace(path)
