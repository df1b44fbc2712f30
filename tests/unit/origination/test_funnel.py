"""Public loans as applications through the shipped policy: the funnel, and how each outcome later fared.

The figures are those that `docs/how-to/decisions.md` shows; the counts of the sample itself are an outside fact.
"""

from __future__ import annotations

from collections import Counter

from origination.policies.document import shipped_text
from origination.policies.engine import decide, read_policy
from origination.policies.reasons import FORM, OTHER
from tests.support.lending_club import applications

POLICY = read_policy(shipped_text("personal_loan.toml"))


def test_whom_the_policy_declines_fared_worse_than_whom_it_approves() -> None:
    all_of, paid = Counter[str](), Counter[str]()
    for sources, in_full in applications():
        decision = decide(POLICY, POLICY.facts(sources))
        all_of[decision.outcome] += 1
        paid[decision.outcome] += in_full
        # Some rows of 2007 have no credit report to speak of: a person looks at them.
        assert (None in {rule.fired for rule in decision.rules}) == bool(decision.missing)
        assert decision.outcome == "refer" or not decision.missing
        assert {reason.code for reason in decision.reasons} <= {*FORM, OTHER}
        assert bool(decision.reasons) >= (decision.outcome in ("decline", "counter_offer"))

    # `wc -l` of the file, less its heading.
    assert sum(all_of.values()) == 1969
    # grep -c 'Charged Off': 565 did not pay in full.
    assert sum(all_of.values()) - sum(paid.values()) == 565
    lost = {outcome: 1 - paid[outcome] / count for outcome, count in all_of.items()}
    assert lost["approve"] < lost["refer"] < lost["decline"]
    assert lost["decline"] > 1.5 * lost["approve"]
    assert dict(all_of) == FUNNEL
    assert {outcome: all_of[outcome] - paid[outcome] for outcome in all_of} == LOST


FUNNEL = {"approve": 804, "counter_offer": 51, "refer": 572, "decline": 542}
LOST = {"approve": 166, "counter_offer": 16, "refer": 166, "decline": 217}
"""As the how-to page shows them: changing the shipped policy is a decision that a reviewer sees here."""
