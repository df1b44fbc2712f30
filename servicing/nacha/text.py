"""Names as the clearing house takes them: upper-case letters of ASCII, by a spelling that people know.

Accents are dropped, ligatures and letters of their own are spelled out; a script with no such spelling is refused, for
a name that nobody can read back helps no bank. Next: `servicing/nacha/building.py`.
"""

from __future__ import annotations

import unicodedata

from servicing.nacha.errors import AchTextRefused

SPELLED = str.maketrans(
    {
        "Æ": "AE",
        "Œ": "OE",
        "Ø": "O",
        "Ł": "L",
        "Đ": "D",
        "Ð": "D",
        "Þ": "TH",
        "Ħ": "H",
        "Ŧ": "T",
        "Ŋ": "NG",
        "\N{MODIFIER LETTER TURNED COMMA}": "'",
        "\N{MODIFIER LETTER APOSTROPHE}": "'",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MIDDLE DOT}": ".",
    }
)
WHITE = " "


def ach_text(text: str, width: int | None = None) -> str:
    """Return a text in upper-case ASCII with single spaces, cut to a width.

    Raises: AchTextRefused naming the character that has no spelling.
    """
    # Decomposed first, spelled after: the letter under an accent may itself be one of those that are spelled out.
    spelled = unicodedata.normalize("NFKD", text).upper().translate(SPELLED)
    kept = "".join(each for each in spelled if not unicodedata.combining(each))
    joined = WHITE.join(kept.split())
    strange = next((each for each in joined if not WHITE <= each <= "~"), None)
    if strange is not None:
        raise AchTextRefused(text=text, character=strange)
    return joined if width is None else joined[:width].rstrip()
