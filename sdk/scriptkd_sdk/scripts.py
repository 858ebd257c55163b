"""Scripts with their ISO 15924 codes, and their other names in data sets."""

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
"""The ten scripts of CVSI-2015 in label order. A model file has its own labels and may name other scripts."""

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
"""The labels of the model `world`, in order: the ten and sixteen more. Kana stands for Hiragana and Katakana."""

UNKNOWN = Script("unknown", "Zyyy")
"""The answer when the best score is below the model's threshold. Zyyy is the code of an undetermined script."""

# Data sets name scripts after languages. CVSI-2015 does so for most of its folders, and misspells two. Japanese has no
# alias: its words are Kana or Han, and many are both.
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

    Case does not matter. Raises ArgumentError for an unknown name.
    """
    found = _BY_KEY.get(name.strip().lower())
    if found is None:
        known = ", ".join(each.name for each in WORLD)
        raise ArgumentError(f"unknown script {name!r}; known are {known}, their ISO 15924 codes and a few aliases")
    return found
