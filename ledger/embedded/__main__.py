"""Stop or remove an embedded server with nothing but Python: `python -m ledger.embedded stop|remove FOLDER`.

For `make clean`, which must work when the virtual environment is gone. People use `loanbook db`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.domain_error import DomainError
from ledger.embedded.server import remove, stop

USAGE = "usage: python -m ledger.embedded stop|remove FOLDER"


def main(arguments: list[str]) -> int:
    """Run the command and say what was done."""
    try:
        match arguments:
            case ["stop", folder]:
                done = "stopped" if stop(Path(folder)) else "no server ran"
            case ["remove", folder]:
                done = "stopped and removed" if remove(Path(folder)) else "nothing to remove"
            case _:
                print(USAGE, file=sys.stderr)
                return 2
    except DomainError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"embedded server in {folder}: {done}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
