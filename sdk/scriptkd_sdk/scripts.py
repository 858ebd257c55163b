"""The ten scripts of CVSI-2015 with their ISO 15924 codes, and the other names under which data sets know them."""

from dataclasses import dataclass

from scriptkd_sdk.errors import ArgumentError


@dataclass(frozen=True)
class Script:
    """A writing system: its English name ("Devanagari") and its ISO 15924 code ("Deva")."""

    name: str
    code: str


SCRIPTS: tuple[Script, ...] = (
    Script("Arabic", "Arab"),
    Script("Bengali", "Beng"),
    Script("Devanagari", "Deva"),
    Script("Gujarati", "Gujr"),
    Script("Gurmukhi", "Guru"),
    Script("Kannada", "Knda"),
    Script("Latin", "Latn"),
    Script("Oriya", "Orya"),
    Script("Tamil", "Taml"),
    Script("Telugu", "Telu"),
)
"""The built-in scripts in label order. A model file carries its own labels and may name others."""

UNKNOWN = Script("unknown", "Zyyy")
"""What is answered when the best score lies below the model's threshold (Zyyy: undetermined script)."""

# CVSI-2015 names most folders after a language and misspells two of them.
ALIASES: dict[str, str] = {
    "english": "Latin",
    "roman": "Latin",
    "hindi": "Devanagari",
    "punjabi": "Gurmukhi",
    "gujrathi": "Gujarati",
    "telegu": "Telugu",
    "bangla": "Bengali",
    "odia": "Oriya",
}

_BY_KEY = {script.name.lower(): script for script in SCRIPTS} | {script.code.lower(): script for script in SCRIPTS}
_BY_KEY |= {alias: _BY_KEY[name.lower()] for alias, name in ALIASES.items()}


def script(name: str) -> Script:
    """Return the built-in script called `name`: its name, its ISO 15924 code or an alias such as CVSI's "Telegu".

    Upper and lower case are the same. Raises ArgumentError for a name that the table does not hold.
    """
    found = _BY_KEY.get(name.strip().lower())
    if found is None:
        known = ", ".join(each.name for each in SCRIPTS)
        raise ArgumentError(f"unknown script {name!r}; known are {known} and the aliases {', '.join(ALIASES)}")
    return found
