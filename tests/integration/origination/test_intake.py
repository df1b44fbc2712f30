"""Applications taken in on real PostgreSQL: saved in parts, submitted, repeated, routed, erased, under another key."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from typing import Any, TypeVar

import psycopg
import pytest
import sqlalchemy as sa

from ledger.chart_file import parse_chart
from ledger.commands.books import advance_business_date, create_book, load_chart
from ledger.domain_error import DomainError
from ledger.unit_of_work import UnitOfWork, run
from origination.application import Action
from origination.commands import decide_application, fund_application
from origination.errors import ApplicationExists, ApplicationUnknown
from origination.intake.errors import (
    ApplicationFieldsInvalid,
    ChannelUnknown,
    DraftMoved,
    DraftSubmitted,
    DuplicateApplication,
    ErasureRefused,
    ErasureTooEarly,
    FormUnknown,
    PersonalDataErased,
    PersonalDataKeyUnknown,
    ReasonMissing,
    RoleUnknown,
)
from origination.intake.form import parse_form, shipped_form
from origination.intake.routing import parse_routing
from origination.intake_commands import (
    Opening,
    load_form,
    load_routing,
    open_application,
    save_application,
    submit_intake,
)
from origination.intake_queries import forms, intake_view, intakes, routing
from origination.personal_data import erase, reveal, rotate_personal_data
from origination.queries import application
from tests.support.applications import KEY, NEXT_KEY, SSN, vault, whole
from tests.support.database import APP, OWNER, READER, Database

BOOK = "MAIN"
TODAY = date(2026, 1, 5)
T = TypeVar("T")
Change = Callable[..., Any]


@pytest.fixture
def engine(database: Database) -> sa.Engine:
    """Return the application's engine on a fresh database with one book."""
    engine = database.engine()
    chart = parse_chart((files("ledger") / "charts" / "us_lender.toml").read_text(encoding="utf-8"))

    def work(uow: UnitOfWork) -> None:
        create_book(uow, code=BOOK, name="Main", base_currency="USD", opened_on=TODAY)
        load_chart(uow, BOOK, chart)

    run(engine, work, actor="setup")
    return engine


@pytest.fixture
def change(engine: sa.Engine) -> Change:
    """Return a function that does something in a transaction of its own, as bob unless told."""

    def do(work: Callable[..., T], *arguments: Any, actor: str = "bob", approver: str | None = None, **named: Any) -> T:
        return run(engine, lambda uow: work(uow, *arguments, **named), actor=actor, approver=approver)

    return do


def opened(
    change: Change, data: dict[str, Any], *, product: str = "personal", channel: str = "web", name: str = ""
) -> int:
    opening = Opening(product=product, channel=channel, external_id=name or None)
    saved = change(open_application, vault(), BOOK, opening, data)
    number: int = saved.application_id
    return number


def submitted(change: Change, **changes: Any) -> int:
    number = opened(change, whole(**changes))
    change(submit_intake, vault(), BOOK, number)
    return number


def view(engine: sa.Engine, number: int, keys: str | None = KEY) -> Any:
    with engine.connect() as connection:
        return intake_view(connection, BOOK, number, vault=vault(keys) if keys else None)


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


def test_personal_data_are_nowhere_in_the_clear(database: Database, change: Change) -> None:
    submitted(change)
    secrets = ("912701234", SSN, "O'Neil", "1990-02-28", "ada@example.com", "5595550142", "1 Main Street", "192.0.2.7")

    with database.connect(OWNER) as owner:
        tables = owner.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname IN ('ledger', 'servicing', 'origination', 'gl_export', 'api')"
        ).fetchall()
        for (table,) in tables:
            rows = str(owner.execute(f"SELECT t::text FROM {table} t").fetchall())
            assert [each for each in secrets if each in rows] == [], table


def test_who_only_reads_sees_neither_personal_data_nor_indexes(database: Database, change: Change) -> None:
    submitted(change)

    for table in ("personal_data", "person_index"):
        with database.connect(READER) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"SELECT * FROM origination.{table}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE origination.intake_version SET data = '{}'",
        "DELETE FROM origination.personal_data",
        "UPDATE origination.personal_data SET part = 'request'",
        "DELETE FROM origination.personal_data_access",
        "UPDATE origination.consent SET text_hash = repeat('0', 64)",
    ],
)
def test_what_was_taken_in_is_not_changed(database: Database, change: Change, statement: str) -> None:
    submitted(change)

    with database.connect(APP) as app, pytest.raises(psycopg.Error):
        app.execute(statement)


