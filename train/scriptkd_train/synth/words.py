"""Words to render, from dictionaries of each script's languages, extended where dictionaries are small.

The Brahmic scripts of India share one layout of code points, which Unicode took from ISCII. So a Hindi or Bengali word
becomes Gurmukhi or Oriya by adding an offset. The result is a phonetic spelling, which is as good as a dictionary for
script identification. It gives Oriya and Gurmukhi, with about 1,000 and 2,000 dictionary words, as much variety as the
rest.
"""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from scriptkd_sdk.errors import ArgumentError
from scriptkd_train.synth.syllables import COMPOSERS, composed

# Script -> first and last code point of its letters.
BLOCKS = {
    "Arabic": (0x0620, 0x06FF),
    "Bengali": (0x0980, 0x09FF),
    "Devanagari": (0x0900, 0x097F),
    "Gujarati": (0x0A80, 0x0AFF),
    "Gurmukhi": (0x0A00, 0x0A7F),
    "Kannada": (0x0C80, 0x0CFF),
    "Latin": (0x0041, 0x024F),
    "Oriya": (0x0B00, 0x0B7F),
    "Tamil": (0x0B80, 0x0BFF),
    "Telugu": (0x0C00, 0x0C7F),
    # Scripts beyond the ten of CVSI-2015
    "Armenian": (0x0531, 0x0587),
    "Cyrillic": (0x0400, 0x04FF),
    "Ethiopic": (0x1200, 0x135A),
    "Georgian": (0x10D0, 0x10FF),
    "Greek": (0x0386, 0x03CE),
    "Han": (0x4E00, 0x9FFF),
    "Hangul": (0xAC00, 0xD7A3),
    "Hebrew": (0x05D0, 0x05EA),
    "Kana": (0x3041, 0x30FF),
    "Khmer": (0x1780, 0x17D3),
    "Lao": (0x0E81, 0x0EDF),
    "Malayalam": (0x0D00, 0x0D7F),
    "Myanmar": (0x1000, 0x104F),
    "Sinhala": (0x0D80, 0x0DFF),
    "Thai": (0x0E01, 0x0E4E),
    "Tibetan": (0x0F00, 0x0FBC),
}
_VIETNAMESE = frozenset(map(chr, range(0x1EA0, 0x1EFA)))  # Latin letters with two marks, in a block of their own
# Script -> its languages. All words of the first language are used, and an evenly spaced selection from each further
# one. The selection is large enough to contain additional letters, such as those with marks in French, Turkish or
# Vietnamese. It is small enough that the first language stays the most frequent.
LANGUAGES = {
    "Arabic": "ar fa ur",
    "Bengali": "bn",
    "Devanagari": "hi mr ne",
    "Gujarati": "gu",
    "Gurmukhi": "pa",
    "Kannada": "kn",
    "Latin": "en de es fr hr hu it pl pt_BR sv tr vi",
    "Oriya": "or",
    "Tamil": "ta",
    "Telugu": "te",
    "Armenian": "hy",
    "Cyrillic": "ru bg uk",
    "Ethiopic": "am",
    "Georgian": "ka",
    "Greek": "el",
    "Hangul": "ko",
    "Hebrew": "he",
    "Lao": "lo",
    "Malayalam": "ml",
    "Sinhala": "si",
    "Thai": "th",
}
_FURTHER = 12_000  # number of words from each further language of a script
# Languages without words in aspell -> hunspell's lists. Affix rules are not applied, since stems are enough.
_HUNSPELL = {
    "ko": "ko", "lo": "lo_LA", "ne": "ne_NP", "si": "si_LK", "th": "th_TH", "tr": "tr_TR", "vi": "vi_VN",
}  # fmt: skip
_HUNSPELL_FOLDER = Path("/usr/share/hunspell")
# Scripts with small dictionaries -> the related script from which words are borrowed by code-point offset.
BORROWED = {"Gurmukhi": "Devanagari", "Oriya": "Bengali"}
# Armenian letters -> Georgian letters of the same sound, since there is no Georgian dictionary. Both languages have the
# same plain, voiced and ejective consonants.
_GEORGIAN = str.maketrans(
    dict(zip("աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ", "აბგდეზეათჟილხწკჰძღჭმინშოჩპჯრსვტრცვფქოფ", strict=True))
    | {"և": "ევ"}
)
# Persian letters -> Urdu letters: everywhere, at a word's end, and for the first letter with a retroflex counterpart.
_URDU, _URDU_FINAL, _RETROFLEX = str.maketrans("هيىك", "ہییک"), str.maketrans("نی", "ںے"), str.maketrans("تدر", "ٹڈڑ")
# Script -> the first of its own digits. European digits are used in all scripts.
DIGITS = {
    "Arabic": 0x0660,
    "Bengali": 0x09E6,
    "Devanagari": 0x0966,
    "Gujarati": 0x0AE6,
    "Gurmukhi": 0x0A66,
    "Kannada": 0x0CE6,
    "Oriya": 0x0B66,
    "Tamil": 0x0BE6,
    "Telugu": 0x0C66,
    "Khmer": 0x17E0,
    "Lao": 0x0ED0,
    "Myanmar": 0x1040,
    "Thai": 0x0E50,
    "Tibetan": 0x0F20,
}
# Letters that look like letters of another script. A text of only these letters would not show its script.
_CONFUSABLE = {
    "Armenian": "ՍՕՏԼՈհոսօցզքլյւս",
    "Cyrillic": "АВГЕІЗКМНОПРСТУФХЬЈЅавгеікмнопрстуфхзьјѕ",
    "Greek": "ΑΒΓΕΖΗΙΚΛΜΝΟΠΡΤΥΦΧΆΈΉΊΌΎΪΫαικνορτυφχάίόύϊϋΐΰ",
    "Han": "一二三口力夕工卜八丁十千土才万入",
    "Hebrew": "וןיסםל",
    "Kana": "ーノニロカタエトハヘへチミりリ",
    "Lao": "ກທບນມຍລວສອຣ",
    "Thai": "กทบนมยลวสอร",
}
_ROMAN = re.compile("(?!.$)M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})|[IVX]")
_CASED = ("Latin", "Armenian", "Cyrillic", "Greek")
_VOWEL_FIRST = frozenset("เแโใไເແໂໃໄ")  # vowels of Thai and Lao that are written and stored before their consonant
_VOWEL_LAST = frozenset("ะาำๅะาำະາຳ")
_TSHEG = "་"  # ends a Tibetan syllable
# Signs that an offset can produce, but that the languages do not use, so most fonts lack them.
_RARE = frozenset("ੑੵଵୱ")
_VIRAMA = 9  # Unicode's canonical combining class of every Indic virama
_LONGEST = 24  # characters; longer dictionary entries are compounds that hardly occur on signs


