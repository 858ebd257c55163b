"""The precisions that a network can be exported in, and what is asked of each: one table.

This module imports no library, so that the command line can show its help without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Precision(StrEnum):
    """Of weights and of computation; the name is the file's `precision` in its metadata."""

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
        """What is known of it, and asked of it."""
        return SPECS[self]


class Calibration(StrEnum):
    """How the range of an activation follows from its values on images."""

    minmax = "minmax"  # all of them fit
    entropy = "entropy"  # the range whose 8-bit histogram tells most about the true one
    percentile = "percentile"  # 99.999 % of them fit


@dataclass(frozen=True)
class Limits:
    """What a file may lose against torch in float32. It is refused where the images show that it loses more.

    Attributes:
        drop: points of accuracy, of 100.
        score_shift: of an image's scores the largest difference, in the mean over images.
        embedded_shift: of any score, between pre-processing in the file and the SDK's before the same network.
    """

    drop: float
    score_shift: float
    embedded_shift: float


@dataclass(frozen=True)
class PrecisionSpec:
    """A row of the table of precisions.

    Attributes:
        description: for people.
        limits: what a file may lose.
        calibrated: whether ranges are found on real images.
        ort: whether an .ort file keeps it; of the others it holds weights in more bits, as onnxruntime restores them
            before it writes one.
        automatic: whether `auto` tries it.
    """

    description: str
    limits: Limits
    calibrated: bool = False
    ort: bool = False
    automatic: bool = True


# Where activations are rounded, a last bit of a float can tip one of them to the next of its values.
_FLOAT = Limits(drop=0.0, score_shift=0.0, embedded_shift=1e-3)  # the same numbers
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
        ),  # for processors with arithmetic for it, not for the one at hand
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
            "LSTMs and linear layers in 8 bits, activations' ranges at each call", _ROUNDED, ort=True
        ),
        Precision.int8_weights: PrecisionSpec("int8 weights, computed in float32", _WEIGHTS),
        Precision.int4_weights: PrecisionSpec("weights in 4 bits (LSTMs in 8), computed in float32", _WEIGHTS),
    }
)
