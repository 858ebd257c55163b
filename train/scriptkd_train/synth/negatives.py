"""Negatives: pictures of none of a set's scripts: numbers, symbols, words of foreign scripts, backgrounds.

A network that has seen only words takes every picture for a word. Negatives teach it to be undecided
(`losses.task_loss`). Numbers have western digits, which every script uses. A script's own digits identify it, so they
are no negatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from scriptkd_train.synth.backgrounds import draw_background
from scriptkd_train.synth.composition import MIN_CONTRAST, draw_text_image
from scriptkd_train.synth.degradation import photograph
from scriptkd_train.synth.fonts import Face, faces_by_split, symbol_faces
from scriptkd_train.synth.text_effects import alpha_blend
from scriptkd_train.synth.textures import LUMA, FloatImage, colour_pair, print_colours, textured_background

_NUMBER_LAYOUTS = {"word": 0.9, "stacked": 0.03, "spaced": 0.05, "arc": 0.02}
_SYMBOL_LAYOUTS = {"word": 0.8, "spaced": 0.2}

# Symbols that are letters of a script, or look like letters, are left out: sums and products, empty circles, crosses,
# horseshoes, the musical flat.
SYMBOLS = {
    "arrow": "←↑→↓↔↕↖↗↘↙↩↪⇐⇑⇒⇓⇔➔➜➡➤▲▼◀▶►◄",
    "music": "♩♪♫♬♮♯𝄞𝄢𝄐𝄆𝄇𝄂",
    "maths": "±×÷≠≈≤≥∞√∫∮∇≡∝∴∵⊕⊗∛∜≪≫≅∬",
    "emoji": "😀😁😂😃😄😅😉😊😍😎😐😒😘😜😡😢😭😱👍👎👏🙏👌✌☺☹❤💔💯🔥⭐🎉🎁🌹🌞🌙🍎🍕🐱🐶🚗✈⏰📷💡",
    "dingbat": "★☆✓✔✘✂✆✉☎☏☞☛☝♠♣♥♦✦✧✪✱✿❀❁❄❅❖●■◆◼▪☀☁☂☃⚠⚡⚽⚓♻♿⚙✎✏✒✚①②③④⑤⑥⑦⑧⑨❶❷❸❹❺",
}
_PUNCTUATION = (  # noqa: SIM905 - sixty literals would be a page
    "... … ! !! !!! ? ?? ?! !? - -- — – : ; , . * *** # / // \\ + = % “” „“ «» () [] {} <> >> << ~ • ••• _____ -----"
    " § ¶ † ‡ ° | || @ ^ ' \" (!) (?) => -> --> :-) ;-) :-( #! ..... ====== :::: +/- ,, ;;"
).split()


def draw_negative(rng: np.random.Generator, kind: str, split: str, font_folders: Sequence[str] = ()) -> np.ndarray:
    """A random picture of any kind but `foreign`, uint8 [H, W, 3] RGB, in faces of `split`."""
    if kind == "background":
        return draw_background(rng)
    if kind == "number":
        families = _number_families(split, tuple(font_folders))
        return draw_text_image(rng, lambda each, _: draw_number(each), families, layouts=_NUMBER_LAYOUTS)
    pick = rng.random()
    if pick < 0.22:
        return _draw_code(rng)
    if pick < 0.4:
        families = _number_families(split, tuple(font_folders))
        return draw_text_image(rng, lambda each, _: _choice(each, _PUNCTUATION), families, layouts=_SYMBOL_LAYOUTS)
    faces = _symbol_families(split, tuple(font_folders))
    category = _choice(rng, tuple(faces))
    families = faces[category]
    family = families[int(rng.integers(len(families)))]
    known = tuple(c for c in SYMBOLS[category] if any(face.covers(c) for face in family))
    return draw_text_image(rng, lambda each, _: _draw_symbols(each, known), [family], layouts=_SYMBOL_LAYOUTS)


@cache
def _number_families(split: str, font_folders: tuple[str, ...]) -> list[list[Face]]:
    """The Latin families of a split; every eighth picture uses segment displays, as on clocks and tills."""
    latin = list(faces_by_split("Latin", font_folders)[split].values())
    segments = list(symbol_faces("0123456789:-.", font_folders, "DSEG7")[split].values())
    return latin + segments * (len(latin) // (7 * len(segments)) if segments else 0)


@cache
def _symbol_families(split: str, font_folders: tuple[str, ...]) -> dict[str, list[list[Face]]]:
    """Category of `SYMBOLS` -> the families of a split with at least a few of its characters."""
    found = {
        category: list(symbol_faces(characters, font_folders)[split].values())
        for category, characters in SYMBOLS.items()
    }
    return {category: families for category, families in found.items() if families}


def _choice(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _draw_symbols(rng: np.random.Generator, known: Sequence[str]) -> str:
    count = int(rng.choice((1, 2, 3, 4, 5, 6), p=(0.4, 0.22, 0.18, 0.1, 0.06, 0.04)))
    one = rng.random() < 0.3  # a repeated symbol: stars of a hotel, a row of arrows
    drawn = [_choice(rng, known)] * count if one else [_choice(rng, known) for _ in range(count)]
    return ("" if rng.random() < 0.6 else " ").join(drawn)


def draw_number(rng: np.random.Generator) -> str:
    """Western digits without letters, as on signs and pages: prices, dates, times, telephone numbers, plates, sums."""
    return _NUMBERS[int(rng.choice(len(_NUMBERS), p=_NUMBER_SHARES))](rng)


def _plain(rng: np.random.Generator) -> str:
    return _digits(rng, int(rng.integers(1, 8)))


def _digits(rng: np.random.Generator, count: int) -> str:
    return "".join(str(digit) for digit in rng.integers(0, 10, count))


def _amount(rng: np.random.Generator) -> str:
    """Grouped digits, sometimes with a fraction: 1,25,000 or 3 499.50."""
    whole = str(int(10 ** rng.uniform(0, 6.5)))
    style = rng.random()
    if style < 0.3:
        whole = f"{int(whole):,}"
    elif style < 0.4:
        whole = f"{int(whole):,}".replace(",", _choice(rng, (".", " ", "'")))
    elif style < 0.5 and len(whole) > 5:  # lakhs
        whole = f"{whole[:-5]},{whole[-5:-3]},{whole[-3:]}"
    return whole + (f"{_choice(rng, '.,')}{_digits(rng, 2)}" if rng.random() < 0.35 else "")


def _price(rng: np.random.Generator) -> str:
    amount, sign = _amount(rng), _choice(rng, ("₹", "$", "€", "£", "₹", "$", "€"))
    pick = rng.random()
    if pick < 0.5:
        return f"{sign}{' ' if rng.random() < 0.3 else ''}{amount}{_choice(rng, ('', '', '/-', '.-'))}"
    return f"{amount} {sign}" if pick < 0.7 else f"{amount}/-" if pick < 0.8 else f"-{rng.integers(1, 100)}%"


def _date(rng: np.random.Generator) -> str:
    day, month, year = int(rng.integers(1, 32)), int(rng.integers(1, 13)), int(rng.integers(1900, 2040))
    between, short = _choice(rng, ("/", "-", ".", " . ", "/")), rng.random() < 0.4
    told = f"{year % 100:02d}" if short else str(year)
    pick = rng.random()
    if pick < 0.2:
        return str(year)
    if pick < 0.3:
        return f"{year}{_choice(rng, '-–/')}{year % 100 + 1:02d}"
    if pick < 0.45:
        return f"{year}-{month:02d}-{day:02d}"
    return between.join((f"{day:02d}", f"{month:02d}", told) if rng.random() < 0.7 else (str(day), str(month), told))


def _time(rng: np.random.Generator) -> str:
    first, second = (f"{rng.integers(0, 24):02d}{_choice(rng, '::.')}{rng.integers(0, 60):02d}" for _ in range(2))
    pick = rng.random()
    if pick < 0.25:
        return f"{first}{_choice(rng, ('-', ' - ', '–'))}{second}"
    return f"{first}:{rng.integers(10, 60)}" if pick < 0.4 else first


def _form(rng: np.random.Generator, forms: Sequence[str]) -> str:
    """One of the forms, with a digit for each #."""
    return "".join(_digits(rng, 1) if c == "#" else c for c in _choice(rng, forms))


