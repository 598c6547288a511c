"""The settings of the leads service."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

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
