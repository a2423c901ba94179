"""Escaping for DOT text: a label stays a label, whatever name a user gave to a tensor or module."""

from __future__ import annotations

import html
import re

MAX_LINE_CHARACTERS = 44  # of a line in a box; the tooltip has the whole text
MAX_TOOLTIP_CHARACTERS = 2000

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(words: str) -> str:
    r"""The words without characters that XML and UTF-8 cannot hold: they become U+FFFD.

    >>> xml_text("a\ud800b\x00") == "a\ufffdb\ufffd"
    True
    """
    return _NOT_XML.sub("\ufffd", words)


def text(words: str, longest: int = MAX_LINE_CHARACTERS) -> str:
    """The words as part of an HTML-like label: escaped, on one line, cut to `longest` characters.

    >>> text("<b>&"), text("a" * 50, 5)
    ('&lt;b&gt;&amp;', 'aaaa…')
    """
    words = re.sub(r"[\t\n\r]+", " ", xml_text(words))
    if len(words) > longest:
        words = words[: longest - 1] + "…"
    return html.escape(words) or " "  # an empty <B></B> is a syntax error


def quoted(words: str, longest: int = MAX_TOOLTIP_CHARACTERS) -> str:
    r"""The words as the inside of a quoted DOT string: escaped, cut, with their line breaks.

    >>> quoted('say "a\\N"\nand b')
    'say &quot;a&#92;N&quot;&#10;and b'
    """
    words = xml_text(words)[:longest]
    words = html.escape(words).replace("\\", "&#92;")  # dot would replace \N, \G and the like
    return words.replace("\r", "").replace("\n", "&#10;").replace("\t", " ")
