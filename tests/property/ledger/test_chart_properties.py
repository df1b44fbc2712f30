"""Any chart that can be made is written to a file and read back unchanged, parents first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.chart import AccountCode, AccountDefinition, AccountType, Chart, Side
from ledger.chart_file import format_chart, parse_chart
from ledger.currencies import EXPONENTS

# What is printable, by its category: to draw anything and drop what is not would drop most of it.
PRINTABLE = st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" ")
NAMES = st.text(PRINTABLE, min_size=1, max_size=12).filter(lambda name: name.strip() != "")


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    """Draw a chart whose accounts come in any order under headers drawn before them."""
    headers: dict[AccountType, list[AccountCode]] = {}
    accounts: list[AccountDefinition] = []
    for number in range(draw(st.integers(0, 12))):
        code = AccountCode(f"{draw(st.sampled_from('19AZ'))}{number:03}")
        account_type = draw(st.sampled_from(AccountType))
        header = draw(st.booleans())
        account = AccountDefinition(
            code=code,
            slug=f"account_{number}",
            name=draw(NAMES),
            type=account_type,
            normal_side=draw(st.sampled_from(Side)),
            parent=draw(st.sampled_from([None, *headers.get(account_type, [])])),
            currency=draw(st.none() | st.sampled_from(sorted(EXPONENTS))),
            header=header,
            subledgered=not header and draw(st.booleans()),
            may_go_contra=draw(st.booleans()),
            control=draw(st.booleans()),
        )
        accounts.append(account)
        if header:
            headers.setdefault(account_type, []).append(code)
    postable = [account.code for account in accounts if not account.header]
    role_maps = st.dictionaries(st.sampled_from(["A", "B_2", "CASH"]), st.sampled_from(postable or [AccountCode("")]))
    names = ("default", 'a "b" c', "é") if postable else ()
    roles = {name: draw(role_maps) for name in names}
    return Chart(draw(NAMES), tuple(draw(st.permutations(accounts))), roles)


@given(charts())
def test_a_chart_is_read_back_from_its_file(chart: Chart) -> None:
    assert parse_chart(format_chart(chart)) == chart


@given(charts())
def test_parents_come_before_their_children_and_no_account_is_lost(chart: Chart) -> None:
    position = {account.code: place for place, account in enumerate(chart.accounts)}

    assert len(position) == len(chart.accounts)
    for account in chart.accounts:
        assert account.parent is None or position[account.parent] < position[account.code]
        assert [parent.code for parent in chart.ancestors(account.code)] == sorted(
            (parent.code for parent in chart.ancestors(account.code)), key=position.__getitem__, reverse=True
        )
