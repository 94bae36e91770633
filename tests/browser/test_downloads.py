"""What is downloaded from the page, opened as people open it, says what the page says."""

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page

from tests.browser.board import rows, settle
from tests.browser.conftest import Visit

SEPTEMBER = "/?from=2022-09&to=2022-09"


def _of_csv(file: Path) -> pd.DataFrame:
    return pd.read_csv(file)


def _of_xlsx(file: Path) -> pd.DataFrame:
    first, *_ = openpyxl.load_workbook(file).worksheets
    names, *values = first.iter_rows(values_only=True)
    return pd.DataFrame(values, columns=[*names])


def _of_parquet(file: Path) -> pd.DataFrame:
    return pq.read_table(file).to_pandas()


def _of_geojson(file: Path) -> pd.DataFrame:
    features = json.loads(file.read_text())["features"]
    return pd.json_normalize([feature["properties"] for feature in features])


READERS = {"CSV": _of_csv, "XLSX": _of_xlsx, "Parquet": _of_parquet, "GeoJSON": _of_geojson}


def downloaded(page: Page, where: str, kind: str, to: Path) -> pd.DataFrame:
    with page.expect_download() as sent:
        page.locator(f"{where} .downloads").get_by_role("link", name=kind, exact=True).click()
    file = to / sent.value.suggested_filename
    sent.value.save_as(file)
    return READERS[kind](file)


def altogether(page: Page) -> str:
    """What the table says of the whole time and all sectors."""
    *_, cells = rows(page).values()
    return cells[-1].splitlines()[0]


def total(frame: pd.DataFrame, column: str) -> int:
    return int(pd.to_numeric(frame[column]).sum())


@pytest.mark.parametrize("kind", ["CSV", "XLSX", "Parquet"])
def test_the_sums_add_up_to_what_the_table_says(visit: Visit, kind: str, tmp_path: Path) -> None:
    page = visit(f"{SEPTEMBER}&measure=killed")
    settle(page)
    frame = downloaded(page, ".sums", kind, tmp_path)
    low, is_open = total(frame, "figures.killed.low"), total(frame, "figures.killed.open") > 0
    assert low > 0
    assert altogether(page) == (f"at least {low:,}" if is_open else f"{low:,}")


@pytest.mark.parametrize("kind", READERS)
def test_the_incidents_are_as_many_as_the_table_counts(
    visit: Visit, kind: str, tmp_path: Path
) -> None:
    page = visit(f"{SEPTEMBER}&measure=incidents")
    settle(page)
    frame = downloaded(page, "#incidents", kind, tmp_path)
    counted, episode = (
        frame[name].astype(str).str.lower() == "true" for name in ("counted", "episode")
    )
    assert altogether(page) == str((counted & ~episode).sum())
