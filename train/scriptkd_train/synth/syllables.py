"""Words composed by spelling rules, for scripts without a packaged dictionary: Han, Kana, Khmer, Myanmar, Tibetan.

The words have no meaning, but every syllable is valid in the script, with its signs in the order that shaping expects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

_WORDS = 40_000
Rng = np.random.Generator


def composed(script: str) -> set[str]:
    """About 40,000 words of a script of `COMPOSERS`, the same on every call."""
    rng = np.random.default_rng(0)
    compose = COMPOSERS[script]
    return {compose(rng) for _ in range(_WORDS)}


def _pick(rng: Rng, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _level_one(codec: str, rows: range, columns: range) -> str:
    """The common characters of a national standard, from Python's codec for it."""
    pairs = (bytes((row, column)) for row in rows for column in columns)
    return "".join(c for c in (pair.decode(codec, "ignore") for pair in pairs) if len(c) == 1 and "一" <= c <= "鿿")


_SIMPLIFIED = _level_one("gb2312", range(0xB0, 0xD8), range(0xA1, 0xFF))
_TRADITIONAL = _level_one("big5", range(0xA4, 0xC7), range(0x40, 0xFF))
_JAPANESE = _level_one("euc_jp", range(0xB0, 0xD0), range(0xA1, 0xFF))
_COMMON = "".join(sorted(set(_SIMPLIFIED) & set(_TRADITIONAL) & set(_JAPANESE)))


def _han(rng: Rng) -> str:
    """One to five characters from one country's standard; half of these are in all three countries' standards."""
    standard = _pick(rng, (_SIMPLIFIED, _SIMPLIFIED, _TRADITIONAL, _JAPANESE))
    size = int(rng.choice((1, 2, 3, 4, 5), p=(0.12, 0.44, 0.2, 0.18, 0.06)))
    return "".join(_pick(rng, _COMMON if rng.random() < 0.5 else standard) for _ in range(size))


_HIRAGANA = (
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわを"
    "がぎぐげござじずぜぞだでどばびぶべぼぱぷぺぽ"
)
_I_COLUMN = "きしちにひみりぎじびぴ"


def _kana(rng: Rng) -> str:
    """One to seven syllables of Hiragana or Katakana; sometimes one or two Han characters before as many Hiragana."""
    parts = []
    for place in range(int(rng.choice((1, 2, 3, 4, 5, 6, 7), p=(0.06, 0.2, 0.26, 0.22, 0.14, 0.08, 0.04)))):
        if place and rng.random() < 0.05:
            parts.append("っ")
        syllable = _pick(rng, _HIRAGANA)
        if syllable in _I_COLUMN and rng.random() < 0.3:
            syllable += _pick(rng, "ゃゅょ")
        parts.append(syllable + ("ん" if rng.random() < 0.12 else ""))
    word = "".join(parts)
    if rng.random() < 0.45:
        katakana = "".join(chr(ord(c) + 0x60) for c in word)
        return katakana + "ー" if rng.random() < 0.2 else katakana
    if len(word) > 1 and rng.random() < 0.35:
        word = "".join(_pick(rng, _COMMON) for _ in range(int(rng.integers(1, min(3, len(word)))))) + word
    return word


_KHMER = "កកខគឃងចឆជញដឋណតតថទធនននបផពភមមយរររលលវសសហអ"
_KHMER_VOWELS = (
    "",
    "",
    "",
    "ា",
    "ា",
    "ា",
    "ិ",
    "ី",
    "ឹ",
    "ឺ",
    "ុ",
    "ុ",
    "ូ",
    "ួ",
    "ើ",
    "ៀ",
    "េ",
    "ែ",
    "ៃ",
    "ោ",
    "ៅ",
    "ំ",
    "ះ",
    "ុំ",
    "ាំ",
    "ោះ",
)


