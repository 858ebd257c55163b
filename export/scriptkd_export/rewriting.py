"""Replace the metadata text of a model file, .onnx or .ort. Everything else stays unchanged."""

from __future__ import annotations

import struct

import onnx
from google.protobuf.message import DecodeError

from scriptkd_sdk.errors import ModelError
from scriptkd_sdk.model_cli import ORT_MARK
from scriptkd_sdk.modelfile import METADATA_KEY

# Field numbers in onnxruntime's FlatBuffer schema of .ort files.
_SESSION_MODEL, _MODEL_METADATA, _ENTRY_KEY, _ENTRY_VALUE = 1, 9, 0, 1


def suffix_of(content: bytes) -> str:
    """Return the suffix for a file with this content: .onnx or .ort."""
    return ".ort" if content[4:8] == ORT_MARK else ".onnx"


def with_metadata(content: bytes, text: str) -> bytes:
    """Return a model file with `text` as its scriptkd metadata; the graph and other properties are unchanged.

    Args:
        content: the content of a .onnx or .ort file that the SDK can open.
        text: the new metadata, JSON.

    Returns:
        The new file's content.

    Raises:
        ModelError: the onnx package cannot read the .onnx file, though onnxruntime can.
    """
    if suffix_of(content) == ".ort":
        return _with_text(content, text.encode())
    try:
        model = onnx.load_from_string(content)
    except DecodeError as error:
        raise ModelError(f"the onnx package cannot read it: {error}") from error
    for entry in model.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = text
    rewritten: bytes = model.SerializeToString()
    return rewritten


def _with_text(content: bytes, text: bytes) -> bytes:
    """Append a text to an .ort file and point the metadata at it, so that no other byte moves.

    A FlatBuffer refers to a text by a forward offset in bytes.
    """
    buffer = bytearray(content)
    model = _target(buffer, _field(buffer, _target(buffer, 0), _SESSION_MODEL))
    entries = _target(buffer, _field(buffer, model, _MODEL_METADATA))
    (count,) = struct.unpack_from("<I", buffer, entries)
    for index in range(count):
        entry = _target(buffer, entries + 4 + 4 * index)
        key = _target(buffer, _field(buffer, entry, _ENTRY_KEY))
        (length,) = struct.unpack_from("<I", buffer, key)
        if bytes(buffer[key + 4 : key + 4 + length]) == METADATA_KEY.encode():
            place = _field(buffer, entry, _ENTRY_VALUE)
            buffer += bytes(-len(buffer) % 4)
            struct.pack_into("<I", buffer, place, len(buffer) - place)
            buffer += struct.pack("<I", len(text)) + text + b"\0"
            buffer += bytes(-len(buffer) % 4)
    return bytes(buffer)


def _target(buffer: bytearray, place: int) -> int:
    """The position that the offset at `place` points to."""
    (distance,) = struct.unpack_from("<I", buffer, place)
    return place + int(distance)


def _field(buffer: bytearray, table: int, number: int) -> int:
    """The position of a table's field, from the offsets in its vtable."""
    (back,) = struct.unpack_from("<i", buffer, table)
    (distance,) = struct.unpack_from("<H", buffer, table - back + 4 + 2 * number)
    return table + int(distance)