_handed_over: dict[str, tuple[str, ...]] = {}


def hand_over(known: Mapping[str, tuple[str, ...]]) -> None:
    """Use the words that another process has read from the dictionaries."""
    _handed_over.update(known)


@cache
def words(script: str) -> tuple[str, ...]:
    """The distinct words of a script in a fixed order.

    Raises:
        ArgumentError: aspell or the script's dictionary is not installed.
    """
    if script in _handed_over:
        return _handed_over[script]
    if script in COMPOSERS:
        return tuple(sorted(composed(script)))
    first, *further = LANGUAGES[script].split()
    own = _language(first, script)
    if script in BORROWED:
        lender = BORROWED[script]
        shift = BLOCKS[script][0] - BLOCKS[lender][0]
        moved = (_transposed(word, shift) for word in _language(LANGUAGES[lender].split()[0], lender))
        own |= {word for word in moved if _is_valid_word(word, script)}
    if not own:
        raise ArgumentError(f"no words for {script}: the dictionary {_package(first)} is not installed")
    for language in further:
        own |= _language(language, script, _FURTHER)
    return tuple(sorted(own))


def _package(language: str) -> str:
    source, _ = _TRANSLITERATED.get(language, (language, str))
    return f"{'hunspell' if source in _HUNSPELL else 'aspell'}-{source.replace('_', '-').lower()}"


