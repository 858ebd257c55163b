"""One table of the export precisions, with what each may lose.

This module imports no library, so that the command line can show its help without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Precision(StrEnum):
    """The precision of weights and of computation. Its name is the field `precision` in a file's metadata."""

    fp32 = "fp32"
    fp16 = "fp16"
    fp16_compute = "fp16-compute"
    int8 = "int8"
    int8_u8 = "int8-u8"
    int4_u8 = "int4-u8"
    int8_dynamic = "int8-dynamic"
    int8_weights = "int8-weights"
    int4_weights = "int4-weights"

    @property
    def spec(self) -> PrecisionSpec:
        """Its row in the table."""
        return SPECS[self]


class Calibration(StrEnum):
    """How the range of an activation is computed from its values on images."""

    minmax = "minmax"  # the range that holds all values
    entropy = "entropy"  # the range whose 8-bit histogram is closest to the true one (KL divergence)
    percentile = "percentile"  # the range that holds 99.999 % of the values


@dataclass(frozen=True)
class Limits:
    """How far a file may differ from torch in float32. A file is refused if the images prove a larger loss.

    Attributes:
        drop: percentage points of accuracy.
        score_shift: the largest difference among an image's scores, averaged over images.
        embedded_shift: difference of any score between pre-processing in the file and by the SDK, before the same
            network.
    """

    drop: float
    score_shift: float
    embedded_shift: float


@dataclass(frozen=True)
class PrecisionSpec:
    """A row of the table of precisions.

    Attributes:
        description: text for people.
        limits: how far a file may differ from torch.
        calibrated: whether activation ranges are found on real images.
        ort: whether an .ort file keeps this precision. Otherwise onnxruntime unpacks the weights before it writes the
            file.
        automatic: whether `auto` tries it.
    """

    description: str
    limits: Limits
    calibrated: bool = False
    ort: bool = False
    automatic: bool = True


# The last bit of a float can move a rounded activation to the next level.
_FLOAT = Limits(drop=0.0, score_shift=0.0, embedded_shift=1e-3)  # the same numbers as torch
_FLOAT16 = Limits(drop=0.5, score_shift=0.01, embedded_shift=1e-3)
_ROUNDED_FLOAT16 = Limits(drop=0.5, score_shift=0.01, embedded_shift=1e-2)
_WEIGHTS = Limits(drop=1.0, score_shift=0.05, embedded_shift=1e-3)
_ROUNDED = Limits(drop=1.0, score_shift=0.05, embedded_shift=1e-2)

SPECS = MappingProxyType(
    {
        Precision.fp32: PrecisionSpec("float32", _FLOAT, ort=True),
        Precision.fp16: PrecisionSpec("float16 weights, computed in float32", _FLOAT16),
        Precision.fp16_compute: PrecisionSpec(
            "weights and computation in float16", _ROUNDED_FLOAT16, automatic=False
        ),  # meant for processors with float16 arithmetic, so `auto` does not try it
        Precision.int8: PrecisionSpec(
            "weights and activations in 8 bits (static, S8S8)", _ROUNDED, calibrated=True, ort=True
        ),
        Precision.int8_u8: PrecisionSpec(
            "weights in 7 bits and activations in 8 (static, U8S8)", _ROUNDED, calibrated=True, ort=True
        ),
        Precision.int4_u8: PrecisionSpec(
            "weights in 4 bits and activations in 8 (static, U8S8)", _ROUNDED, calibrated=True
        ),
        Precision.int8_dynamic: PrecisionSpec(
            "LSTMs and linear layers in 8 bits, activation ranges found at each call", _ROUNDED, ort=True
        ),
        Precision.int8_weights: PrecisionSpec("int8 weights, computed in float32", _WEIGHTS),
        Precision.int4_weights: PrecisionSpec("weights in 4 bits (LSTMs in 8), computed in float32", _WEIGHTS),
    }
)
