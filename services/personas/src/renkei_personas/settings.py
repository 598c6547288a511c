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
    approval_days: int = Field(
        default=30, ge=1, le=366, description="How long an approval is good for a beginning, in days."
    )
    review_hours: int = Field(
        default=72,
        ge=1,
        le=720,
        description="Within how many hours the supervisor reviews a contact. Later, the operation is halted.",
    )
    log_hours: int = Field(
        default=12, ge=1, le=168, description="Within how many hours a contact is logged. Later entries are refused."
    )
    wind_down_days: int = Field(
        default=14,
        ge=1,
        le=366,
        description="How long after the end of its period a halted operation can be extended, in days. "
        "Then it expires for good.",
    )
    longest_hold_days: int = Field(
        default=366, ge=1, le=3660, description="The latest review of a document held for trial, in days from now."
    )
    clock_seconds: float = Field(
        default=1.0, gt=0, le=60, description="How often the clocks are looked at. Every call looks at them, too."
    )
    npa: str = Field(
        default="agencies/jp-npa",
        pattern=r"^agencies/[a-z]{2}-[a-z0-9]{2,8}$",
        description="The agency that plans are reported to.",
    )
    legal_basis_keys: tuple[str, ...] = Field(
        default=(),
        description="Ed25519 public keys (base64url) whose signature makes a legal basis. "
        "Without one, none can be registered.",
    )