def _language(language: str, script: str, limit: int | None = None) -> set[str]:
    """The words of one language in one of its scripts, or about `limit` of them; empty without its dictionary."""
    source, changed = _TRANSLITERATED.get(language, (language, str))
    dump = _dictionary(source)
    entries = dump[:: max(1, len(dump) // limit) if limit else 1]
    # An entry is a word, optionally followed by a slash and flags.
    found = (unicodedata.normalize("NFC", changed(entry.partition("/")[0].strip())) for entry in entries)
    return {word for word in found if _is_valid_word(word, script)}


@cache
def _dictionary(language: str) -> list[str]:
    if language in _HUNSPELL:
        path = _HUNSPELL_FOLDER / f"{_HUNSPELL[language]}.dic"
        return path.read_text("utf-8", "ignore").splitlines() if path.is_file() else []
    try:
        command = ["aspell", "-d", language, "--encoding=utf-8", "dump", "master"]
        return subprocess.run(command, capture_output=True, check=False).stdout.decode("utf-8", "ignore").splitlines()
    except FileNotFoundError as error:
        raise ArgumentError("aspell was not found; install the packages aspell and aspell-<language>") from error


def _georgian(armenian: str) -> str:
    return armenian.lower().replace("ու", "ւ").replace("ւ", "უ").translate(_GEORGIAN).replace("ხა", "ყა")


def _urdu(persian: str) -> str:
    word = persian.translate(_URDU)
    body = re.sub("[تدر]", lambda found: found[0].translate(_RETROFLEX), word[:-1], count=1)
    return body + word[-1:].translate(_URDU_FINAL)


# Languages without a dictionary -> the language whose words are converted, and the conversion.
_TRANSLITERATED = {"ka": ("hy", _georgian), "ur": ("fa", _urdu)}


def _transposed(word: str, shift: int) -> str:
    moved = "".join(chr(ord(c) + shift) if ord(c) > 0x7F and c not in "\u200c\u200d" else c for c in word)
    return unicodedata.normalize("NFC", moved)


def _of(script: str, c: str) -> bool:
    low, high = BLOCKS[script]
    return low <= ord(c) <= high or (script == "Latin" and c in _VIETNAMESE)


def _is_valid_word(word: str, script: str) -> bool:
    letters = [c for c in word if c not in "\u200c\u200d'-"]
    return (
        len(letters) > 0
        and len(word) <= _LONGEST
        and all(_of(script, c) and unicodedata.category(c)[0] in "LM" and c not in _RARE for c in letters)
        and unicodedata.category(word[0])[0] == "L"
    )


def clusters(word: str) -> list[str]:
    """Split a word before letters that no virama binds, so that no part begins with a bare vowel sign.

    In Thai and Lao, vowels that stand before or behind their consonant stay with it.
    """
    parts: list[str] = []
    joined = False
    for c in word:
        mark = unicodedata.category(c)[0] == "M" or c in "\u200c\u200d" or c in _VOWEL_LAST or c == _TSHEG
        if parts and (mark or joined):
            parts[-1] += c
        else:
            parts.append(c)
        joined = unicodedata.combining(c) == _VIRAMA or (joined and c in "\u200c\u200d") or c in _VOWEL_FIRST
    return parts


_BEFORE = ("(", "“", "'", '"', "-", "#", "₹", "*")
_AFTER = (",", ".", ":", ";", "!", "?", ")", "”", "'", '"', "-", "…", "/", "।", "॥", " .", " :", ".", ",", ",", ".)")
_SIGNS = {"Latin": ("&",), "Arabic": ("؟",)}  # signs that identify their script, though they are not letters


def _number(rng: np.random.Generator, script: str) -> str:
    digits = _digits(rng)
    return _native_digits(digits, script) if script in DIGITS and rng.random() < 0.5 else digits


def _digits(rng: np.random.Generator) -> str:
    """A number of one to four digits."""
    return str(rng.integers(1, 10 ** int(rng.integers(1, 5))))


def _native_digits(digits: str, script: str) -> str:
    """Replace European digits by the script's own."""
    return "".join(chr(DIGITS[script] + int(d)) for d in digits)


def _cased(rng: np.random.Generator, word: str) -> str:
    pick = rng.random()
    return _in_capitals(word) if pick < 0.4 else word.capitalize() if pick < 0.65 else word


def _in_capitals(text: str) -> str:
    if any("\u0386" <= c <= "\u03ce" for c in text):  # Greek capitals have no accents
        text = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).replace("\u0301", ""))
    return text.upper()