def test_personal_data_are_masked_until_somebody_says_why(engine: sa.Engine, change: Change) -> None:
    number = submitted(change)

    masked = view(engine, number).data["applicant"]
    seen = change(reveal, vault(), BOOK, number, role="underwriter", reason="Call back", actor="dora")["applicant"]
    all_of_it = change(reveal, vault(), BOOK, number, role="fraud", reason="Case 7")["applicant"]

    assert (masked["ssn"], masked["last_name"], masked["email"]) == ("****1234", "O***", "a***@example.com")
    assert (masked["date_of_birth"], masked["street"], masked["phone"]) == ("****-**-**", "***", "****0142")
    assert (seen["ssn"], seen["last_name"], seen["phone"]) == ("****1234", "O'Neil", "5595550142")
    assert all_of_it["ssn"] == "912701234"
    log = view(engine, number).accesses
    assert [(each.access_no, each.actor, each.role, each.reason) for each in log] == [
        (1, "dora", "underwriter", "Call back"),
        (2, "bob", "fraud", "Case 7"),
    ]
    with pytest.raises(ReasonMissing):
        change(reveal, vault(), BOOK, number, role="fraud", reason=" ")
    with pytest.raises(RoleUnknown):
        change(reveal, vault(), BOOK, number, role="curious", reason="I wonder")
    assert view(engine, number, keys=None).data["applicant"] == {"housing": "rent", "housing_monthly": 140_000}


def test_erased_data_are_gone_and_all_else_stays(engine: sa.Engine, database: Database, change: Change) -> None:
    number = submitted(change)
    with pytest.raises(ErasureRefused):
        change(erase, BOOK, number, reason="Asked by letter")
    change(decide_application, BOOK, number, Action.WITHDRAW)
    with pytest.raises(ErasureTooEarly) as early:
        change(erase, BOOK, number, reason="Asked by letter")

    done = change(erase, BOOK, number, reason="Asked by letter", approver="carol")
    again = change(erase, BOOK, number, reason="Asked again", approver="dora")

    assert early.value.keep_until == date(2028, 2, 5)
    assert (done.rows_erased, done.approver, again) == (1, "carol", done)
    seen = view(engine, number)
    assert (seen.erasure.reason, seen.state) == ("Asked by letter", "withdrawn")
    assert seen.data["applicant"] == {"housing": "rent", "housing_monthly": 140_000}
    with pytest.raises(PersonalDataErased):
        change(reveal, vault(), BOOK, number, role="privacy", reason="Is it gone?")
    with database.connect(OWNER) as owner:
        tokens = owner.execute("SELECT token, key_id FROM origination.personal_data").fetchall()
        indexes = owner.execute("SELECT index_value FROM origination.person_index").fetchall()
    assert {*tokens} == {(None, None)}
    assert {*indexes} == {(None,)}
    # Nothing is left by which the same person would be found.
    assert submitted(change) > number


def test_a_draft_is_erased_at_once_and_not_taken_up_again(change: Change) -> None:
    number = opened(change, whole())

    change(erase, BOOK, number, reason="Changed her mind")

    for work, more in ((submit_intake, ()), (save_application, ({},))):
        with pytest.raises(PersonalDataErased):
            change(work, vault(), BOOK, number, *more)


def test_after_thirty_days_and_the_time_of_retention_one_person_is_enough(change: Change) -> None:
    number = submitted(change)
    change(decide_application, BOOK, number, Action.DECLINE, actor="carol")
    change(advance_business_date, BOOK, date(2028, 2, 5))

    assert change(erase, BOOK, number, reason="Time is up").approver is None


def test_a_key_is_replaced_while_repeats_are_still_found(engine: sa.Engine, change: Change) -> None:
    first = submitted(change)
    both = vault(f"{NEXT_KEY},{KEY}")
    found_between = opened(change, whole())
    with pytest.raises(DuplicateApplication):
        change(submit_intake, both, BOOK, found_between)
    tried = rotate_personal_data(engine, both, actor="bob", dry_run=True)
    # Two versions, and the two indexes of the one that was submitted.
    assert (tried, rotate_personal_data(engine, both, actor="bob")) == (4, 4)
    assert rotate_personal_data(engine, both, actor="bob") == 0

    with pytest.raises(DuplicateApplication) as refused:
        change(submit_intake, vault(NEXT_KEY), BOOK, found_between)
    with pytest.raises(PersonalDataKeyUnknown):
        view(engine, first, KEY)

    assert refused.value.duplicate_of == (first,)
    assert view(engine, first, NEXT_KEY).data["applicant"]["ssn"] == "****1234"
