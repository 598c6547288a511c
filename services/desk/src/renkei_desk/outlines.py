"""The outlines of the 47 prefectures, read once: see `data/README.md` for where they are from."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from renkei_desk.domain.region import Prefecture

if TYPE_CHECKING:
    from collections.abc import Mapping


def _read() -> Mapping[str, Prefecture]:
    text = (files("renkei_desk") / "data" / "japan-prefectures.geojson").read_text("utf-8")
    return {each.jis: each for each in map(_prefecture, json.loads(text)["features"])}


def _prefecture(feature: dict[str, Any]) -> Prefecture:
    told, shape = feature["properties"], feature["geometry"]
    parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    rings = tuple(tuple((float(x), float(y)) for x, y in ring) for part in parts for ring in part)
    return Prefecture(jis=told["jis"], ja=told["ja"], en=told["en"], rings=rings)


PREFECTURES: Final = _read()
"""By JIS code."""


def name_of(agency: str, language: str) -> str:
    """Give `千葉県` of `jp-12`, or `Chiba`; the code itself for an agency without a prefecture."""
    known = PREFECTURES.get(jis_of(agency))
    return agency if known is None else known.ja if language == "ja" else known.en


def jis_of(agency: str) -> str:
    """Give `12` of `jp-12`; empty for an agency without a prefecture."""
    jis = agency.removeprefix("jp-")
    return jis if jis in PREFECTURES else ""
