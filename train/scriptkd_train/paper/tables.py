"""The report's tables as Markdown. Columns `ours` are means over seeds ± standard deviation. A dash: not measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scriptkd_train.evaluation.cvsi_tasks import TASKS, task_accuracies
from scriptkd_train.paper.collect import Matrix
from scriptkd_train.paper.estimate import NOTHING, Estimate, estimate, points
from scriptkd_train.paper.published import (
    PARAMETERS,
    TABLE_2,
    TABLE_3_TO_5,
    TABLE_6,
    TABLE_7,
    TABLE_7_SCRIPTS,
    TEACHERS,
)
from scriptkd_train.utils.markdown import markdown_table

TEACHER, ASSISTANT, STUDENT = "teacher", "assistant", "student"
ALONE = "alone"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1) -> str:
    """A Markdown table. Columns after the first `text_columns` hold numbers, and are right-aligned."""
    return "\n".join(markdown_table(header, rows, text_columns))


def row_titles(matrix: Matrix) -> dict[str, str]:
    """Row -> its title in the report, in the order of Table 6 or of the recipes."""
    if not is_paper(matrix):
        return {row: row for row in matrix.rows}
    titles = {ALONE: "student alone"}
    for row, name in TEACHERS.items():
        titles |= {f"{row}-direct": f"{name}, direct", row: f"{name}, assistant"}
    return titles


def is_paper(matrix: Matrix) -> bool:
    """Whether the matrix is the paper's, not a comparison of recipes."""
    return matrix.kind.startswith("paper")


def table_2(matrix: Matrix) -> str:
    """Table 2: accuracy of teacher, assistant and student, the paper's and ours."""
    rows = []
    for row, name in TEACHERS.items():
        cells = [name]
        for paper, stage in zip(TABLE_2[row], (TEACHER, ASSISTANT, STUDENT), strict=True):
            cells += [f"{paper:.2f}", matrix.accuracy(row, stage).text()]
        rows.append(cells)
    columns = [f"{stage}, {whose}" for stage in (TEACHER, ASSISTANT, STUDENT) for whose in ("paper", "ours")]
    return table(["networks", *columns], rows)


def table_3_to_5(matrix: Matrix, row: str) -> str:
    """Tables 3, 4 and 5: precision, recall and F of the student by script, for one teacher."""
    rows = []
    for label in matrix.labels:
        papers = TABLE_3_TO_5[row].get(label)
        cells = [label]
        for i, what in enumerate(("precision", "recall", "f")):
            cells += [f"{papers[i]:.2f}" if papers else NOTHING, matrix.script(row, STUDENT, label, what).text()]
        rows.append(cells)
    columns = [f"{what}, {whose}" for what in ("precision", "recall", "F") for whose in ("paper", "ours")]
    return table(["script", *columns], rows)


def table_6(matrix: Matrix) -> str:
    """Table 6: the student alone, taught directly, and through the assistant."""
    rows = []
    for row in row_titles(matrix):
        teacher, ours = row.removesuffix("-direct"), matrix.accuracy(row, STUDENT)
        rows.append([
            TEACHERS.get(teacher, NOTHING), "Conv-LSTM" if row in TEACHERS else NOTHING,
            f"{TABLE_6[row]:.2f}", ours.text(), ours.interval(), str(len(ours.values)),
        ])  # fmt: skip
    return table(["teacher", "assistant", "paper", "ours", "95 % interval", "seeds"], rows, 2)


def table_7(matrix: Matrix) -> str:
    """Table 7: accuracy by script, beside the methods that the paper compares with."""

    def figures(name: str) -> list[str]:
        return [f"{value:.2f}" for value in TABLE_7[name]]

    rows = [[f"{name} (paper)", *figures(name)] for name in ("CUK", "C-DAC")]
    for row, name in TEACHERS.items():
        rows.append([f"{name} (paper)", *figures(row)])
        ours = [_hundredfold(matrix.script(row, STUDENT, label, "recall")) for label in TABLE_7_SCRIPTS]
        rows.append([f"{name} (ours)", *(e.text(1) for e in (*ours, matrix.accuracy(row, STUDENT)))])
    return table(["method", *TABLE_7_SCRIPTS, "all"], rows)


