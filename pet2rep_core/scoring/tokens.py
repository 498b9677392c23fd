"""Words of a report for the language scores.

Chinese words are those of jieba 0.42.1 with its own dictionary, no other: both are checked when it is loaded,
since they stand in the signature of every score.
"""

from __future__ import annotations

import hashlib
import logging
import re
import tempfile
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pet2rep_core.errors import MissingDependencyError, SettingsError
from pet2rep_core.records import Language
from pet2rep_core.report.slots import strip_slots
from pet2rep_core.scoring.jieba_cutter import JiebaCutter

if TYPE_CHECKING:
    from jieba import Tokenizer as JiebaTokenizer

JIEBA_VERSION = "0.42.1"
JIEBA_DICTIONARY_SHA256 = "7197c3211ddd98962b036cdf40324d1ea2bfaa12bd028e68faa70111a88e12a8"

_ENGLISH_TOKEN = re.compile(r"[a-z0-9]+(?:[.'-][a-z0-9]+)*|[^\sa-z0-9]")
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A way of cutting a text into words, under the name that signatures print."""

    name: str
    cut: Callable[[str], list[str]]


def chinese_words(text: str) -> list[str]:
    """Return the words of jieba in exact mode with the hidden Markov model, white space dropped."""
    return _load_cutter().cut(text, spaces=False)


def chinese_words_and_spaces(text: str) -> list[str]:
    """Return the words of jieba in exact mode with the hidden Markov model, as ``jieba.lcut`` does."""
    return _load_cutter().cut(text, spaces=True)


def english_words(text: str) -> list[str]:
    """Return lower-case words: runs of letters and digits, which ``.``, ``'`` and ``-`` may join.

    ``18f-fdg``, ``3.5`` and ``patient's`` are one word each; every other character stands alone.
    """
    return _ENGLISH_TOKEN.findall(text.lower())


def characters(text: str) -> list[str]:
    """Return every character but white space."""
    return list("".join(text.split()))


def lower_characters(text: str) -> list[str]:
    """Return every character of the text in lower case but white space."""
    return characters(text.lower())


def pieces_between_spaces(text: str) -> list[str]:
    """Return what stands between white space; a Chinese paragraph is one piece."""
    return text.split()


JIEBA = Tokenizer(f"jieba-{JIEBA_VERSION}", chinese_words)
JIEBA_WITH_SPACES = Tokenizer(f"jieba-{JIEBA_VERSION}-spaces", chinese_words_and_spaces)
ENGLISH_WORDS = Tokenizer("words-lower", english_words)
CHARACTERS = Tokenizer("characters", characters)
LOWER_CHARACTERS = Tokenizer("characters-lower", lower_characters)
SPACES = Tokenizer("spaces", pieces_between_spaces)

TOKENIZERS = {Language.CHINESE: JIEBA.name, Language.ENGLISH: ENGLISH_WORDS.name}
"""Name of the tokeniser of each language in the profile ``reference``."""


def tokenize(text: str, language: Language) -> list[str]:
    """Return the words of a report as the profile ``reference`` counts them, slot brackets removed."""
    cut = english_words if language is Language.ENGLISH else chinese_words
    return cut(strip_slots(text))


def load_jieba() -> JiebaTokenizer:
    """Return a jieba tokeniser of our own, which no user dictionary of another module can change.

    Raises
    ------
    MissingDependencyError
        If jieba is not installed.
    SettingsError
        If its version or its dictionary is not the one that signatures name.
    """
    return _load_cutter().tokenizer


def forget_blocks() -> None:
    """Empty the memo of blocks, so that the next text is cut cold."""
    _load_cutter().forget()


def _load_cutter() -> JiebaCutter:
    with _LOCK:
        return _make_cutter()


@cache
def _make_cutter() -> JiebaCutter:
    # Python warns about jieba's old string escapes and its use of pkg_resources, once, while it compiles it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import jieba  # noqa: PLC0415 - loading jieba takes a second; opening the app must not pay for it
        except ImportError as error:
            raise MissingDependencyError("Cutting Chinese words", f"pip install jieba=={JIEBA_VERSION}") from error
    jieba.setLogLevel(logging.WARNING)
    if jieba.__version__ != JIEBA_VERSION:
        raise SettingsError(
            f"jieba {jieba.__version__} is installed, and scores are signed for {JIEBA_VERSION}.",
            hint=f"Install it with: pip install jieba=={JIEBA_VERSION}",
        )
    tokenizer = jieba.Tokenizer()
    with tokenizer.get_dict_file() as dictionary:
        if hashlib.sha256(dictionary.read()).hexdigest() != JIEBA_DICTIONARY_SHA256:
            raise SettingsError(
                f"The dictionary of jieba is not that of version {JIEBA_VERSION}; the scores would not compare.",
                hint=f"Install it again: pip install --force-reinstall jieba=={JIEBA_VERSION}",
            )
    # jieba keeps its dictionary in a shared temporary folder, where another process may leave a damaged or a
    # different one; a folder of our own for the moment of reading makes it read its own file
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.tmp_dir = folder
        tokenizer.initialize()
    return JiebaCutter(jieba, tokenizer)