_TELEPHONES = (
    *("+## ##### #####", "##########", "0##-########", "(###) ###-####", "###-###-####", "+## ### ### ####"),
    *("##### #####", "1800-###-####", "0## ### ## ##", "###", "0##/#######"),
)
_PLATES = ("##-###-##", "### ##", "####", "## ####", "#-####", "###-###", "##·####", "## - ## - ##")


def _sum(rng: np.random.Generator) -> str:
    """Arithmetic, and numbers with signs: degrees, fractions, list items."""
    left, right = (int(10 ** rng.uniform(0, 2.5)) for _ in range(2))
    if rng.random() < 0.5:
        between = _choice(
            rng, ("{}+{}", "{} - {}", "{}×{}", "{} ÷ {}", "{}/{}", "{} = {}", "{} < {}", "{}±{}", "{}:{}")
        )
        return between.format(left, right)
    if rng.random() < 0.3:
        return f"{left} + {right} = {left + right}"
    alone = (
        "√{}",
        "{}²",
        "({})²",
        "{}°",
        "-{}°",
        "½",
        "{}½",
        "#{}",
        "{}.",
        "({})",
        "[{}]",
        "{}%",
        "{}+",
        "{}*",
        "*{}#",
    )
    return _choice(rng, alone).format(left)


_NUMBERS = (
    *(_plain, _amount, _price, _date, _time, _sum),
    *(lambda rng: _form(rng, _TELEPHONES), lambda rng: _form(rng, _PLATES)),
)
_NUMBER_SHARES = (0.2, 0.1, 0.17, 0.15, 0.1, 0.12, 0.1, 0.06)