def gains(matrix: Matrix, pairs: Sequence[tuple[str, str]]) -> str:
    """The gain of the first row of each pair over the second, paired by image and by seed, beside the paper's gain."""
    titles, rows = row_titles(matrix), []
    for row, over in pairs:
        paper, ours = points(TABLE_6[row] - TABLE_6[over]), matrix.gain(row, over)
        rows.append([f"{titles[row]} over {titles[over]}", paper, ours.gain(), ours.interval(True), ours.verdict()])
    return table(["what", "paper, points", "ours, points", "95 % interval", "shown?"], rows)


def comparison(matrix: Matrix, base: str) -> str:
    """The last network of each recipe, and its gain over the recipe `base`, paired by image and by seed."""
    rows = []
    for row in matrix.rows:
        ours, gain = matrix.accuracy(row, matrix.last(row)), matrix.gain(row, base)
        network = next(iter(matrix.runs(row, matrix.last(row)).values()), None)
        size = f"{network.facts['parameters'] / 1e6:.2f}" if network else NOTHING
        gained = [gain.gain(), gain.interval(True), gain.verdict()] if row != base else [NOTHING] * 3
        rows.append([row, size, str(len(ours.values)), ours.text(), ours.interval(), *gained])
    header = ["recipe", "parameters, M", "seeds", "accuracy, %", "95 % interval"]
    return table([*header, f"over {base}, points", "95 % interval", "shown?"], rows)


def cvsi_tasks(matrix: Matrix) -> str:
    """Accuracy of each row's last network on CVSI-2015's four tasks; empty for other scripts."""
    columns: dict[str, dict[str, Estimate]] = {}
    for row, title in row_titles(matrix).items():
        runs = matrix.runs(row, matrix.last(row)).values()
        each = [task_accuracies(network.labels, network.scores, network.truth) for network in runs]
        if each and all(each):
            columns[title] = {t: estimate([100 * tasks[t].accuracy for tasks in each if t in tasks]) for t in each[0]}
    if not columns:
        return ""
    names = {"1": "1, mean of its triplets", "2": "2, north", "3": "3, south", "4": "4, all ten"}
    names |= {task: f"1, English, Hindi, {task[2:]}" for task in TASKS if task.startswith("1-")}
    nothing = Estimate(())
    rows = [[names[task], *(c.get(task, nothing).text() for c in columns.values())] for task in ("1", *TASKS)]
    return table(["task", *columns], rows)


def costs(matrix: Matrix) -> str:
    """Parameters, time and cost of every trained network. Hours are for one device and all seeds together."""
    titles, rows, total = row_titles(matrix), [], 0.0
    for row in titles:
        for stage in matrix.stages(row):
            runs = matrix.runs(row, stage).values()
            trained = [network for network in runs if network.history]
            seconds = [sum(epoch["seconds"] for epoch in network.history) for network in trained]
            epochs = max((len(network.history) for network in trained), default=0)
            facts = next(iter(runs)).facts
            per_epoch = estimate([s / len(n.history) for s, n in zip(seconds, trained, strict=True)])
            best = estimate([network.facts["metrics"]["epoch"] for network in runs])
            total += sum(seconds)
            rows.append([
                titles[row], stage, _network(matrix.recipes[row][stage]), f"{facts['parameters'] / 1e6:.2f}",
                *([_papers_parameters(row, stage)] if is_paper(matrix) else []),
                f"{facts['bytes'] / 1e6:.1f}", str(epochs), best.text(0), per_epoch.text(1),
                f"{sum(seconds) / 3600:.2f}", f"{len(trained)} × {facts['device']}",
            ])  # fmt: skip
    papers = ["paper, M"] if is_paper(matrix) else []
    header = ["row", "stage", "network", "parameters, M", *papers, "checkpoint, MB", "epochs", "best epoch"]
    rows.append(["**all**", *[""] * (len(header) - 1 + 1), f"**{total / 3600:.2f}**", ""])
    return table([*header, "s an epoch", "device hours", "runs × device"], rows, 3)


