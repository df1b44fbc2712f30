"""What an application must hold to be taken, field by field."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from origination.intake.checking import age_on, check
from origination.intake.errors import FormInvalid
from origination.intake.form import Form, parse_form, read_form, shipped_form
from origination.intake.models import json_schema
from origination.intake.values import taxpayer_number
from tests.support.applications import CONSENT, whole

TODAY = date(2026, 1, 5)


@pytest.fixture(scope="module")
def form() -> Form:
    found = shipped_form("personal")
    assert found is not None
    return found


def problems(form: Form, data: Any, *, whole: bool = True) -> dict[str, str]:
    return {each.path: each.reason for each in check(form, data, whole=whole, today=TODAY).problems}


def test_a_whole_application_is_kept_in_normal_form(form: Form) -> None:
    data = whole(applicant__email=" ada@example.com ", applicant__existing_customer=None)

    kept = check(form, data, whole=True, today=TODAY).data

    assert (kept["applicant"]["ssn"], kept["applicant"]["phone"]) == ("912701234", "5595550142")
    assert kept["applicant"]["email"] == "ada@example.com"
    assert kept["consents"]["credit_report"]["given_at"] == "2026-01-05T10:15:00Z"
    assert check(form, kept, whole=True, today=TODAY).data == kept


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"application__amount": 99_999}, "application.amount"),
        ({"application__amount": 5_000_001}, "application.amount"),
        ({"application__amount": "1200000"}, "application.amount"),
        ({"application__amount": 12_000.5}, "application.amount"),
        ({"application__amount": True}, "application.amount"),
        ({"application__term_months": 13}, "application.term_months"),
        ({"application__state": "XX"}, "application.state"),
        ({"applicant__ssn": "666-12-3456"}, "applicant.ssn"),
        ({"applicant__date_of_birth": "2008-01-06"}, "applicant.date_of_birth"),
        ({"applicant__date_of_birth": "1990-02-30"}, "applicant.date_of_birth"),
        ({"applicant__email": "ada"}, "applicant.email"),
        ({"applicant__phone": "555-0142"}, "applicant.phone"),
        ({"applicant__zip": "9370"}, "applicant.zip"),
        ({"applicant__last_name": "O\x00Neil"}, "applicant.last_name"),
        ({"applicant__nickname": "Ada"}, "applicant.nickname"),
        ({"applicant__housing_monthly": None}, "applicant.housing_monthly"),
        ({"employment__employer": None}, "employment.employer"),
        ({"application__amount": 2_500_000}, "income.source"),
        ({"bank__kind": "checking"}, "bank.account_number"),
        ({"bank__routing": "021000022"}, "bank.routing"),
        ({"consents__credit_report": None}, "consents.credit_report"),
        ({"consents__credit_report": {**CONSENT, "text_version": "2025-01"}}, "consents.credit_report.text_version"),
        ({"consents__credit_report": {**CONSENT, "text_hash": "0" * 64}}, "consents.credit_report.text_hash"),
        (
            {"consents__credit_report": {**CONSENT, "given_at": "2026-01-07T00:00:00Z"}},
            "consents.credit_report.given_at",
        ),
        (
            {"consents__credit_report": {**CONSENT, "given_at": "2026-01-05T10:15:00"}},
            "consents.credit_report.given_at",
        ),
        ({"consents__credit_report": {**CONSENT, "ip": None}}, "consents.credit_report"),
        ({"consents__data_sale": CONSENT}, "consents.data_sale"),
    ],
)
def test_one_field_that_is_wrong_is_named_alone(form: Form, change: dict[str, Any], path: str) -> None:
    assert list(problems(form, whole(**change))) == [path]


@pytest.mark.parametrize(
    "change",
    [
        {"application__amount": 100_000},
        {"application__amount": 2_499_999},
        {"application__amount": 5_000_000, "income__source": "salary"},
        {"applicant__date_of_birth": "2008-01-05"},
        {"applicant__phone": None},
        {"applicant__housing": "own", "applicant__housing_monthly": None},
        {"employment__status": "retired", "employment__employer": None, "employment__months": None},
        {"consents__credit_report": {**CONSENT, "ip": None, "agent": "field-7"}},
        {"consents__credit_report": {**CONSENT, "given_at": "2025-01-05T00:00:00Z"}},
        {"consents__credit_report": {**CONSENT, "given_at": "2026-01-06T09:00:00+10:00"}},
    ],
)
def test_the_last_value_on_this_side_of_a_bound_is_right(form: Form, change: dict[str, Any]) -> None:
    assert problems(form, whole(**change)) == {}


def test_a_partial_application_may_lack_anything_but_not_be_wrong(form: Form) -> None:
    assert problems(form, {}, whole=False) == {}
    assert problems(form, {"applicant": {"housing": "rent"}}, whole=False) == {}
    assert list(problems(form, {"applicant": {"housing": "tent"}, "foo": 1}, whole=False)) == [
        "applicant.housing",
        "foo",
    ]


def test_no_value_stands_in_a_reason(form: Form) -> None:
    wrong = whole(applicant__ssn="123-45-678X", applicant__email="no mail at all", applicant__zip="fourfive")

    told = str(problems(form, wrong))

    assert [each for each in ("678X", "no mail", "fourfive") if each in told] == []


def test_a_strange_name_is_told_without_its_control_characters(form: Form) -> None:
    assert list(problems(form, {"\x1b[31m": 1}, whole=False)) == ["\N{REPLACEMENT CHARACTER}[31m"]


def test_a_bound_of_an_amount_is_told_in_the_major_unit(form: Form) -> None:
    low = problems(form, whole(application__amount=99_999))
    high = problems(form, whole(application__amount=5_000_001))
    asked = problems(form, whole(application__amount=2_500_000))

    assert low == {"application.amount": "it must be at least 1000.00 USD"}
    assert high == {"application.amount": "it must be at most 50000.00 USD"}
    assert asked == {"income.source": "it is missing, and application.amount is 25000.00 USD or more"}


def test_a_form_keeps_its_order_when_it_was_stored(form: Form) -> None:
    stored = form.as_json()
    stored["fields"] = dict(sorted(stored["fields"].items(), key=lambda item: (len(item[0]), item[0])))

    assert list(parse_form(stored).definitions) == list(form.definitions)


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2008, 1, 5), date(2026, 1, 4), 17),
        (date(2008, 1, 5), date(2026, 1, 5), 18),
        (date(2008, 2, 29), date(2026, 2, 27), 17),
        (date(2008, 2, 29), date(2026, 2, 28), 18),
    ],
)
def test_an_age_is_counted_in_whole_years(born: date, day: date, age: int) -> None:
    assert age_on(born, day) == age


@pytest.mark.parametrize("number", ["001-01-0001", "899-99-9999", "912-70-0000", "900-50-1234", "999-99-1234"])
def test_numbers_that_are_given_out(number: str) -> None:
    assert taxpayer_number(number) == number.replace("-", "")


@pytest.mark.parametrize(
    "number", ["000-12-3456", "666-12-3456", "123-00-4567", "123-45-0000", "900-49-1234", "900-93-1234", "12345678"]
)
def test_numbers_that_nobody_has(number: str) -> None:
    with pytest.raises(ValueError, match="number"):
        taxpayer_number(number)


def test_the_schema_says_what_is_asked(form: Form) -> None:
    schema = json_schema(form)

    assert schema["required"] == ["application", "applicant", "income", "employment", "consents"]
    amount = schema["$defs"]["application"]["properties"]["amount"]
    assert (amount["minimum"], amount["maximum"], amount["type"]) == (100_000, 5_000_000, "integer")
    assert schema["$defs"]["application"]["properties"]["term_months"]["enum"] == [12, 24, 36, 48, 60]
    assert schema["$defs"]["applicant"]["properties"]["ssn"]["x-personal"] is True
    assert "phone" not in schema["$defs"]["applicant"]["required"]
    rent = schema["allOf"][0]
    assert rent["if"]["properties"]["applicant"]["properties"]["housing"] == {"enum": ["rent", "mortgage"]}
    assert rent["then"]["properties"]["applicant"]["required"] == ["housing_monthly"]
    assert [each["kind"] for each in schema["x-consents"]] == ["electronic_records", "credit_report", "marketing"]
    assert schema["x-form-hash"] == form.content_hash


FORM = """
name = "tiny"
title = "Tiny"
rate = "9.99"
[fields]
"application.amount" = {required = true}
"application.term_months" = {required = true}
"application.state" = {required = true}
"""


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ('"applicant.ssn" = {min = 3}', "fields.applicant.ssn.min"),
        ('"applicant.ssn" = {type = "text"}', "fields.applicant.ssn"),
        ('"dealer.code" = {}', "fields.dealer.code"),
        ('"dealer.code" = {type = "txt"}', "fields.dealer.code"),
        ('"income.annual" = {min = 5, max = 4}', "fields.income.annual.min"),
        ('"income.annual" = {required_when = {"dealer.code" = ["a"]}}', "fields.income.annual.required_when"),
        ('"income.annual" = {requierd = true}', "fields.income.annual.requierd"),
        ('"consents.foo" = {type = "text"}', "fields.consents.foo"),
        ('[duplicates]\nmatch = [["applicant.ssn"]]', "duplicates.match"),
        ('[[consents]]\nkind = "a"\nversion = "1"\ntext = "x"\n' * 2, "consents"),
    ],
)
def test_a_form_that_contradicts_itself_is_refused_with_the_place(more: str, place: str) -> None:
    plain = '[duplicates]\nmatch = [["application.state"]]\n' if "[duplicates]" not in more else ""
    tables = more.startswith("[")
    with pytest.raises(FormInvalid) as refused:
        read_form(FORM + ("" if tables else more + "\n") + plain + (more if tables else ""))

    assert refused.value.place == f"form.{place}"


def test_a_form_is_known_by_its_content(form: Form) -> None:
    again = parse_form(form.as_json())

    assert again.content_hash == form.content_hash
    assert parse_form({**form.as_json(), "rate": "15.00"}).content_hash != form.content_hash
    with pytest.raises(FormInvalid):
        parse_form({**form.as_json(), "rate": 14.99})
    with pytest.raises(FormInvalid):
        read_form("name = ")
