"""Words of a report for the language scores."""

from __future__ import annotations

import logging
import re
import tempfile
import threading
import warnings
from functools import cache
from typing import TYPE_CHECKING

from pet2rep_core.records import Language
from pet2rep_core.report.slots import strip_slots

if TYPE_CHECKING:
    from jieba import Tokenizer

TOKENIZERS = {Language.CHINESE: "jieba-0.42.1", Language.ENGLISH: "words-lower"}
"""Name of each language's tokeniser, as signatures print it."""

_ENGLISH_TOKEN = re.compile(r"[a-z0-9]+(?:[.'-][a-z0-9]+)*|[^\sa-z0-9]")
_LOCK = threading.Lock()


def tokenize(text: str, language: Language) -> list[str]:
    """Return the words of a report, slot brackets removed, punctuation kept as words of its own.

    Chinese: jieba 0.42.1 in exact mode with its own dictionary and the hidden Markov model, white space
    dropped. English: lower case; runs of letters and digits, which ``.``, ``'`` and ``-`` may join
    (``18f-fdg``, ``3.5``, ``patient's``), and every other character alone.
    """
    plain = strip_slots(text)
    if language is Language.ENGLISH:
        return _ENGLISH_TOKEN.findall(plain.lower())
    return [word for word in _jieba().cut(plain, HMM=True) if not word.isspace()]


def _jieba() -> Tokenizer:
    with _LOCK:
        return _load_jieba()


@cache
def _load_jieba() -> Tokenizer:
    """Return a tokeniser of our own: no user dictionary of another module can change it.

    jieba keeps its dictionary in a shared temporary folder, where another process may leave a damaged or a
    different one; a folder of our own for the moment of reading makes it read its own file.
    """
    # Python warns about jieba's old string escapes and its use of pkg_resources, once, while it compiles it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba  # noqa: PLC0415 - loading jieba takes a second; opening the app must not pay for it

    jieba.setLogLevel(logging.WARNING)
    words = jieba.Tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        words.tmp_dir = folder
        words.initialize()
    return words
