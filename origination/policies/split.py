"""Which version decides on an application: the champion, or the challenger for a share of them.

The share is taken by a hash of the policy's name and the application's id, so that it is the same on every machine and
for ever, and another policy divides otherwise. Never: chance. Next: `origination/policy_commands.py`.
"""

from __future__ import annotations

from hashlib import sha256

BUCKETS = 10_000


def bucket_of(policy: str, application_id: int) -> int:
    """Return the bucket of an application, 0 to 9,999: the first eight bytes of the SHA-256 of `NAME:ID`, modulo."""
    digest = sha256(f"{policy}:{application_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def is_challenged(policy: str, application_id: int, share_bp: int) -> bool:
    """Tell whether the challenger decides, for a share in hundredths of a percent."""
    return bucket_of(policy, application_id) < share_bp
