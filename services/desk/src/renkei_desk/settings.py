"""The settings of the desk."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from renkei_chassis.settings import STRICT


class Settings(BaseModel):
    """What an operator may set."""

    model_config = STRICT

    port: Annotated[
        int,
        Field(ge=0, le=32767, description="Where browsers come, over TLS, on 127.0.0.1. The node passes `ports.web`."),
    ] = 0
    agency_name: Annotated[
        str, Field(max_length=100, description="How the agency is called. The node passes that of federation.toml.")
    ] = ""
    training: Annotated[
        bool,
        Field(description="Every page says that all data is invented (演習データ). The node passes `node.training`."),
    ] = False
    idle_minutes: Annotated[
        int,
        Field(
            ge=1,
            le=240,
            description="A session in which nobody did anything for so long is locked. The live feed does not count.",
        ),
    ] = 15
    session_hours: Annotated[
        int, Field(ge=1, le=24, description="A session ends after so long, whatever happens: one shift.")
    ] = 12
    link_seconds: Annotated[
        int, Field(ge=10, le=600, description="How long a one-time link may be used. It opens one session.")
    ] = 120
