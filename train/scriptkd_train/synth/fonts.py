"""Font faces for a script: which files cover it, and which split (train, val, test) each family belongs to.

fontconfig knows every installed face and the characters it covers; its cache answers in milliseconds. Whole *families*
go to one split, so that validation and test hold only type that training never saw.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scriptkd_sdk.errors import ArgumentError

SPLITS = ("train", "val", "test")

# A face counts for a script when it covers these characters: letters that nearly every word needs.
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
    # Beyond the ten of CVSI-2015
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

# Faces left out, matched against `family / script`.
_UNSUITABLE = re.compile(
    # Letters that are pictures, bar codes, outlines of keys or deliberately unreadable.
    r"dingbat|symbol|emoji|barcode|braille|webding|wingding|icons|awesome|ornament|fleuron|cirth|klingon|tengwar"
    r"|sign ?writing|music|chess|dotted circle|blank|keyboard|keycaps|circled|runic|ogham|hieroglyph|gothic ?numbers"
    r"|DSEG| BRK /|unifraktur|fantaisie|\bstaypuft\b|last ?resort|adobe ?notdef|D050000L|flatline|wargames"
    r"|Linux Libertine Initials"
    # Legacy encodings: Tamil letters, Turkic runes or ornaments at the code points of Latin.
    r"|^TAMu_|Orxun|UKIJ (Imaret|Tughra|Saet)"
    # All letters of one width: the headline that should join them is torn.
    r"|^Mitra( Mono)? /"
    # Letters of many scripts, but rules to shape them for two at most, or another script's signs in their place.
    r"|^(SetoFont|Zawgyi)|^(Ayar|Caslon /|Caliban /|UKIJ|Handjet /).*/ (?!Arabic|Latin)",
    re.IGNORECASE,
)
# One design in several weights, widths, spacings or languages: a split must not tear it apart.
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

# Faces whose signs are Unicode's. Others, of old encodings above all, have letters in the places of signs.
_HAS_SYMBOLS = re.compile(
    r"^(Noto (Sans|Serif|Music|Emoji)|DejaVu|Symbola|STIX(General)?\b|Free(Sans|Serif|Mono)|OpenSymbol|TeX ?Gyre"
    r"|Liberation|Linux (Libertine|Biolinum)|WenQuanYi|IPA|VL |Roboto|Inter\b|Open Sans|DSEG7)(?!.*Initials)"
)
_FEWEST_SYMBOLS = 3
_SYMBOLS = "symbols"  # the key of those faces beside the scripts' names

_FORMAT = "%{file}\t%{index}\t%{family[0]}\t%{charset}\n"


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a font file. `coverage` holds the code points that it has glyphs for."""

    path: str
    index: int
    family: str
    coverage: frozenset[int]

    def covers(self, text: str) -> bool:
        """True when every character has a glyph, spaces too; joiners need none (the shaper handles them)."""
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
    # script (or `_SYMBOLS`) -> sort key -> face. The key leaves out where a folder lies, so that a seed gives the same
    # words anywhere.
    found: dict[str, dict[tuple[str, int, str, int], Face]] = defaultdict(dict)
    charsets: dict[str, frozenset[int]] = {}
    lines = [
        (rank, directory, path, index, family, charset)
        for rank, (directory, text) in enumerate(listings)
        for path, index, family, charset in (line.split("\t") for line in text.splitlines())
    ]
    # The families of a collection (.ttc) share most of their glyphs, so they count as one.
    designs: dict[str, str] = {}
    for _, _, path, _, family, _ in lines:
        design = _design(family)
        designs[path] = min(designs.get(path, design), design)
    names: dict[str, str] = {}
    for design in designs.values():
        names[_fold(design)] = min(names.get(_fold(design), design), design)
    for rank, directory, path, index, family, charset in lines:
        # Type 1 and bitmap faces are left out: FreeType does not shape them. The high bits of the index name
        # instances of a variable font; the default instance alone is used.
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
    """`Noto Sans Bengali UI` and `Noto Sans Bengali` draw the same letters, so they must share a split."""
    family = family.replace("\\", "")
    for script, pattern in _LANGUAGES.items():
        family = pattern.sub(script, family)
    while (shorter := _VARIANT.sub("", family)) != family:
        family = shorter
    return family


def _fold(design: str) -> str:
    """`Lakki Reddy` and `LakkiReddy` are one design in two packages."""
    return re.sub(r"[\W_]", "", design).casefold()


def find_faces(script: str, directories: Sequence[str] = ()) -> list[Face]:
    """All installed faces that cover `script`, plus those in `directories`, in a fixed order.

    Raises:
        ArgumentError: no face covers the script, or fontconfig is missing.
    """
    faces = _scan(tuple(directories)).get(script, [])
    if not faces:
        raise ArgumentError(f"no installed font covers {script}; install the font packages that the README names")
    return faces


def split_families(families: Iterable[str]) -> dict[str, str]:
    """Family -> split. An eighth of the families (at least one) goes to test, as many to val, the rest to train.

    The order is a hash of the family's name, so that installing one more font moves as few as possible. With fewer than
    three families a split is left empty.
    """
    ranked = sorted(set(families), key=lambda name: hashlib.sha256(_fold(name).encode()).digest())
    held_out = max(1, len(ranked) // 8)
    names = ("test",) * held_out + ("val",) * held_out
    return {family: names[i] if i < len(names) else "train" for i, family in enumerate(ranked)}


def faces_by_split(script: str, directories: Sequence[str] = ()) -> dict[str, dict[str, list[Face]]]:
    """split -> family -> faces, for one script.

    Raises:
        ArgumentError: fewer than three families cover the script, so that no honest split exists.
    """
    faces = find_faces(script, directories)
    splits = split_families(face.family for face in faces)
    if len(splits) < len(SPLITS):
        raise ArgumentError(
            f"only {len(splits)} font families cover {script}; at least {len(SPLITS)} are needed, one a split"
        )
    result: dict[str, dict[str, list[Face]]] = {split: defaultdict(list) for split in SPLITS}
    for face in faces:
        result[splits[face.family]][face.family].append(face)
    return {split: dict(families) for split, families in result.items()}


def symbol_faces(
    characters: str, directories: Sequence[str] = (), family: str = ""
) -> dict[str, dict[str, list[Face]]]:
    """split -> family -> the faces that have at least three of `characters`; `family` is how the families' names begin.

    With fewer than three families all of them are in every split: signs tell no script, so nothing is given away.
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
