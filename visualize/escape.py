"""Words for DOT text: a label stays a label, whatever a user called his tensors and modules."""

from __future__ import annotations

import html
import re

LONGEST = 44  # characters of a line in a box; the tooltip has it all

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(words: str, longest: int = LONGEST) -> str:
    """Words for an HTML-like label: escaped, on one line, cut where they are too long.

    >>> text("<b>&"), text("a" * 50, 5)
    ('&lt;b&gt;&amp;', 'aaaa…')
    """
    words = re.sub(r"[\t\n\r]+", " ", _NOT_XML.sub("\ufffd", words))
    if len(words) > longest:
        words = words[: longest - 1] + "…"
    return html.escape(words) or " "  # an empty <B></B> is a syntax error


def quoted(words: str, longest: int = 2000) -> str:
    """Words for between the quotes of a DOT string, as `text`, but with their lines."""
    words = _NOT_XML.sub("\ufffd", words)[:longest]
    words = html.escape(words).replace("\\", "&#92;")  # \N, \G ... would be replaced
    return words.replace("\r", "").replace("\n", "&#10;").replace("\t", " ")
