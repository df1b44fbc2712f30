"""A workflow can be drawn anywhere, and the drawing says where an application stands."""

from __future__ import annotations

from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest

from origination.workflow import acts
from origination.workflow.drawing import as_mermaid, as_svg
from origination.workflow.layout import ASIDE, GAP_X, GAP_Y, HEIGHT, WIDTH, lay_out
from origination.workflow.reading import read_workflow, shipped_codes, shipped_source
from tests.support.workflows import SIDE_BY_SIDE, begun, small

SVG = "{http://www.w3.org/2000/svg}"
SOURCES = [SIDE_BY_SIDE, *map(shipped_source, shipped_codes())]


@pytest.mark.parametrize("source", SOURCES)
def test_no_two_boxes_touch_and_all_stand_on_the_page(source: str) -> None:
    layout = lay_out(read_workflow(source))

    for (x, y), (other_x, other_y) in combinations(layout.steps.values(), 2):
        assert abs(x - other_x) >= WIDTH + GAP_X or abs(y - other_y) >= HEIGHT + GAP_Y
    for x, y in layout.steps.values():
        assert WIDTH // 2 <= x <= layout.width - WIDTH // 2
        assert HEIGHT // 2 <= y <= layout.height - HEIGHT // 2


@pytest.mark.parametrize("source", SOURCES)
def test_no_line_runs_through_a_box(source: str) -> None:
    layout = lay_out(read_workflow(source))

    for edge, points in layout.edges:
        for (x, y), (to_x, to_y) in pairwise(points):
            for name, (middle_x, middle_y) in layout.steps.items():
                # Between two layers a line may go anywhere; through a layer it goes straight, and beside the boxes.
                crosses = min(y, to_y) < middle_y < max(y, to_y)
                assert not crosses or (x == to_x and abs(x - middle_x) > WIDTH // 2), (edge, name)


@pytest.mark.parametrize("source", SOURCES)
def test_a_line_goes_from_its_step_to_its_step(source: str) -> None:
    layout = lay_out(read_workflow(source))

    for edge, points in layout.edges:
        for (x, y), name in ((points[0], edge.source), (points[-1], edge.target)):
            middle_x, middle_y = layout.steps[name]
            assert abs(y - middle_y) == HEIGHT // 2
            assert x - middle_x in (0, ASIDE)
    # No two run along each other, there and back.
    assert len({frozenset(points) for _, points in layout.edges}) == len(layout.edges)


def test_an_svg_holds_every_step_and_marks_those_where_an_application_stands() -> None:
    hand = begun()
    hand.does(acts.outcome_of_program(hand.definition, hand.state, hand.task("identity"), {}, hand.person("system")))

    root = ET.fromstring(as_svg(hand.definition, hand.state))  # noqa: S314 - written a moment ago

    classes = {group.get("id"): group.get("class") for group in root.iter(f"{SVG}g")}
    assert classes.keys() == {f"step-{name}" for name in hand.definition.steps}
    assert {step for step, kind in classes.items() if kind == "current"} == {"step-papers"}
    assert {step for step, kind in classes.items() if kind == "passed"} == {
        "step-verify",
        "step-identity",
        "step-met",
    }


def test_a_title_is_text_and_nothing_else() -> None:
    source = SIDE_BY_SIDE.replace('kind = "wait"', 'kind = "wait"\ntitle = "<script>&\\"x\\""')

    root = ET.fromstring(as_svg(read_workflow(source)))  # noqa: S314 - written a moment ago

    assert '<script>&"x"' in [text.text for text in root.iter(f"{SVG}text")]
    assert "#quot;x#quot;" in as_mermaid(read_workflow(source))


def test_mermaid_says_every_step_and_way() -> None:
    text = as_mermaid(small())

    assert text.startswith("flowchart TD\n")
    assert '    identity[["identity<br/>verify:identity"]]\n' in text
    assert '    enough -->|"identity is failed or amount at least 1000"| declined\n' in text
    assert "class" not in text


def test_mermaid_marks_where_an_application_stands() -> None:
    hand = begun()

    text = as_mermaid(hand.definition, hand.state)

    assert "    class identity,papers current\n" in text
    assert "    class verify passed\n" in text


def test_a_step_may_be_called_what_mermaid_keeps_for_itself() -> None:
    source = SIDE_BY_SIDE.replace("declined", "end")

    assert '    end_(("end"))\n' in as_mermaid(read_workflow(source))
