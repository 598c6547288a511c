"""The settings of the personas service."""

from __future__ import annotations

from pydantic import BaseModel, Field

from renkei_chassis.settings import STRICT


class Settings(BaseModel):
    """Section `personas` of node.toml."""

    model_config = STRICT

    max_period_days: int = Field(
        default=90,
        ge=1,
        le=366,
        description="The longest period of one plan, in days. Going on longer needs a new plan and a new approval.",
    )
