"""`scriptkd model show`: a model file's metadata."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from scriptkd_sdk.modelfile import ModelInfo, load_content, read_content

app = typer.Typer(no_args_is_help=True, help="Look at model files.")

ORT_MARK = b"ORTM"  # bytes 4 to 8 of an .ort file


@app.callback()
def root() -> None:
    """Look at model files."""


@app.command()
def show(
    model: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE]", help="A bundled model's name, or a file. Default: student.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object instead of a table.")] = False,
) -> None:
    """Show the metadata of a model file (.onnx or .ort). The model is first loaded and run on a blank image.

    A model file is a program, and may run for any length of time: open only files from sources that you trust.

    Exit status: 0 success, 2 not a usable model.
    """
    name, content = read_content(model)
    _, info = load_content(name, content)
    fields = _describe(name, content, info)
    if as_json:
        typer.echo(json.dumps(fields, indent=2))
        return
    rows = list(_rows(fields))
    widest = max(len(key) for key, _ in rows)
    for key, value in rows:
        typer.echo(f"{key:{widest}}  {value}")


def _describe(name: str, content: bytes, info: ModelInfo) -> dict[str, Any]:
    said = asdict(info)
    provenance = said.pop("provenance")  # the longest comes last
    return {
        "file": name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "container": "ort" if content[4:8] == ORT_MARK else "onnx",
        **said,
        "provenance": provenance,
    }


def _rows(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield fields as text. Nested fields get a dotted path; labels share a line, numbered by their output."""
    for key, value in fields.items():
        path = _escaped(f"{prefix}{key}")
        if key == "labels" and not prefix:
            yield path, _escaped(", ".join(f"{i} {each['name']} ({each['code']})" for i, each in enumerate(value)))
        elif isinstance(value, Mapping) and value:
            yield from _rows(value, f"{prefix}{key}.")
        else:
            yield path, _escaped(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    """Escape control characters, with which a file from elsewhere could control the terminal."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
