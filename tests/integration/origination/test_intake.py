"""Applications taken in on real PostgreSQL: saved in parts, submitted, repeated, routed."""

from __future__ import annotations

import threading
from datetime import date

import pytest
import sqlalchemy as sa

from ledger.commands.books import advance_business_date
from ledger.domain_error import DomainError
from ledger.unit_of_work import run
from origination.application import Action
from origination.commands import decide_application, fund_application
from origination.errors import ApplicationExists, ApplicationUnknown
from origination.intake.errors import (
    ApplicationFieldsInvalid,
    ChannelUnknown,
    DraftMoved,
    DraftSubmitted,
    DuplicateApplication,
    FormUnknown,
)
from origination.intake.form import parse_form, shipped_form
from origination.intake.routing import parse_routing
from origination.intake_commands import (
    load_form,
    load_routing,
    save_application,
    submit_intake,
)
from origination.intake_queries import forms, intakes, routing
from origination.queries import application
from tests.integration.origination.conftest import BOOK, Change
from tests.integration.origination.desk import opened, submitted, view
from tests.support.applications import vault, whole


def test_an_application_is_saved_in_parts_taken_up_again_and_submitted(engine: sa.Engine, change: Change) -> None:
    number = opened(change, {"application": {"amount": 900_000}}, name="W-1")
    data = whole()
    change(save_application, vault(), BOOK, number, {"applicant": data["applicant"], "application": {"amount": None}})
    change(save_application, vault(), BOOK, number, data, actor="carol")

    sent = change(submit_intake, vault(), BOOK, number)

    seen = view(engine, number)
    assert (sent.version_no, sent.queue, sent.workflow, sent.duplicate_of) == (3, "intake", "standard", ())
    assert [each.version_no for each in seen.versions] == [1, 2, 3]
    assert "amount" not in str(seen.versions[1].data)
    # 28 February 1990 to 5 January 2026: 35 years. Kept for 25 months from 5 January 2026.
    assert (sent.derived, sent.keep_until) == ({"age": 35, "state": "CA"}, date(2028, 2, 5))
    with engine.connect() as connection:
        entered = application(connection, number)
    terms = entered.request.terms
    assert (entered.state, entered.entered_by, entered.request.applicant) == ("received", "bob", f"applicant:{number}")
    assert (terms.principal.minor, terms.installments, str(terms.rate)) == (1_200_000, 36, "14.99")
    assert entered.request.external_id == "W-1"


def test_what_was_submitted_is_approved_and_funded_by_the_path_that_there_was(
    engine: sa.Engine, change: Change
) -> None:
    number = submitted(change)

    change(decide_application, BOOK, number, Action.APPROVE, actor="carol")
    funded = change(fund_application, BOOK, number, approver="carol")

    assert funded.application_id == number
    assert view(engine, number).state == "funded"


def test_everything_that_is_wrong_is_told_together_and_nothing_is_kept(engine: sa.Engine, change: Change) -> None:
    number = opened(change, {"application": {"amount": 1_200_000}})

    with pytest.raises(ApplicationFieldsInvalid) as refused:
        change(submit_intake, vault(), BOOK, number)
    with pytest.raises(ApplicationFieldsInvalid) as half:
        change(save_application, vault(), BOOK, number, {"applicant": {"ssn": "000-12-3456", "zip": "x"}})

    paths = [each["path"] for each in refused.value.fields]
    assert len(paths) == refused.value.count == 15
    assert {"applicant.ssn", "consents.credit_report", "income.annual"} <= set(paths)
    assert [each["path"] for each in half.value.fields] == ["applicant.ssn", "applicant.zip"]
    assert "3456" not in str(half.value)
    assert len(view(engine, number).versions) == 1


def test_the_same_person_is_found_again_however_the_name_is_written(change: Change) -> None:
    first = submitted(change)
    other_number = {"applicant__ssn": "912-70-9999"}

    with pytest.raises(DuplicateApplication) as by_number:
        submitted(change, applicant__ssn="912 701 234", applicant__last_name="Someone", applicant__zip="10001")
    with pytest.raises(DuplicateApplication) as by_name:
        submitted(change, **other_number, applicant__last_name="O'NEIL ")
    third = submitted(change, **other_number, applicant__date_of_birth="1990-02-27")

    assert by_number.value.duplicate_of == by_name.value.duplicate_of == (first,)
    assert third > first


def test_a_repeat_counts_within_its_window_only_and_not_after_a_withdrawal(change: Change) -> None:
    first = submitted(change)
    change(advance_business_date, BOOK, date(2026, 2, 4))
    with pytest.raises(DuplicateApplication):
        submitted(change)
    change(advance_business_date, BOOK, date(2026, 2, 5))

    second = submitted(change)
    with pytest.raises(DuplicateApplication):
        submitted(change)
    change(decide_application, BOOK, second, Action.WITHDRAW)

    assert submitted(change) > second > first


