"""The bureau's people: the same for a seed in every process, and nobody's."""

from __future__ import annotations

import hashlib
import hmac

from api.bureau import people
from origination.intake.values import taxpayer_number


def test_people_follow_from_the_seed() -> None:
    first, again, other = (list(people.people(seed, 20)) for seed in (1, 1, 2))

    assert first == again != other
    assert len({each["ssn"] for each in first}) == 20


def test_a_score_is_drawn_from_the_hash_of_seed_and_number() -> None:
    digest = hmac.new(b"1", b"912701234", "sha256").digest()
    drawn = int(hashlib.sha256(digest + b"score").hexdigest()[:16], 16)

    for written in ("912-70-1234", "912701234"):
        assert people.credit_report(1, written)["report"]["score"] == 480 + drawn % 371


def test_nobody_has_a_social_security_number() -> None:
    for each in people.people(7, 200):
        assert taxpayer_number(each["ssn"]).startswith("9")


def test_whoever_is_listed_is_known_and_matched() -> None:
    for each in people.people(7, 50):
        assert people.is_known(7, each["ssn"])
        assert people.identity(7, each)["match"] == {"name": True, "date_of_birth": True}
        assert people.identity(7, {**each, "last_name": "Nobody"})["match"]["name"] is False


def test_some_numbers_are_not_known() -> None:
    known = sum(people.is_known(7, f"91270{serial:04d}") for serial in range(5000))

    # One of 25 is not: 4,800 of 5,000 are expected, with a deviation of about 14.
    assert 4730 < known < 4870
