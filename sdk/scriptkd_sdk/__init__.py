"""Tell which script (writing system) a cropped word image is written in.

>>> from scriptkd_sdk import ScriptIdentifier
>>> ScriptIdentifier().identify("word.png").script
'Latin'
"""

from scriptkd_sdk.errors import ArgumentError, ClosedError, ImageError, ModelError, ScriptkdError
from scriptkd_sdk.identifier import ScriptIdentifier
from scriptkd_sdk.modelfile import ModelInfo, bundled_models
from scriptkd_sdk.prediction import Prediction
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_sdk.scripts import SCRIPTS, Script

__version__ = "0.1.0"  # the same as in pyproject.toml; scripts/versions.py compares the two

__all__ = [
    "SCRIPTS",
    "ArgumentError",
    "ClosedError",
    "ImageError",
    "ModelError",
    "ModelInfo",
    "Prediction",
    "Preprocessing",
    "Script",
    "ScriptIdentifier",
    "ScriptkdError",
    "__version__",
    "bundled_models",
]
