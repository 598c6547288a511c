"""The settings of the leads service."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from renkei_chassis.records.protected import Protected
from renkei_chassis.settings import STRICT


class Settings(BaseModel):
    """What an operator may set."""

    model_config = STRICT

    members: Annotated[
        tuple[str, ...],
        Field(
            max_length=64,
            description="The agencies of the federation by name. The node passes those of federation.toml.",
        ),
    ] = ()
    protected: Annotated[
        tuple[Protected, ...],
        Field(
            max_length=1000,
            description="Identifiers that link nothing, also in what other agencies release, each group with `whose`, "
            "`type` and `identifiers`. The node passes those of protected.toml.",
        ),
    ] = ()
    max_records_per_identifier: Annotated[
        int,
        Field(
            ge=2,
            le=500,
            description=(
                "An identifier that stands in more records than this links and supports nothing, since a taxi firm's "
                "number or a placeholder would tie everything together. The work for one record grows with its square."
            ),
        ),
    ] = 50
    supported_look_minutes: Annotated[
        int,
        Field(
            ge=1,
            le=43_200,
            description="By when somebody is to look at a SUPPORTED lead: so long after it was found or came back.",
        ),
    ] = 60
    candidate_look_minutes: Annotated[
        int,
        Field(
            ge=1,
            le=43_200,
            description="By when somebody is to look at a CANDIDATE: so long after it was found or came back.",
        ),
    ] = 1440
    longest_snooze_days: Annotated[
        int, Field(ge=1, le=366, description="A lead may be put off for so long at most. Then it comes back by itself.")
    ] = 31
    wake_seconds: Annotated[
        float, Field(gt=0, le=3600, description="How often to look which leads that were put off come back.")
    ] = 1.0
