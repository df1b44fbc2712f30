"""The vault: bank account numbers are encrypted before they are written, by keys that the door brings along.

The first key encrypts; all of them decrypt, so that a key can be replaced while the books go on. A token does not say
which key it is under, so the key's id stands beside it: the beginning of its hash.
Never: where keys come from (`api/settings.py`). Next: `servicing/commands/bank_accounts.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from servicing.rails.accounts import AccountNumber
from servicing.rails.errors import VaultKeyInvalid, VaultKeyMissing


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted number, and which key it is under."""

    key_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Vault:
    """Keys for numbers; the first one is in use."""

    key_id: str
    _ciphers: MultiFernet = field(repr=False)

    @classmethod
    def of_keys(cls, keys: str | None) -> Self:
        """Return the vault of keys that are separated by commas, the one in use first.

        Raises: VaultKeyMissing; VaultKeyInvalid.
        """
        given = [key.strip() for key in (keys or "").split(",") if key.strip()]
        if not given:
            raise VaultKeyMissing
        ciphers = []
        for place, key in enumerate(given, 1):
            try:
                ciphers.append(Fernet(key))
            except ValueError:
                raise VaultKeyInvalid(place=place) from None
        return cls(hashlib.sha256(given[0].encode()).hexdigest()[:8], MultiFernet(ciphers))

    def seal(self, number: AccountNumber) -> Sealed:
        """Encrypt a number by the key in use."""
        return Sealed(self.key_id, self._ciphers.encrypt(number.reveal().encode()).decode())

    def open(self, token: str) -> AccountNumber | None:
        """Decrypt a number; None if it is under none of the keys."""
        try:
            return AccountNumber(self._ciphers.decrypt(token).decode())
        except InvalidToken:
            return None
