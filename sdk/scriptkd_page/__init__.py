"""From a photograph to text: find the words of a page, tell their scripts, hand each to the reader of its script.

>>> from scriptkd_page import find_words
>>> [(word.script, word.corners) for word in find_words("sign.jpg")]
"""

from importlib.util import find_spec

from scriptkd_sdk.errors import ScriptkdError

if any(find_spec(name) is None for name in ("fontTools", "PIL", "pypdfium2", "rapidocr")):
    raise ScriptkdError("scriptkd page needs the extra [page]: in a checkout, pip install '.[page]'")

from scriptkd_page.finding import WordFinder, find_words
from scriptkd_page.page import Page, Word
from scriptkd_page.ppocr import PpOcr
from scriptkd_page.reading import Reader, read_page
from scriptkd_page.tesseract import Tesseract

__all__ = ["Page", "PpOcr", "Reader", "Tesseract", "Word", "WordFinder", "find_words", "read_page"]
