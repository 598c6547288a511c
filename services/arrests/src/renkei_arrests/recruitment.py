"""How a person came into a group: what a step has to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_chassis.errors import FieldViolation, InvalidArgument

if TYPE_CHECKING:
    from renkei.arrests.v1.involvements_pb2 import RecruitingPath


def check_path(path: RecruitingPath) -> None:
    """Raise FIELD_INVALID for a step that does not say by what means."""
    broken = [
        FieldViolation(field=f"arrest.recruitment.steps[{index}].means", description="must be set")
        for index, step in enumerate(path.steps)
        if not step.means
    ]
    if broken:
        raise InvalidArgument("FIELD_INVALID", f"{broken[0].field}: must be set", violations=broken)
