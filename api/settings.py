"""The settings, all of them from the environment.

Read once at a door and handed down; nothing below `api/` looks at the environment. Secrets stay in types that
do not print them. `as_markdown` makes the reference page. Next: `api/database.py`, which finds the database.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.errors import SettingInvalid

PREFIX = "LOANBOOK_"


class Settings(BaseSettings):
    """What an operator may set. Each field is read from `LOANBOOK_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    database_url: SecretStr | None = Field(
        default=None, description="the database, as role loanbook_app; without it the embedded server is used"
    )
    owner_database_url: SecretStr | None = Field(
        default=None, description="the same database as a role that may create roles, for migrate and init"
    )
    reader_database_url: SecretStr | None = Field(
        default=None, description="the same database, or a replica of it, as role loanbook_reader, for auditors"
    )
    state_dir: Path = Field(
        default=Path(".loanbook"),
        description="where the embedded server keeps its data, relative to the working directory",
    )
    pg_bindir: Path | None = Field(default=None, description="the folder of the PostgreSQL programs to use")
    book: str | None = Field(
        default=None, description="the book that commands work on; needed once there is a second one"
    )
    actor: str | None = Field(default=None, description="who acts; the default is cli:<login name>")
    out_dir: Path = Field(
        default=Path("out"), description="where demo, export, reconcile, close and report write their files"
    )
    digest_file: Path | None = Field(
        default=None, description="a file to which seal appends the hash of each new block"
    )
    digest_webhook: HttpUrl | None = Field(
        default=None, description="an address to which seal posts the hash of each new block"
    )
    signing_key_file: Path | None = Field(
        default=None, description="an Ed25519 private key (PEM, PKCS 8) that signs evidence bundles"
    )
    bank_account_keys: SecretStr | None = Field(
        default=None,
        description="Fernet keys for account numbers and personal data, separated by commas; the first one encrypts",
    )
    ach_program: Path | None = Field(
        default=None, description="a TOML file that says who sends files to the clearing house, and how"
    )
    card_processor_url: HttpUrl | None = Field(default=None, description="where the card processor is reached")
    card_processor_key: SecretStr | None = Field(default=None, description="the key that opens the card processor")
    bureau_key: SecretStr | None = Field(
        default=None, description="the key that opens the bureau for trying out, and that its sources send"
    )
    card_webhook_secret: SecretStr | None = Field(
        default=None, description="the secret with which the card processor signs its messages"
    )
    max_body_bytes: int = Field(default=262_144, gt=0, description="the largest HTTP request body that is read")
    pool_size: int = Field(default=8, gt=0, le=100, description="database connections that a server process keeps open")
    workers: int = Field(default=2, gt=0, le=64, description="server processes of loanbook serve")

    @classmethod
    def load(cls) -> Self:
        """Read the environment.

        Raises: SettingInvalid naming the first variable that cannot be read.
        """
        try:
            return cls()
        except ValidationError as invalid:
            mistake = invalid.errors(include_input=False, include_url=False, include_context=False)[0]
            raise SettingInvalid(setting=variable_of(str(mistake["loc"][0])), reason=mistake["msg"]) from None


def secret_text(secret: SecretStr | None) -> str | None:
    """Return what a secret setting holds, for whoever works with it."""
    return None if secret is None else secret.get_secret_value()


def variable_of(field: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + field.upper()


def as_markdown() -> str:
    """Return the settings as one Markdown table, for the reference page."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `{variable_of(name)}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"
