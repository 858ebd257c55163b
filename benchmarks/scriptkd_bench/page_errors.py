"""Character errors of a page's text, independent of the order of its lines.

Signs have no reading order, and tools differ in what they take for a line. So lines are matched in any order, as in the
flexible character accuracy measure. In each step the two parts that agree best are matched, and the rest of their lines
is matched again. Source: C. Clausner, S. Pletschacher and A. Antonacopoulos, "Flexible character accuracy measure for
reading-order-independent evaluation", Pattern Recognition Letters 131, 2020.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein


def plain(text: str) -> str:
    """Normalise a text for comparison: Unicode's form NFC, without spaces and invisible characters such as joiners.

    Spaces are left out, since several scripts have none between words and tools differ in where they set them.
    """
    return "".join(c for c in unicodedata.normalize("NFC", text) if not c.isspace() and unicodedata.category(c) != "Cf")


def character_errors(truth: Iterable[str], read: Iterable[str]) -> tuple[int, int]:
    """Return a page's number of wrong, missing and extra characters, and the number of characters in its truth.

    Args:
        truth: the page's lines or words, in any order.
        read: the lines or words that were read, in any order.
    """
    wanted = [each for each in map(plain, truth) if each]
    found = [each for each in map(plain, read) if each]
    total = sum(map(len, wanted))
    errors = 0
    # After a match, only the pairs with its leftover pieces are new.
    pairs = [_match(a, b) for a in wanted for b in found]
    while pairs:
        best = max(pairs, key=lambda pair: pair[0])
        gain, wrong, a, b, a_part, b_part = best
        if gain <= 0:
            break
        errors += wrong
        wanted.remove(a)
        found.remove(b)
        a_rest = [piece for piece in (a[: a_part[0]], a[a_part[1] :]) if piece]
        b_rest = [piece for piece in (b[: b_part[0]], b[b_part[1] :]) if piece]
        pairs = [pair for pair in pairs if pair[2] in wanted and pair[3] in found]
        pairs += [_match(piece, other) for piece in a_rest for other in found]
        pairs += [_match(other, piece) for piece in b_rest for other in wanted]
        pairs += [_match(x, y) for x in a_rest for y in b_rest]
        wanted += a_rest
        found += b_rest
    return errors + sum(map(len, wanted)) + sum(map(len, found)), total


_Pair = tuple[int, int, str, str, tuple[int, int], tuple[int, int]]


def _match(a: str, b: str) -> _Pair:
    """Match the shorter text with the most similar part of the longer: gain, errors, texts and positions."""
    at = fuzz.partial_ratio_alignment(a, b)
    assert at is not None  # None is returned only for a missing text
    one, other = a[at.src_start : at.src_end], b[at.dest_start : at.dest_end]
    wrong = Levenshtein.distance(one, other)
    gain = max(len(one), len(other)) - 2 * wrong
    return gain, wrong, a, b, (at.src_start, at.src_end), (at.dest_start, at.dest_end)
