"""`scriptkd model show`: what a model file says about itself."""

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
        str | None, typer.Argument(metavar="[NAME|FILE]", help="A model of the package, or a file; else the default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object instead of a table.")] = False,
) -> None:
    """Show what a model file (.onnx or .ort) says about itself; it is loaded and run on a blank image first.

    A model file is a program, which may compute for as long as it likes: open only files from those whom you trust.

    Exit status: 0 all well, 2 a file that is no usable model.
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
    """Fields as text, those inside others by their path; labels on one line, numbered as the outputs are."""
    for key, value in fields.items():
        path = _escaped(f"{prefix}{key}")
        if key == "labels" and not prefix:
            yield path, _escaped(", ".join(f"{i} {each['name']} ({each['code']})" for i, each in enumerate(value)))
        elif isinstance(value, Mapping) and value:
            yield from _rows(value, f"{prefix}{key}.")
        else:
            yield path, _escaped(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    """Text without control characters, which a file from elsewhere could play tricks on a terminal with."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