def _draw_code(rng: np.random.Generator) -> np.ndarray:
    """A bar code or a square code, printed or on a screen, as seen by a camera."""
    while True:
        picture = _photographed_code(rng)
        low, high = np.percentile(picture @ LUMA, (10, 90))
        if high - low >= MIN_CONTRAST:
            return picture.astype(np.uint8)


def _photographed_code(rng: np.random.Generator) -> FloatImage:
    modules = _bars(rng) if rng.random() < 0.5 else _square_code(rng)
    cell = max(1, round(72 / len(modules)))
    ink = cv2.copyMakeBorder(np.kron(modules, np.ones((cell, cell), np.float32)), 10, 10, 10, 10, cv2.BORDER_CONSTANT)
    rows, columns = ink.shape
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), float(rng.normal(0, 4)), float(rng.uniform(0.9, 1.2)))
    ink = cv2.warpAffine(ink, matrix, (columns, rows))
    tone, ground = print_colours(rng) if rng.random() < 0.7 else colour_pair(rng)
    picture: FloatImage = alpha_blend(textured_background(rng, ground, rows, columns, roughness=0.5), ink, tone)
    height = round(float(np.exp(rng.uniform(np.log(24), np.log(96)))))
    return photograph(rng, picture, height)


def _bars(rng: np.random.Generator) -> np.ndarray:
    """A one-dimensional code: bars and gaps of one to four modules, float32 [rows, columns]."""
    widths = rng.choice((1, 1, 1, 2, 2, 3, 4), int(rng.integers(24, 80)))
    bars = np.repeat(np.arange(len(widths)) % 2 == 0, widths).astype(np.float32)
    return np.tile(bars, (int(rng.integers(20, 60)), 1))


def _square_code(rng: np.random.Generator) -> np.ndarray:
    """Random modules with the three squares of a QR code, or the two edges of a data matrix; float32 [n, n]."""
    side = int(rng.integers(5, 10)) * 4 + 1
    modules = (rng.random((side, side)) < 0.5).astype(np.float32)
    if rng.random() < 0.3:
        modules[:, 0], modules[-1] = 1, 1
        return modules
    mark = np.pad(np.ones((7, 7), np.float32), 1)
    mark[2:7, 2:7] = 0
    mark[3:6, 3:6] = 1
    modules[:8, :8], modules[:8, -8:], modules[-8:, :8] = mark[1:, 1:], mark[1:, :-1], mark[:-1, 1:]
    return modules
