"""Font faces for a script: the files that cover it, and the split (train, val, test) of each family.

fontconfig lists all installed faces and their characters; its cache answers in milliseconds. A whole *family* goes to
one split, so that validation and test hold only unseen type.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.synth.designs import held_out, resembling

SPLITS = ("train", "val", "test")
FOLDS = 3
"""Number of parts for cross-validation over designs. Each part is the test split once."""

# A face covers a script if it has these characters, which nearly every word needs.
PROBES = {
    "Arabic": "ابتجدرسعقكلمنهوي",
    "Bengali": "অআইকখগচজটতদনপবমযরলশসহািীেো্",
    "Devanagari": "अआइकखगचजटतदनपबमयरलवशसहािीेो्",
    "Gujarati": "અઆઇકખગચજટતદનપબમયરલવશસહાિીેો્",
    "Gurmukhi": "ਅਆਇਕਖਗਚਜਟਤਦਨਪਬਮਯਰਲਵਸਹਾਿੀੇੋ੍",
    "Kannada": "ಅಆಇಕಖಗಚಜಟತದನಪಬಮಯರಲವಶಸಹಾಿೀೇೋ್",
    "Latin": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "Oriya": "ଅଆଇକଖଗଚଜଟତଦନପବମଯରଲଶସହାିୀେୋ୍",
    "Tamil": "அஆஇகசடதநபமயரலவழளறனாிீேோ்",
    "Telugu": "అఆఇకఖగచజటతదనపబమయరలవశసహాిీేో్",
    # Scripts beyond the ten of CVSI-2015
    "Armenian": "ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփք",
    "Cyrillic": "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя",
    "Ethiopic": "ሀለሐመሰረሸቀበተነአከወዘየደገጠፀፈኢላማራሳ",
    "Georgian": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "Greek": "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρςστυφχψωάέήίόύώ",
    "Han": "一人大中日本年不在上下月水火山口手小心天",
    "Hangul": "가나다라마바사아자차카타파하이고을는에한국시스",
    "Hebrew": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "Kana": "あいうえおかきくけこさしすせそたちつてとなにのはひふへほまみむめもよらりるれろをん"
    "アイウエオカキクケコサシスセソタチツテトー",
    "Khmer": "កខគឃងចឆជញដតថទនបផពភមយរលវសហអាិីុោះ្",
    "Lao": "ກຂຄງຈຊດຕຖທນບປພມຍຣລວສຫອະາິີຸເແໂ່້",
    "Malayalam": "അആഇകഖഗചടതദനപബമയരലവശസഹാിീേോ്",
    "Myanmar": "ကခဂငစဆညတထဒနပဖဗမယရလဝသဟအာိီုူေံ့း်ျြွှ",
    "Sinhala": "අආඇඉඋකගචටඩතදනපබමයරලවසහළාැිීුේ",
    "Thai": "กขคงจชดตถทนบปพมยรลวสหอะาิีุเแโ่้",
    "Tibetan": "ཀཁགངཅཆཇཉཏཐདནཔཕབམཙཚཛཝཞཟའཡརལཤསཧཨིེོུྱྲ",
}

# Faces to leave out, matched against `family / script`.
_UNSUITABLE = re.compile(
    # Letters that are pictures, bar codes or outlines of keys, or deliberately unreadable.
    r"dingbat|symbol|emoji|barcode|braille|webding|wingding|icons|awesome|ornament|fleuron|cirth|klingon|tengwar"
    r"|sign ?writing|music|chess|dotted circle|blank|keyboard|keycaps|circled|runic|ogham|hieroglyph|gothic ?numbers"
    r"|DSEG| BRK /|unifraktur|fantaisie|\bstaypuft\b|last ?resort|adobe ?notdef|D050000L|flatline|wargames"
    r"|Linux Libertine Initials"
    # Legacy encodings: Tamil letters, Turkic runes or ornaments at the code points of Latin.
    r"|^TAMu_|Orxun|UKIJ (Imaret|Tughra|Saet)"
    # Letters of fixed width, whose headline is broken.
    r"|^Mitra( Mono)? /"
    # Letters of many scripts, but shaping rules for two at most, or glyphs of another script in their place.
    r"|^(SetoFont|Zawgyi)|^(Ayar|Caslon /|Caliban /|UKIJ|Handjet /).*/ (?!Arabic|Latin)"
    # Tibetan letters or empty boxes at the code points of other scripts, or conjuncts that do not form.
    r"|^Monlam .*/ (?!Tibetan)|^Sakal ?Bharati / (Oriya|Malayalam|Telugu)",
    re.IGNORECASE,
)
# Suffixes for weights, widths, spacings or languages of one design, which must not be split.
_VARIANT = re.compile(
    r"[\s-]+((Ultra|Extra|Semi|Demi)?(Condensed|Expanded|Light|Bold)|Cond|Condence?r?d|Cn|Narrow|Wide|UI|Regular|Medium"
    r"|Black|Heavy|Dark|Thin|Bold.*|Italic|Oblique|Slanted|Inclined|Upright|Half|Outline|Hollow|Ink|Fun|Play|3D|Colored"
    r"|Mono|Monospace|Caps|Book|Display|Text|Caption|New|\d+pt|No\d|P|TW|MBE|GPL&GNU|GNU&GPL|Classical|Quran|Purva)$"
    r"|(?<=^Khmer Busra) .*|(?<=^PakType Naskh Basic) .*|(?<=^Arima) Madurai$|(?<=^IPA)P|(?<=^VL )P"
)
_LANGUAGES = {
    "Bengali": re.compile(r"\bAssamese$"),
    "Devanagari": re.compile(r"\b(Devanagari )?(Hindi|Marathi|Nepali|Sanskrit)$"),
}

# Faces with correct symbols. Others, mostly of old encodings, have letters at the code points of symbols.
_HAS_SYMBOLS = re.compile(
    r"^(Noto (Sans|Serif|Music|Emoji)|DejaVu|Symbola|STIX(General)?\b|Free(Sans|Serif|Mono)|OpenSymbol|TeX ?Gyre"
    r"|Liberation|Linux (Libertine|Biolinum)|WenQuanYi|IPA|VL |Roboto|Inter\b|Open Sans|DSEG7)(?!.*Initials)"
)
_FEWEST_SYMBOLS = 3
_SYMBOLS = "symbols"  # the key of these faces, beside the names of scripts

_COMMON = 5  # a design is common if so many families have it

_FORMAT = "%{file}\t%{index}\t%{family[0]}\t%{charset}\n"


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a font file. coverage: the code points that have glyphs."""

    path: str
    index: int
    family: str
    coverage: frozenset[int]

    def covers(self, text: str) -> bool:
        """Whether every character has a glyph, including spaces. Joiners need none, since the shaper handles them."""
        return all(ord(c) in self.coverage for c in text if c not in "\u200c\u200d")


