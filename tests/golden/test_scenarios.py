"""Every scenario of `tests/scenarios`: lived through the real commands, it comes out as its file says."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from servicing.commands.scenario_runner import run_scenario
from servicing.scenario import Scenario, parse_scenarios

FOLDER = Path(__file__).parents[1] / "scenarios"
SCENARIOS = [
    scenario
    for file in sorted(FOLDER.glob("*.yaml"))
    for scenario in parse_scenarios(file.read_text(encoding="utf-8"), file.name)
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_scenario_comes_out_as_its_file_says(engine: sa.Engine, scenario: Scenario) -> None:
    result = run_scenario(engine, scenario)

    assert result["differences"] == []
    assert result["ok"]


def test_nothing_stays_of_a_scenario(engine: sa.Engine) -> None:
    run_scenario(engine, SCENARIOS[0])

    with engine.connect() as connection:
        for table in ("ledger.book", "ledger.journal_entry", "servicing.loan", "servicing.event"):
            assert connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) == 0
