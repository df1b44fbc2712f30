"""What follows from a return: retries, stops and rates. `docs/spec/nacha.md` has the same figures, worked."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from servicing.nacha.documents import code_rows
from servicing.nacha.reason_codes import CHANGE_CODES, RETURN_CODES, Group, Stage
from servicing.nacha.representment import Attempt, Refusal, Retry, RetryPolicy, attempts_stopped, decide_retry
from servicing.nacha.return_rates import look_back, return_rates

SETTLED = date(2026, 3, 2)
POLICY = RetryPolicy(waits=(3, 5))


def decided(
    code: str, *, presented: int = 1, returned_on: date = date(2026, 3, 4), policy: RetryPolicy = POLICY
) -> Retry:
    """Return what follows for a debit that settled on Monday 2 March 2026."""
    return decide_retry(code, presented=presented, first_settled_on=SETTLED, returned_on=returned_on, policy=policy)


# Every code that a file may hold, as the rule book numbers them.
ALL_RETURNS = {
    *(f"R{number:02d}" for number in (*range(1, 40), *range(40, 48), *range(50, 54), 61, 62)),
    *(f"R{number:02d}" for number in (*range(67, 78), *range(80, 86))),
}
ALL_CHANGES = {f"C{number:02d}" for number in (*range(1, 10), 13, 14, *range(61, 70))}


def test_every_code_of_the_network_is_in_the_table() -> None:
    assert set(RETURN_CODES) == ALL_RETURNS
    assert set(CHANGE_CODES) == ALL_CHANGES
    assert len(list(code_rows())) == len(ALL_RETURNS) + len(ALL_CHANGES)


def test_the_codes_have_the_policies_of_the_rules() -> None:
    returns = RETURN_CODES.values()

    assert {each.code for each in returns if each.represent} == {"R01", "R09"}
    assert {"R05", "R07", "R08", "R10", "R29", "R51"} <= {each.code for each in returns if each.authorize}
    assert {each.code for each in returns if each.group is Group.ADMINISTRATIVE} == {"R02", "R03", "R04"}
    unauthorized = {each.code for each in returns if each.group is Group.UNAUTHORIZED}
    assert unauthorized == {"R05", "R07", "R10", "R11", "R29", "R51"}
    assert {each.code for each in returns if each.stage is Stage.CONTESTED} == {f"R{n}" for n in range(71, 78)}
    assert not any(each.overall for each in returns if each.stage is not Stage.RETURN)


def test_a_debit_without_funds_is_sent_again_after_so_many_banking_days() -> None:
    # Returned on Wednesday 4 March: three banking days on is Monday the 9th. Again on the 11th: five on is the 18th.
    assert decided("R01").on == date(2026, 3, 9)
    assert decided("R09", presented=2, returned_on=date(2026, 3, 11)).on == date(2026, 3, 18)


def test_it_is_presented_three_times_at_most() -> None:
    assert decided("R01", presented=3).refusal is Refusal.COUNT


def test_a_lender_may_retry_less() -> None:
    once = RetryPolicy(waits=(3,))

    assert decided("R01", policy=once).on is not None
    assert decided("R01", presented=2, policy=once).refusal is Refusal.COUNT


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("R08", Refusal.AUTHORIZATION),
        ("R07", Refusal.AUTHORIZATION),
        ("R10", Refusal.AUTHORIZATION),
        ("R02", Refusal.ACCOUNT),
        ("R16", Refusal.ACCOUNT),
        ("R24", Refusal.REASON),
        ("R11", Refusal.REASON),
    ],
)
def test_other_reasons_are_never_retried(code: str, refusal: Refusal) -> None:
    assert decided(code).refusal is refusal


def test_180_days_from_the_first_settlement_are_the_end() -> None:
    # 2 March + 180 days is Saturday 29 August: Friday the 28th is the last banking day.
    last = decided("R01", presented=2, returned_on=date(2026, 8, 21))
    late = decided("R01", presented=2, returned_on=date(2026, 8, 24))

    assert last.on == date(2026, 8, 28)
    assert late.refusal is Refusal.TIME


def test_a_retry_waits_for_a_payday() -> None:
    policy = RetryPolicy(waits=(3, 5), paydays=(1, 15))

    # Three banking days after the 4th is the 9th; the 15th is a Sunday, so Monday.
    assert decided("R01", policy=policy).on == date(2026, 3, 16)
    # A payday beyond the 180 days is not waited for: 1 September is, 27 August is not.
    assert decided("R01", presented=2, returned_on=date(2026, 8, 20), policy=policy).on == date(2026, 8, 27)


FIRST, SECOND, THIRD = date(2026, 3, 2), date(2026, 4, 2), date(2026, 5, 1)


def failed(on: date) -> Attempt:
    """Return an attempt that came back for want of funds."""
    return Attempt(on, failed_for_funds=True, came_back=True)


@pytest.mark.parametrize(
    ("attempts", "stopped"),
    [
        ([], False),
        ([failed(FIRST)], False),
        ([failed(FIRST), failed(SECOND)], True),
        ([failed(FIRST), Attempt(SECOND), failed(THIRD)], False),
        # One that came back for another reason breaks no row.
        ([failed(FIRST), Attempt(SECOND, came_back=True), failed(THIRD)], True),
        ([Attempt(FIRST, came_back=True), Attempt(SECOND, came_back=True)], False),
    ],
)
def test_two_failures_in_a_row_stop_all_attempts(attempts: list[Attempt], stopped: bool) -> None:
    assert attempts_stopped(attempts) is stopped


def test_a_new_authorization_starts_the_count_again() -> None:
    attempts = [failed(FIRST), failed(SECOND)]

    assert not attempts_stopped(attempts, authorized_on=date(2026, 4, 10))
    assert attempts_stopped([*attempts, failed(THIRD), failed(date(2026, 6, 1))], authorized_on=date(2026, 4, 10))
    assert attempts_stopped(attempts, authorized_on=date(2026, 2, 1))
    # Given between the two, or on the day of the second, it is not new.
    assert attempts_stopped(attempts, authorized_on=date(2026, 3, 15))
    assert attempts_stopped(attempts, authorized_on=SECOND)


def test_rates_are_shares_of_the_debits_of_sixty_days() -> None:
    unauthorized, administrative, overall = return_rates(1000, {"R10": 5, "R03": 31, "R01": 100, "R68": 9, "R51": 1})

    # 5 + 1 of 1000 is 0.6 % above 0.5; 31 is 3.1 % above 3; 136 is 13.6 % below 15, the re-presented check left out.
    assert (unauthorized.returned, unauthorized.share, unauthorized.exceeded) == (6, Fraction(6, 1000), True)
    assert (administrative.returned, administrative.exceeded) == (31, True)
    assert (overall.returned, overall.exceeded) == (136, False)


def test_a_rate_at_its_limit_is_not_above_it() -> None:
    rates = return_rates(1000, {"R10": 5, "R03": 30, "R01": 115})

    assert [rate.share == rate.limit for rate in rates] == [True, True, True]
    assert not any(rate.exceeded for rate in rates)


def test_returns_of_nothing_originated_are_too_many() -> None:
    assert [rate.exceeded for rate in return_rates(0, {"R10": 1})] == [True, False, True]
    assert not any(rate.exceeded for rate in return_rates(0))


def test_the_look_back_is_sixty_days_with_the_day_itself() -> None:
    # 61 days lie from 31 January to 1 April 2026, both counted, so the first is 1 February.
    assert look_back(date(2026, 4, 1)) == (date(2026, 2, 1), date(2026, 4, 1))
