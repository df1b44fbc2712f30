"""The vault: account numbers and personal data are encrypted before they are written, by keys that the door brings.

The first key encrypts; all of them decrypt, so that a key can be replaced while the books go on. A token does not say
which key it is under, so the key's id stands beside it: the beginning of its hash. What must be found again without
being read has a blind index: an HMAC under a key that is derived from the vault's own.
Never: where keys come from (`api/settings.py`). Next: `servicing/commands/bank_accounts.py`;
`origination/personal_store.py`.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from servicing.rails.accounts import AccountNumber
from servicing.rails.errors import VaultKeyInvalid, VaultKeyMissing

INDEX_LABEL = b"loanbook blind index 1"


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted text, and which key it is under."""

    key_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Vault:
    """Keys for what is not to be read by chance; the first one is in use."""

    key_id: str
    _ciphers: MultiFernet = field(repr=False)
    _index_keys: tuple[bytes, ...] = field(repr=False)

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
        index_keys = tuple(hmac.digest(key.encode(), INDEX_LABEL, "sha256") for key in given)
        return cls(hashlib.sha256(given[0].encode()).hexdigest()[:8], MultiFernet(ciphers), index_keys)

    def seal(self, number: AccountNumber) -> Sealed:
        """Encrypt a number by the key in use."""
        return self.seal_text(number.reveal())

    def open(self, token: str) -> AccountNumber | None:
        """Decrypt a number; None if it is under none of the keys."""
        text = self.open_text(token)
        return None if text is None else AccountNumber(text)

    def seal_text(self, text: str) -> Sealed:
        """Encrypt a text by the key in use."""
        return Sealed(self.key_id, self._ciphers.encrypt(text.encode()).decode())

    def open_text(self, token: str) -> str | None:
        """Decrypt a text; None if it is under none of the keys."""
        try:
            return self._ciphers.decrypt(token).decode()
        except InvalidToken:
            return None

    def indexes(self, kind: str, text: str) -> tuple[str, ...]:
        """Return the blind indexes of a text under each key, that of the key in use first; kinds never meet."""
        message = f"{kind}\0{text}".encode()
        return tuple(hmac.digest(key, message, "sha256").hex() for key in self._index_keys)
