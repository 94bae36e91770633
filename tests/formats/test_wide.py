"""A wide table: a filled cell is a tally, an empty one is nothing, and zero is zero."""

from io import BytesIO
from typing import Any

import pytest

from service.domain.imports import Fault, Unusable
from service.formats.imports.entries import Entry, Kind, Reading
from service.formats.imports.wide import WideTable
from service.formats.validation import parse
from service.formats.watching import CoverageIn, TallyIn

BY_PERIOD: dict[str, Any] = {
    "rows": "periods",
    "claimant": {"always": "icrc"},
    "unit": {"always": "violations"},
    "timezone": "Asia/Yerevan",
    "period": "Month",
    "sectors": {"North": "line-of-contact-north", "South": "line-of-contact-south"},
}
BY_SECTOR: dict[str, Any] = {
    "rows": "sectors",
    "claimant": {"always": "icrc"},
    "unit": {"always": "violations"},
    "timezone": "Asia/Yerevan",
    "sector": {"column": "Sector", "values": {"North": "line-of-contact-north"}},
    "periods": {"format": "MMM YYYY"},
}
WATCHED = {
    "observer": {"always": "icrc"},
    "means": {"always": "visits"},
    "access": {"always": "full"},
}


def read(text: str, mapping: dict[str, Any], **how: Any) -> list[Entry]:
    return list(WideTable().read(BytesIO(text.encode()), Reading(mapping=mapping, **how)))


def counts(entries: list[Entry]) -> dict[tuple[str, str], object]:
    values = [entry.value for entry in entries if entry.value is not None]
    return {(v["sector"], v["from"][:7]): v["count"] for v in values if "count" in v}


def fault(text: str, mapping: dict[str, Any], **how: Any) -> str:
    with pytest.raises(Unusable) as caught:
        read(text, mapping, **how)
    assert caught.value.fault is Fault.BAD_HEADER
    return str(caught.value)


class TestEitherWay:
    def test_a_row_for_each_month_and_a_column_for_each_sector(self) -> None:
        entries = read("Month,North,South\n2020-02,3,0\n2020-03,,7\n", BY_PERIOD)
        assert counts(entries) == {
            ("line-of-contact-north", "2020-02"): 3,
            ("line-of-contact-south", "2020-02"): 0,
            ("line-of-contact-south", "2020-03"): 7,
        }
        assert [entry.line for entry in entries] == [2, 2, 3]

    def test_a_row_for_each_sector_and_a_column_for_each_month(self) -> None:
        text = "Sector,Feb 2020,Mar 2020\nNorth,3,\nline-of-contact-south,0,7\n"
        assert counts(read(text, BY_SECTOR)) == {
            ("line-of-contact-north", "2020-02"): 3,
            ("line-of-contact-south", "2020-02"): 0,
            ("line-of-contact-south", "2020-03"): 7,
        }

    def test_both_ways_give_the_same_tallies_under_the_same_keys(self) -> None:
        one = read("Month,North,South\n2020-02,3,\n", BY_PERIOD)
        other = read("Sector,Feb 2020\nNorth,3\n", BY_SECTOR)
        assert [(e.key, e.value) for e in one] == [(e.key, e.value) for e in other]
        assert one[0].key == "icrc/line-of-contact-north/2020-02/violations"
        assert one[0].value == {
            "claimant": "icrc",
            "from": "2020-02-01T00:00+04:00",
            "to": "2020-03-01T00:00+04:00",
            "unit": "violations",
            "count": 3,
            "sector": "line-of-contact-north",
        }
        parse(TallyIn, one[0].value)

    @pytest.mark.parametrize(
        ("form", "written"),
        [("YYYY-MM", "2020-03"), ("MMM YYYY", "Mar 2020"), ("MM/YYYY", "03/2020")],
    )
    def test_months_are_read_in_the_form_declared(self, form: str, written: str) -> None:
        mapping = {**BY_PERIOD, "period": {"column": "Month", "format": form}}
        [entry] = read(f"Month,North,South\n{written},1,\n", mapping)
        assert entry.value is not None
        assert entry.value["from"] == "2020-03-01T00:00+04:00"

    def test_months_in_another_form_are_wrong_with_their_row(self) -> None:
        wrong, right = read("Month,North,South\nMar 2020,1,1\n2020-03,1,\n", BY_PERIOD)
        assert "period: " in str(wrong.error)
        assert right.error is None

    def test_periods_begin_at_midnight_of_the_time_zone_declared(self) -> None:
        mapping = {k: v for k, v in BY_PERIOD.items() if k != "timezone"}
        [entry] = read("Month,North,South\n2020-03,1,\n", mapping, timezone="Asia/Tbilisi")
        assert entry.value is not None
        assert entry.value["to"] == "2020-04-01T00:00+04:00"
        assert "timezone: is required" in fault("Month,North,South\n", mapping)


