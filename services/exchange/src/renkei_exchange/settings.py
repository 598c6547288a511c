"""The settings of the exchange."""

from __future__ import annotations

from pydantic import BaseModel, Field

from renkei_chassis.settings import STRICT


class Settings(BaseModel):
    """Section `exchange` of node.toml."""

    model_config = STRICT

    tick_seconds: float = Field(
        default=5.0,
        gt=0,
        le=300,
        description="How often each lane asks its sender for what NATS should have brought. NATS may lose or corrupt.",
    )
    tick_seconds_without_courier: float = Field(
        default=0.25,
        gt=0,
        le=60,
        description="The same while there is no connection to the peer's NATS: then this is how fast lanes are.",
    )
    longest_pause_seconds: float = Field(
        default=5.0,
        gt=0,
        le=300,
        description="The longest pause after failed tries, and so about the time that a healed line stays unused.",
    )
    call_seconds: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="How long one call to a peer may take. A line that swallows everything costs this long each time.",
    )
    control_wait_seconds: float = Field(
        default=0.25,
        ge=0,
        le=10,
        description="How long data waits for the control lane to come by NATS before it is read from the sender.",
    )
    receipt_seconds: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="The least time between two receipts to one peer. Receipts of a busy lane are gathered.",
    )
