"""Ground-truth files, line by line and as JSON. Errors name the file and the line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scriptkd_sdk.errors import ArgumentError


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, without line ends, and their numbers from 1.

    Raises:
        ArgumentError: the file is missing, cannot be read or is not UTF-8.
    """
    try:
        # Split at line feeds alone: transcriptions hold other signs that Python takes for ends of lines.
        for number, line in enumerate(path.read_bytes().decode("utf-8-sig").split("\n"), 1):
            if text := line.strip("\r \t"):
                yield number, text
    except OSError as error:
        raise ArgumentError(f"cannot read the ground truth {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"cannot read the ground truth {path}: it is not UTF-8") from error


def broken_line(path: Path, number: int, line: str, wanted: str) -> ArgumentError:
    """The error for a line of another form than the set's."""
    return ArgumentError(f"{path}, line {number}: {_short(line)} is not {wanted}")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        ArgumentError: the file is missing, or holds something else.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ArgumentError(f"cannot read the ground truth {path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise ArgumentError(f"{path}, line {error.lineno}: it is not JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"cannot read the ground truth {path}: it is not UTF-8") from error
    if not isinstance(content, dict):
        raise ArgumentError(f"{path}, line 1: it must hold a JSON object, not {_short(content)}")
    return content


def broken_entry(path: Path, key: str, found: object, wanted: str, inner: str | None = None) -> ArgumentError:
    """The error for an entry of a JSON file that is not of the set's form.

    inner: the entry inside it that is broken, if any.
    """
    text = path.read_text("utf-8-sig")
    place = _find(text, key, 0)
    if inner is not None:
        place = _find(text, inner, place)
    number = text.count("\n", 0, place) + 1
    name = key if inner is None else f"{key}, {inner}"
    return ArgumentError(f"{path}, line {number}: {name} holds {_short(found)}, which is not {wanted}")


def _find(text: str, key: str, start: int) -> int:
    """Return where a key begins, at or after `start`, with plain or escaped letters; `start` if it is missing."""
    places = (text.find(json.dumps(key, ensure_ascii=escaped), start) for escaped in (True, False))
    return max(*places, start)


def _short(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 80 else text[:77] + "..."
