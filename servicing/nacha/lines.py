"""The bytes of a file as lines of 94 characters.

Lines may end in a line feed, or in a carriage return and a line feed, or not at all: the records of a block may stand
one behind the other. Empty lines at the end are passed over. Nothing else is mended.
Next: `servicing/nacha/reading.py`.
"""

from __future__ import annotations

from servicing.nacha.errors import AchByteRefused, AchRecordLength, AchRecordUnexpected
from servicing.nacha.fields import WIDTH


def split_lines(data: bytes) -> tuple[str, ...]:
    """Return the lines.

    Raises: AchByteRefused; AchRecordLength; AchRecordUnexpected where there is no line at all.
    """
    pieces = data.replace(b"\r\n", b"\n").split(b"\n")
    while pieces and not pieces[-1]:
        pieces.pop()
    if len(pieces) == 1 and len(pieces[0]) > WIDTH:
        pieces = [pieces[0][start : start + WIDTH] for start in range(0, len(pieces[0]), WIDTH)]
    if not pieces:
        raise AchRecordUnexpected(line=1, found="the end of the file", expected="a file header (1)")
    return tuple(_line(piece, number) for number, piece in enumerate(pieces, start=1))


def _line(piece: bytes, number: int) -> str:
    for position, byte in enumerate(piece, start=1):
        if not 0x20 <= byte <= 0x7E:
            raise AchByteRefused(line=number, position=position, byte=f"0x{byte:02X}")
    if len(piece) != WIDTH:
        raise AchRecordLength(line=number, length=len(piece), expected=WIDTH)
    return piece.decode("ascii")
