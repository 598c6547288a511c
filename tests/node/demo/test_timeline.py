from __future__ import annotations

from datetime import date

from renkei_node.demo.agencies import CODES
from renkei_node.demo.timeline import read_cases


def test_the_public_list_comes_with_the_package_in_order_of_date() -> None:
    cases = read_cases()

    assert cases[0].date == date(2024, 8, 27)
    assert [case.date for case in cases] == sorted(case.date for case in cases)
    assert {case.prefecture for case in cases} <= set(CODES)


def test_a_suspected_link_is_told_from_a_case_of_the_series() -> None:
    suspected = [case for case in read_cases() if not case.counted_in_series]

    assert {case.prefecture for case in suspected} == {"jp-01", "jp-09", "jp-13"}
    assert all("suspected link only" in case.line() for case in suspected)
