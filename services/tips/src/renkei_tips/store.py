"""The tables of tips."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

from renkei_chassis.database.schema import Schema
from renkei_chassis.records.tables import record_tables

metadata: Final = MetaData()

TABLES: Final = record_tables(metadata, "tip")
SCHEMA: Final = Schema(component="tips", metadata=metadata)
