"""The tables of arrest records."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

from renkei_chassis.database.schema import Schema
from renkei_chassis.records.tables import record_tables

metadata: Final = MetaData()

TABLES: Final = record_tables(metadata, "arrest")
SCHEMA: Final = Schema(component="arrests", metadata=metadata)