def test_a_repeat_at_the_till_is_flagged_and_goes_to_a_queue_of_its_own(change: Change) -> None:
    data = whole(merchant__code="M-1", merchant__basket=50_000, application__amount=50_000, application__term_months=12)
    consents = {"credit_report": data["consents"]["credit_report"]}
    names = ("first_name", "last_name", "date_of_birth", "ssn", "zip", "phone")
    sale = {
        "application": {name: data["application"][name] for name in ("amount", "term_months", "state")},
        "applicant": {name: data["applicant"][name] for name in names},
        **{name: data[name] for name in ("income", "merchant")},
        "consents": consents,
    }
    sent = []
    for _ in range(2):
        number = opened(change, sale, product="point_of_sale", channel="point_of_sale")
        sent.append(change(submit_intake, vault(), BOOK, number))

    assert [(each.queue, each.duplicate_of) for each in sent] == [
        ("intake", ()),
        ("duplicates", (sent[0].application_id,)),
    ]


def test_of_many_submissions_of_one_person_at_once_one_is_taken(engine: sa.Engine, change: Change) -> None:
    drafts = [opened(change, whole()) for _ in range(4)]
    came: list[object] = []
    start = threading.Barrier(len(drafts))

    def submit(number: int) -> None:
        start.wait()
        try:
            came.append(run(engine, lambda uow: submit_intake(uow, vault(), BOOK, number), actor="bob").application_id)
        except DomainError as refusal:
            came.append(refusal.code)

    threads = [threading.Thread(target=submit, args=(number,)) for number in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert came.count("duplicate-application") == 3
    assert sum(isinstance(each, int) for each in came) == 1


def test_of_two_who_submit_one_draft_one_does(engine: sa.Engine, change: Change) -> None:
    number = opened(change, whole())
    change(submit_intake, vault(), BOOK, number)

    with pytest.raises(DraftSubmitted):
        change(submit_intake, vault(), BOOK, number)
    with pytest.raises(DraftSubmitted):
        change(save_application, vault(), BOOK, number, {"income": {"annual": 1}})


def test_who_saves_over_what_somebody_else_saved_is_told_if_asked(change: Change) -> None:
    number = opened(change, {})
    change(save_application, vault(), BOOK, number, {"income": {"annual": 1}}, on_version=1)

    with pytest.raises(DraftMoved):
        change(save_application, vault(), BOOK, number, {"income": {"annual": 2}}, on_version=1)


def test_what_cannot_be_opened(change: Change) -> None:
    opened(change, {}, name="W-1")

    with pytest.raises(ApplicationExists):
        opened(change, {}, name="W-1")
    with pytest.raises(FormUnknown):
        opened(change, {}, product="yacht")
    with pytest.raises(ChannelUnknown):
        opened(change, {}, channel="pigeon")
    with pytest.raises(ApplicationUnknown):
        change(submit_intake, vault(), BOOK, 999_999)


def test_a_new_form_is_asked_by_from_the_next_save_on(engine: sa.Engine, change: Change) -> None:
    number = opened(change, whole())
    shipped = shipped_form("personal")
    assert shipped is not None
    stricter = shipped.as_json()
    stricter["fields"]["applicant.housing"]["choices"] = ["own"]
    release, is_new = change(load_form, parse_form(stricter))
    again, twice = change(load_form, parse_form(stricter))

    with pytest.raises(ApplicationFieldsInvalid) as refused:
        change(submit_intake, vault(), BOOK, number)

    assert (release.release, is_new, again.release, twice) == (2, True, 2, False)
    assert [each["path"] for each in refused.value.fields] == ["applicant.housing"]
    with engine.connect() as connection:
        assert [(each.form.name, each.release) for each in forms(connection)] == [("personal", 2), ("point_of_sale", 0)]


def test_a_loaded_table_routes_by_product_state_channel_and_amount(engine: sa.Engine, change: Change) -> None:
    table = {
        "route": [
            {"state": ["CA"], "amount_from": 1_000_000, "queue": "west_senior", "workflow": "two_eyes"},
            {"channel": ["agent"], "queue": "field"},
            {"queue": "rest"},
        ]
    }
    with engine.connect() as connection:
        assert routing(connection, BOOK)[1] == 0
    change(load_routing, BOOK, parse_routing(table))

    number = opened(change, whole())
    sent = change(submit_intake, vault(), BOOK, number)

    assert (sent.queue, sent.workflow, sent.route_no, sent.routing_release) == ("west_senior", "two_eyes", 1, 1)
    with engine.connect() as connection:
        assert [each[0].application_id for each in intakes(connection, BOOK, queue="west_senior")] == [number]
        assert intakes(connection, BOOK, drafts=True) == []


def test_consents_are_kept_with_the_hash_of_their_text(engine: sa.Engine, change: Change) -> None:
    seen = view(engine, submitted(change))

    assert [(each.kind, each.text_version, each.by_ip, each.channel) for each in seen.consents] == [
        ("credit_report", "2026-01", True, "web"),
        ("electronic_records", "2026-01", True, "web"),
    ]
    # printf '%s' 'I authorize the lender to obtain my credit report, and to verify what I have stated, for this
    # application.' | sha256sum, the text on one line
    assert seen.consents[0].text_hash == "f8bc7885271f1530519aaac062e7285af8ffab20d376c4acddc79675e5525537"