def _khmer(rng: Rng) -> str:
    word = _pick(rng, "ឥឧឯ") if rng.random() < 0.03 else ""
    for _ in range(int(rng.choice((1, 2, 3, 4), p=(0.3, 0.4, 0.22, 0.08)))):
        syllable = _pick(rng, _KHMER)
        if rng.random() < 0.28:
            syllable += "្" + _pick(rng, "រលវយនមងតទកញច")
        elif rng.random() < 0.05:
            syllable += "៉"
        vowel = _pick(rng, _KHMER_VOWELS)
        syllable += vowel
        if not vowel.endswith(("ះ", "ំ")) and rng.random() < 0.5:
            syllable += _pick(rng, "កងចញតនបមយលរវស") + ("់" if vowel in ("", "ា") and rng.random() < 0.3 else "")
        word += syllable
    return word


_MYANMAR = "ကကခဂငစဆဇညတတထဒနနပဖဗဘမမယရလလဝသသဟအအ"
_MEDIALS = ("ျ", "ြ", "ွ", "ှ", "ျွ", "ြွ", "ွှ")
_MYANMAR_OPEN = (
    "",
    "ာ",
    "ာ",
    "ား",
    "ိ",
    "ီ",
    "ီး",
    "ု",
    "ူ",
    "ူး",
    "ေ",
    "ေး",
    "ဲ",
    "ို",
    "ို့",
    "ိုး",
    "ော",
    "ော်",
    "ော့",
    "ံ",
    "ုံ",
    "ုံး",
    "ယ်",
)
_MYANMAR_CLOSED = (
    "က်",
    "င်",
    "င်း",
    "စ်",
    "ည်",
    "ည်း",
    "တ်",
    "န်",
    "န်း",
    "ပ်",
    "မ်",
    "မ်း",
    "ိတ်",
    "ိန်",
    "ုန်း",
    "ုပ်",
    "ောက်",
    "ောင်",
    "ောင်း",
    "ိုက်",
    "ိုင်",
)


def _myanmar(rng: Rng) -> str:
    word = ""
    for _ in range(int(rng.choice((1, 2, 3, 4), p=(0.22, 0.42, 0.26, 0.1)))):
        medial = _pick(rng, _MEDIALS) if rng.random() < 0.3 else ""
        word += _pick(rng, _MYANMAR) + medial + _pick(rng, _MYANMAR_CLOSED if rng.random() < 0.45 else _MYANMAR_OPEN)
    return word


_TIBETAN = "ཀཁགངཅཆཇཉཏཐདནཔཕབམཙཚཛཞཟའཡརལཤསཧཨ"
_HEADS = {"ར": "ཀགངཇཉཏདནབམཙཛ", "ལ": "ཀགངཅཇཏདཔབ", "ས": "ཀགངཉཏདནཔབམཙ"}
_FEET = {"ྱ": "ཀཁགཔཕབམ", "ྲ": "ཀཁགདཔཕབས", "ླ": "ཀགབཟས"}
_TSHEG = "་"


def _tibetan_syllable(rng: Rng) -> str:
    pick = rng.random()
    if pick < 0.25:  # a head letter with its base below it
        head = _pick(rng, "རལས")
        stack = head + chr(ord(_pick(rng, _HEADS[head])) + 0x50)
    elif pick < 0.45:
        foot = _pick(rng, "ྱྲླ")
        stack = _pick(rng, _FEET[foot]) + foot
    else:
        stack = _pick(rng, _TIBETAN)
    before = _pick(rng, "གདབམའ") if rng.random() < 0.18 else ""
    vowel = _pick(rng, "ིེོུ") if before or rng.random() < 0.55 else ""
    after = _pick(rng, "གངདནབམའརལས") if rng.random() < 0.55 else ""
    return before + stack + vowel + after + ("ས" if after and after in "གངབམ" and rng.random() < 0.15 else "")


def _tibetan(rng: Rng) -> str:
    size = int(rng.choice((1, 2, 3, 4), p=(0.2, 0.45, 0.2, 0.15)))
    word = _TSHEG.join(_tibetan_syllable(rng) for _ in range(size))
    return word + _TSHEG if rng.random() < 0.4 else word


COMPOSERS: dict[str, Callable[[Rng], str]] = {
    "Han": _han,
    "Kana": _kana,
    "Khmer": _khmer,
    "Myanmar": _myanmar,
    "Tibetan": _tibetan,
}