def settings(matrix: Matrix) -> str:
    """The training settings of each stage."""
    rows, seen = [], set()
    titles = row_titles(matrix)
    for row in titles:
        for stage, spec in matrix.recipes.get(row, {}).items():
            numbers = [_input(spec["input"]), str(spec["epochs"]), str(spec["batch_size"])]
            how = [_optimizer(spec["optimizer"]), spec["augment"], _distil(spec["distil"])]
            cells = [stage, _network(spec), _weights(spec), *numbers, *how]
            if tuple(cells) not in seen:
                seen.add(tuple(cells))
                rows.append(cells)
    header = ["stage", "network", "starts from", "input", "epochs", "batch", "optimiser", "augmentation", "learns by"]
    return table(header, rows, len(header))


def counts(data: Mapping[str, Any]) -> str:
    """Images by script and split."""
    splits = data["counts"]
    labels = sorted({label for row in splits.values() for label in row})
    rows = [[label, *(f"{row.get(label, 0):,}" for row in splits.values())] for label in labels]
    rows.append(["**all**", *(f"**{sum(row.values()):,}**" for row in splits.values())])
    return table(["script", *splits], rows)


def _hundredfold(value: Estimate) -> Estimate:
    return Estimate(tuple(100 * x for x in value.values))


def _papers_parameters(row: str, stage: str) -> str:
    key = row if stage == TEACHER else stage
    return f"~{PARAMETERS[key]}" if key in PARAMETERS else NOTHING


def _network(spec: Mapping[str, Any]) -> str:
    if spec["decompose"]:
        return f"{spec['decompose']['stage']}, decomposed"
    arguments = {k: v for k, v in spec["network"]["arguments"].items() if k != "pretrained" and v is not None}
    name = arguments.pop("model", None) or spec["network"]["name"]
    extra = ", ".join(key if value is True else f"{key} {value}" for key, value in arguments.items())
    return f"{name} ({extra})" if extra else str(name)


def _weights(spec: Mapping[str, Any]) -> str:
    if spec["decompose"]:
        return f"stage {spec['decompose']['stage']}"
    own = "ImageNet weights" if spec["network"]["arguments"].get("pretrained") else "random weights"
    if not (start := spec["start"]):
        return own
    origin = f"stage {start['stage']}" if start["stage"] else f"model {start['model']}"
    return f"{', '.join(start['layers'])} of {origin}, else {own}" if start["layers"] else origin


def _input(spec: Mapping[str, Any]) -> str:
    low, high = spec["width_min"], spec["width_max"]
    width = str(low) if low == high else f"{low}–{high}"
    return f"{spec['height']}×{width}×{spec['channels']}"


def _optimizer(spec: Mapping[str, Any]) -> str:
    momentum = f", momentum {spec['momentum']:g}" if spec["name"] == "sgd" else ""
    return f"{spec['name']}, lr {spec['lr']:g} {spec['schedule']}, decay {spec['weight_decay']:g}{momentum}"


def _distil(spec: Mapping[str, Any] | None) -> str:
    if spec is None:
        return "labels"
    teacher = spec["teacher"] if isinstance(spec["teacher"], str) else " + ".join(spec["teacher"])
    taus = spec["tau"] if isinstance(spec["tau"], list) else [spec["tau"]]
    answers = f"{spec['loss']} from {teacher}: α {spec['alpha']:g}, τ {', '.join(f'{tau:g}' for tau in taus)}"
    matched = [f"{match['loss']} at {point} × {match['weight']:g}" for point, match in spec["match"].items()]
    return " + ".join([answers, *matched])
