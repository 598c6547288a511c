"""The demo's federation: the National Police Agency and the six prefectures of the 2024 series.

Agencies are configuration, never code: this is the demo's configuration. The contact desks are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAgency:
    """One agency, as every member's federation.toml names it."""

    code: str
    """JIS X 0401: `jp-12`."""
    display_name: str
    display_name_en: str
    contact_desk: str

    @property
    def name(self) -> str:
        """Give `agencies/jp-12`."""
        return f"agencies/{self.code}"


def _agency(code: str, display_name: str, display_name_en: str) -> DemoAgency:
    desk = f"{display_name} 連携調整窓口(演習・架空)/ {display_name_en} liaison desk (invented)"
    return DemoAgency(code=code, display_name=display_name, display_name_en=display_name_en, contact_desk=desk)


AGENCIES: Final = (
    _agency("jp-npa", "警察庁", "National Police Agency"),
    _agency("jp-01", "北海道警察", "Hokkaido"),
    _agency("jp-09", "栃木県警察", "Tochigi"),
    _agency("jp-11", "埼玉県警察", "Saitama"),
    _agency("jp-12", "千葉県警察", "Chiba"),
    _agency("jp-13", "警視庁", "Tokyo"),
    _agency("jp-14", "神奈川県警察", "Kanagawa"),
)
CODES: Final = tuple(agency.code for agency in AGENCIES)
BY_CODE: Final = {agency.code: agency for agency in AGENCIES}


def code_of(name: str) -> str:
    """Give the code of the agency in any resource name: `agencies/jp-12/tips/...` is of `jp-12`."""
    return name.split("/", 2)[1]


def label(code: str) -> str:
    """Give what people read: `千葉県警察 Chiba (jp-12)`."""
    return f"{BY_CODE[code].display_name} {BY_CODE[code].display_name_en} ({code})"