def _fragment(rng: np.random.Generator, word: str) -> str:
    """A word, or a piece of it, since words of one to three letters are frequent on signs, but not in dictionaries."""
    parts = clusters(word)
    pick = rng.random()
    low, high = (1, 3) if pick < 0.26 else (2, 5) if pick < 0.45 else (4, 12)
    if len(parts) <= high:
        return word
    size = int(rng.integers(low, high + 1))
    start = int(rng.integers(len(parts) - size + 1))
    return "".join(parts[start : start + size]).strip("\u200c\u200d'-") or word


def _identifies_script(text: str, script: str) -> bool:
    """Whether at least one letter belongs only to the script; for Kana, whether at most half of the letters are Han.

    A Roman numeral alone does not count, since every script uses such numbers.
    """
    own = [c for c in text if _of(script, c)]
    if script == "Latin" and _ROMAN.fullmatch("".join(own)):
        return False
    if script == "Kana" and sum("一" <= c <= "鿿" for c in text) > len(own):
        return False
    return script not in _CONFUSABLE or not set(own) <= set(_CONFUSABLE[script])


def draw_word(rng: np.random.Generator, script: str, capitals: bool = False) -> str:
    """One text to render: mostly a dictionary word, sometimes part of one, or a word with a number or punctuation.

    The text always has at least one letter, digit or sign of the script's own, so that its label is visible. With
    `capitals` the text is in capitals, if the script has any. It stays as drawn if its capitals could belong to another
    script, or are a Roman numeral.
    """
    pick = rng.random()
    if script in DIGITS and pick < 0.015:
        number = _native_digits(_digits(rng), script)
        return f"({number})" if rng.random() < 0.3 else number
    if script in _SIGNS and 0.015 <= pick < 0.02:
        return _SIGNS[script][int(rng.integers(len(_SIGNS[script])))]
    text = _draw(rng, script)
    while not _identifies_script(text, script):  # among CVSI-2015's scripts, this only rejects Roman numerals
        text = _draw(rng, script)
    if capitals and script in _CASED and _identifies_script(_in_capitals(text), script):
        return _in_capitals(text)
    return text


def _draw(rng: np.random.Generator, script: str) -> str:
    pool = words(script)
    word = pool[int(rng.integers(len(pool)))]
    if script in _CASED:
        word = _cased(rng, word)
    word = _fragment(rng, word)
    pick = rng.random()
    if pick < 0.05:
        return f"{word} {draw_word(rng, script)}" if rng.random() < 0.6 else f"{word}-{_number(rng, script)}"
    if pick < 0.16:
        return word + _AFTER[int(rng.integers(len(_AFTER)))]
    if pick < 0.20:
        return _BEFORE[int(rng.integers(len(_BEFORE)))] + word
    if pick < 0.21:
        return f"({word})"
    if pick < 0.24:
        return f"{_number(rng, script)}{' ' if rng.random() < 0.4 else ''}{word}"
    return word
