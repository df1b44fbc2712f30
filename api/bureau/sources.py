"""The sources by which the bureau is asked, as a file of their own would declare them.

Next: `origination/verification/source.py`.
"""

from __future__ import annotations

REQUEST = """[source.request]
ssn = "{applicant.ssn}"
first_name = "{applicant.first_name}"
last_name = "{applicant.last_name}"
date_of_birth = "{applicant.date_of_birth}"
"""

FACTS = {
    "identity": {
        "name_match": ("match.name", "flag"),
        "date_of_birth_match": ("match.date_of_birth", "flag"),
        "deceased": ("deceased", "flag"),
        "watchlist": ("watchlist", "flag"),
    },
    "credit_report": {
        "score": ("report.score", "integer"),
        "trade_lines": ("report.trade_lines", "integer"),
        "oldest_line_months": ("report.oldest_line_months", "integer"),
        "utilization": ("report.utilization", "decimal"),
        "monthly_debts": ("report.monthly_debts", "amount"),
        "revolving_balance": ("report.revolving_balance", "amount"),
        "delinquencies_24_months": ("report.delinquencies_24_months", "integer"),
        "inquiries_6_months": ("report.inquiries_6_months", "integer"),
        "public_records": ("report.public_records", "integer"),
        "bankruptcy": ("report.bankruptcy", "flag"),
    },
    "income": {
        "employment_status": ("employment.status", "text"),
        "employment_months": ("employment.months", "integer"),
        "monthly": ("income.monthly", "amount"),
        "annual": ("income.annual", "amount"),
    },
    "bank_data": {
        "average_balance": ("account.average_balance", "amount"),
        "monthly_inflow": ("account.monthly_inflow", "amount"),
        "overdrafts_90_days": ("account.overdrafts_90_days", "integer"),
    },
    "fraud": {"score": ("score", "integer")},
}
COSTS = {"identity": "0.35", "credit_report": "1.25", "income": "2.00", "bank_data": "0.80", "fraud": "0.15"}


def as_toml(url: str, *, timeout: float = 3.0, failures: int = 5, reset: float = 30.0, pause: float = 0.2) -> str:
    """Return the declarations of every source of a bureau at an address."""
    return "\n".join(_source(url, kind, timeout, failures, reset, pause) for kind in FACTS)


def _source(url: str, kind: str, timeout: float, failures: int, reset: float, pause: float) -> str:
    facts = "\n".join(f'{name} = {{path = "{path}", type = "{what}"}}' for name, (path, what) in FACTS[kind].items())
    return f"""[[source]]
name = "bureau-{kind.replace("_", "-")}"
kind = "{kind}"
type = "http"
url = "{url}/{kind.replace("_", "-")}"
timeout_seconds = {timeout}
attempts = 3
pause_seconds = {pause}
cost = "{COSTS[kind]}"
outcomes = {{404 = "no_record"}}
breaker = {{failures = {failures}, reset_seconds = {reset}}}
headers = {{Authorization = {{env = "LOANBOOK_BUREAU_KEY", prefix = "Bearer "}}}}

{REQUEST}
[source.facts]
{facts}
"""
