"""Scripts with their ISO 15924 codes, and the other names under which data sets know them."""

from dataclasses import dataclass

from scriptkd_sdk.errors import ArgumentError


@dataclass(frozen=True)
class Script:
    """A writing system.

    Attributes:
        name: its English name, such as "Devanagari".
        code: its ISO 15924 code, such as "Deva".
    """

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
"""The ten scripts of CVSI-2015 in label order. A model file carries its own labels and may name others."""

WORLD: tuple[Script, ...] = tuple(
    sorted(
        (
            *SCRIPTS,
            Script("Armenian", "Armn"),
            Script("Cyrillic", "Cyrl"),
            Script("Ethiopic", "Ethi"),
            Script("Georgian", "Geor"),
            Script("Greek", "Grek"),
            Script("Han", "Hani"),
            Script("Hangul", "Hang"),
            Script("Hebrew", "Hebr"),
            Script("Kana", "Hrkt"),
            Script("Khmer", "Khmr"),
            Script("Lao", "Laoo"),
            Script("Malayalam", "Mlym"),
            Script("Myanmar", "Mymr"),
            Script("Sinhala", "Sinh"),
            Script("Thai", "Thai"),
            Script("Tibetan", "Tibt"),
        ),
        key=lambda each: each.name,
    )
)
"""The ten and sixteen more in label order: what the model `world` tells apart. Kana is Hiragana and Katakana."""

UNKNOWN = Script("unknown", "Zyyy")
"""What is answered when the best score lies below the model's threshold (Zyyy: undetermined script)."""

# Data sets name scripts after a language: CVSI-2015 most of its folders, two of them misspelt. Japanese has no alias:
# its words are Kana or Han, and many are both.
ALIASES: dict[str, str] = {
    "english": "Latin",
    "roman": "Latin",
    "hindi": "Devanagari",
    "punjabi": "Gurmukhi",
    "gujrathi": "Gujarati",
    "telegu": "Telugu",
    "bangla": "Bengali",
    "odia": "Oriya",
    "amharic": "Ethiopic",
    "burmese": "Myanmar",
    "chinese": "Han",
    "hiragana": "Kana",
    "katakana": "Kana",
    "korean": "Hangul",
    "russian": "Cyrillic",
    "sinhalese": "Sinhala",
}

_BY_KEY = {script.name.lower(): script for script in WORLD} | {script.code.lower(): script for script in WORLD}
_BY_KEY |= {alias: _BY_KEY[name.lower()] for alias, name in ALIASES.items()}


def script(name: str) -> Script:
    """Return the script called `name`: its name, its ISO 15924 code or an alias such as CVSI's "Telegu".

    Upper and lower case are the same. Raises ArgumentError for a name that the table does not hold.
    """
    found = _BY_KEY.get(name.strip().lower())
    if found is None:
        known = ", ".join(each.name for each in WORLD)
        raise ArgumentError(f"unknown script {name!r}; known are {known}, their ISO 15924 codes and a few aliases")
    return found