def _parse_charset(text: str) -> frozenset[int]:
    points: set[int] = set()
    for part in text.split():
        low, _, high = part.partition("-")
        points.update(range(int(low, 16), int(high or low, 16) + 1))
    return frozenset(points)


def _fontconfig(arguments: list[str]) -> str:
    try:
        return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise ArgumentError(f"{arguments[0]} was not found; install the package fontconfig") from error
    except subprocess.CalledProcessError as error:
        raise ArgumentError(f"{arguments[0]} failed: {error.stderr.strip() or 'no message'}") from error


@lru_cache(maxsize=4)
def _scan(directories: tuple[str, ...]) -> dict[str, list[Face]]:
    listings = []
    for directory in directories:
        if not Path(directory).is_dir():
            raise ArgumentError(f"font folder {directory} does not exist")
        listings.append((directory, _fontconfig(["fc-scan", "--format", _FORMAT, directory])))
    listings.append(("", _fontconfig(["fc-list", "--format", _FORMAT])))
    required = {script: frozenset(map(ord, probe)) for script, probe in PROBES.items()}
    # Script, or `_SYMBOLS`, -> sort key -> face. The key does not contain the folder's path, so that a seed gives the
    # same words anywhere.
    found: dict[str, dict[tuple[str, int, str, int], Face]] = defaultdict(dict)
    charsets: dict[str, frozenset[int]] = {}
    lines = [
        (rank, directory, path, index, family, charset)
        for rank, (directory, text) in enumerate(listings)
        for path, index, family, charset in (line.split("\t") for line in text.splitlines())
    ]
    # The families of a collection (.ttc) share most glyphs, so they count as one.
    designs: dict[str, str] = {}
    for _, _, path, _, family, _ in lines:
        design = _design(family)
        designs[path] = min(designs.get(path, design), design)
    names: dict[str, str] = {}
    for design in designs.values():
        names[_fold(design)] = min(names.get(_fold(design), design), design)
    for rank, directory, path, index, family, charset in lines:
        # Type 1 and bitmap faces are left out, since they cannot be shaped. The high bits of the index name instances
        # of a variable font; only the default instance is used.
        if not path.lower().endswith((".ttf", ".otf", ".ttc")) or int(index) > 0xFFFF:
            continue
        points = charsets.setdefault(charset, _parse_charset(charset))
        face = Face(path, int(index), names[_fold(designs[path])], points)
        key = (face.family, rank, path.removeprefix(directory), face.index)
        if _HAS_SYMBOLS.search(family):
            found[_SYMBOLS][key] = face
        for script, probe in required.items():
            if probe <= points and not _UNSUITABLE.search(f"{family} / {script}"):
                found[script][key] = face
    return {script: [faces[key] for key in sorted(faces)] for script, faces in found.items()}