class TestCells:
    def test_words_are_kept_and_numbers_are_strict(self) -> None:
        entries = read('Month,North,South\n2020-03,about 180,"1,234"\n', BY_PERIOD)
        assert entries[0].value is not None
        assert entries[0].value["count"] == {"words": "about 180"}
        assert "count: must be a whole number" in str(entries[1].error)
        declared = {**BY_PERIOD, "numbers": "1,234"}
        assert counts(read('Month,North,South\n2020-03,,"1,234"\n', declared)) == {
            ("line-of-contact-south", "2020-03"): 1234
        }

    def test_words_without_a_number_are_a_slip(self) -> None:
        entries = read("Month,North,South\n2020-03,1x2,several\n", BY_PERIOD)
        assert [str(entry.error) for entry in entries[:1]] == ["count: holds no number"]
        assert counts(entries[1:]) == {("line-of-contact-south", "2020-03"): {"words": "several"}}

    def test_signs_that_say_nothing_are_declared(self) -> None:
        text = "Month,North,South\n2020-03,-,1\n"
        assert read(text, BY_PERIOD)[0].error is not None
        [entry] = read(text, {**BY_PERIOD, "empty": ["-"]})
        assert entry.value is not None

    def test_a_filled_cell_has_coverage_where_it_is_declared_and_an_empty_one_none(self) -> None:
        text = "Month,North,South\n2020-02,0,\n"
        entries = read(text, {**BY_PERIOD, "coverage": WATCHED})
        assert [entry.kind for entry in entries] == [Kind.TALLY, Kind.COVERAGE]
        assert entries[1].value == {
            "observer": "icrc",
            "sectors": ["line-of-contact-north"],
            "from": "2020-02-01T00:00+04:00",
            "to": "2020-03-01T00:00+04:00",
            "means": "visits",
            "access": "full",
        }
        parse(CoverageIn, entries[1].value)
        assert [entry.kind for entry in read(text, BY_PERIOD)] == [Kind.TALLY]

    def test_an_entry_keeps_its_cell_and_its_row_as_they_stood(self) -> None:
        [entry] = read("Month,North,South\n2020-02,3,\n", BY_PERIOD)
        assert entry.original == {"Month": "2020-02", "North": "3"}

    def test_short_rows_are_wrong(self) -> None:
        [entry] = read("Month,North,South\n2020-02,3\n", BY_PERIOD)
        assert entry.error is not None


class TestHeaders:
    def test_every_column_must_be_accounted_for(self) -> None:
        text = "Month,North,South,Total\n2020-02,3,1,4\n"
        assert "ignore" in fault(text, BY_PERIOD)
        assert len(read(text, {**BY_PERIOD, "ignore": ["Total"]})) == 2
        assert "sectors: names a column" in fault("Month,North\n", BY_PERIOD)
        assert "ignore" in fault("Sector,Feb 2020,Total\n", BY_SECTOR)
        assert "ignore" in fault("Sector,2020-02\n", BY_SECTOR)

    def test_rows_of_totals_are_left_out_by_name(self) -> None:
        text = "Month,North,South\n2020-02,3,1\nTotal,3,1\n"
        assert any(entry.error for entry in read(text, BY_PERIOD))
        entries = read(text, {**BY_PERIOD, "ignore_rows": ["Total"]})
        assert [entry.error for entry in entries] == [None, None]

    def test_one_period_may_not_stand_in_two_columns(self) -> None:
        mapping = {**BY_SECTOR, "periods": {"format": "MMM YYYY"}}
        assert "two columns" in fault("Sector,Feb 2020,feb. 2020\n", mapping)

    def test_periods_come_and_go_without_a_change_of_schema(self) -> None:
        def columns(text: str, mapping: dict[str, Any]) -> tuple[str, ...]:
            return WideTable().columns(BytesIO(text.encode()), Reading(mapping=mapping))

        assert columns("Sector,Feb 2020\n", BY_SECTOR) == ("Sector",)
        assert columns("Sector,Feb 2020,Mar 2020\n", BY_SECTOR) == ("Sector",)
        assert columns("Month,North,South\n", BY_PERIOD) == ("Month", "North", "South")
