"""The same document as PDF: the HTML laid out by fpdf2, with nothing in it that changes from one run to the next.

Its creation date is the business date on which it was made, so the same facts give the same bytes and one hash.
Text outside Latin-1 is written with its nearest plain letters, as the fonts that every reader has go no further.
Never: the words (`origination/documents/templates`).
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime

from fpdf import FPDF

MARGIN_MM = 20
TYPOGRAPHY = str.maketrans({"\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


def pdf_of(html: str, *, title: str, made_on: date) -> bytes:
    """Return HTML as PDF."""
    pdf = FPDF(format="Letter")
    pdf.set_creation_date(datetime(made_on.year, made_on.month, made_on.day, tzinfo=UTC))
    pdf.set_title(_plain(title))
    pdf.set_producer("Loanbook")
    pdf.set_lang("en-US")
    pdf.set_margins(MARGIN_MM, MARGIN_MM, MARGIN_MM)
    pdf.set_auto_page_break(auto=True, margin=MARGIN_MM)
    pdf.set_font("Helvetica", size=10)
    pdf.add_page()
    pdf.write_html(_plain(_body(html)), font_family="Helvetica")
    return bytes(pdf.output())


def _body(html: str) -> str:
    """Return what stands between the tags of the body."""
    return html.partition("<body>")[2].rpartition("</body>")[0]


def _plain(text: str) -> str:
    """Return text in Latin-1: other letters lose their marks, and what has none becomes a question mark."""
    found = []
    for letter in text.translate(TYPOGRAPHY):
        if ord(letter) < 256:
            found.append(letter)
        else:
            bare = unicodedata.normalize("NFKD", letter).encode("latin-1", "ignore").decode("latin-1")
            found.append(bare or "?")
    return "".join(found)