def _design(family: str) -> str:
    """The name of a family's design, which `Noto Sans Bengali UI` and `Noto Sans Bengali` have in common."""
    family = family.replace("\\", "")
    for script, pattern in _LANGUAGES.items():
        family = pattern.sub(script, family)
    while (shorter := _VARIANT.sub("", family)) != family:
        family = shorter
    return family


def _fold(design: str) -> str:
    """The key of a design. `Lakki Reddy` and `LakkiReddy` are one design in two packages."""
    return re.sub(r"[\W_]", "", design).casefold()


def find_faces(script: str, directories: Sequence[str] = ()) -> list[Face]:
    """All faces that cover `script`, installed or in `directories`, in a fixed order.

    Raises:
        ArgumentError: no face covers the script, or fontconfig is missing.
    """
    faces = _scan(tuple(directories)).get(script, [])
    if not faces:
        raise ArgumentError(f"no installed font covers {script}; install the font packages that the README names")
    return faces


def split_families(families: Iterable[str], script: str = "", fold: int | None = None) -> dict[str, str]:
    """Family -> split. An eighth of the designs, at least one, goes to test, as many to val, and the rest to train.

    Families of a script that look alike count as one design. Held-out designs are always in their own split (see
    `designs`). A design that many families share is always in train, since most text is set in it. The others are
    ordered by a hash of the design's name, so that installing another font moves as few designs as possible. With fewer
    than three designs, a split stays empty.

    With a fold, 1 to `FOLDS`, that part of the designs is test, and all others are train. Val has only the held-out
    designs, or one design if none of them is installed.
    """
    names, near = set(families), resembling(script)
    design = {family: near.get(family, family) for family in names}
    if fold is not None:
        val = {design[family] for family in held_out(script) if family in names}
        ranked = _ranked(set(design.values()) - val)
        splits = {name: "test" if i % FOLDS == fold - 1 else "train" for i, name in enumerate(ranked)}
        val = val or {next((name for name in ranked if splits[name] == "train"), ranked[0])}
        splits |= dict.fromkeys(val, "val")
        return {family: splits[design[family]] for family in names}
    common = {name: "train" for name, count in Counter(design.values()).items() if count >= _COMMON}
    fixed = common | {design[family]: split for family, split in held_out(script).items() if family in names}
    each = max(1, len(set(design.values())) // 8)
    places = [split for split in ("test", "val") for _ in range(each - list(fixed.values()).count(split))]
    ranked = _ranked(set(design.values()) - set(fixed))
    splits = fixed | {name: places[i] if i < len(places) else "train" for i, name in enumerate(ranked)}
    return {family: splits[design[family]] for family in names}


def _ranked(designs: Iterable[str]) -> list[str]:
    """Sort designs in an order that does not depend on which other designs there are."""
    return sorted(designs, key=lambda name: hashlib.sha256(_fold(name).encode()).digest())


def faces_by_split(
    script: str, directories: Sequence[str] = (), fold: int | None = None
) -> dict[str, dict[str, list[Face]]]:
    """Split -> family -> faces, for one script. fold: see `split_families`.

    Raises:
        ArgumentError: fewer than three families cover the script, so there is no honest split.
    """
    faces = find_faces(script, directories)
    splits = split_families((face.family for face in faces), script, fold)
    if set(splits.values()) != set(SPLITS):
        needed = (
            f"{len(SPLITS)} are needed, one a split" if fold is None else f"each of {FOLDS} folds needs one of its own"
        )
        raise ArgumentError(
            f"only {len(splits)} font families cover {script}, some of one design or held out; at least {needed}"
        )
    result: dict[str, dict[str, list[Face]]] = {split: defaultdict(list) for split in SPLITS}
    for face in faces:
        result[splits[face.family]][face.family].append(face)
    return {split: dict(families) for split, families in result.items()}


def symbol_faces(
    characters: str, directories: Sequence[str] = (), family: str = ""
) -> dict[str, dict[str, list[Face]]]:
    """Find the faces with at least three of `characters`: split -> family -> faces.

    Only families whose name begins with `family` count. With fewer than three of them, all are in every split. This
    leaks nothing, since symbols tell no script.
    """
    faces = [
        face
        for face in _scan(tuple(directories)).get(_SYMBOLS, [])
        if face.family.startswith(family) and sum(map(face.covers, characters)) >= _FEWEST_SYMBOLS
    ]
    splits = split_families(face.family for face in faces)
    result: dict[str, dict[str, list[Face]]] = {split: defaultdict(list) for split in SPLITS}
    for face in faces:
        for split in [splits[face.family]] if len(splits) >= len(SPLITS) else SPLITS:
            result[split][face.family].append(face)
    return {split: dict(families) for split, families in result.items()}
