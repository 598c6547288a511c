"""The settings of the arrests service."""

from __future__ import annotations

from pydantic import BaseModel, Field

from renkei_chassis.records.protected import Protected
from renkei_chassis.settings import STRICT


class Settings(BaseModel):
    """Section `arrests` of node.toml."""

    model_config = STRICT

    members: tuple[str, ...] = Field(
        default=(),
        max_length=64,
        description="The agencies of the federation by name, `agencies/jp-12`: a label may name no other. "
        "The node passes those of federation.toml.",
    )
    release_without_instrument: bool = Field(
        default=False,
        description="Let a label release a record to agencies although no legal instrument is named. "
        "Off: nothing leaves, which is right wherever real records are kept. The demo turns it on.",
    )
    contact_desk: str = Field(
        default="",
        max_length=200,
        description="Whom another agency asks about an arrest record; it travels with every release.",
    )
    handle_span_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="How many days before and after its arrest a handle, an invite link or a place is taken to be "
        "the same person's, where nobody says. Handles are sold and used again.",
    )
    undelete_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="How many days after its deletion a record can still be brought back.",
    )
    review_days: int = Field(
        default=1825,
        ge=1,
        le=36500,
        description="How many days after it was made a record is due for review. A label's `review_by` goes before.",
    )
    unreviewed_days: int = Field(
        default=0,
        ge=0,
        le=36500,
        description="How many days after its review was due a record is purged whose label has no `purge_by`. "
        "0: not before somebody deletes it.",
    )
    protected: tuple[Protected, ...] = Field(
        default=(),
        max_length=1000,
        description="Identifiers that no record may hold, each group with `whose`, `type` and `identifiers`: of help "
        "lines, lawyers, doctors, courts, newsrooms, the police's own. The node passes those of protected.toml.",
    )
    purge_seconds: float = Field(
        default=3600.0,
        gt=0,
        le=86400,
        description="How many seconds pass between two looks for records that are due to be purged.",
    )
    purge_hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="For how many hours of running the clock must have said that a record is due before it is purged: "
        "a clock that was ahead for less costs nothing. A record is purged so much later.",
    )
    purge_review_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="How many days after an acquittal, or a decision for want of suspicion, its purge review must be "
        "decided. Nothing is decided by itself.",
    )
    clock_seconds: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="How many seconds pass between two looks at the clocks: a warning comes at most so late.",
    )
    urgent_alarm_minutes: int = Field(
        default=60,
        ge=1,
        le=1440,
        description="How many minutes after the restraint an urgent arrest without warrant is at 100 %.",
    )
    clock_acknowledge_minutes: int = Field(
        default=30,
        ge=1,
        le=1440,
        description="After how many minutes a warning that nobody acknowledged is escalated.",
    )
    clock_escalation_desk: str = Field(
        default="当直責任者",
        min_length=1,
        max_length=100,
        description="To whom it is escalated: a role or desk of the agency. The default is the officer in charge of "
        "the watch.",
    )
    clock_history_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="A clock that was due so many days before its arrest was recorded is history: it comes not onto "
        "the board and warns nobody. So an import of old records does not.",
    )
