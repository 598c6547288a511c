"""Who receives a record, as its label says, and what an update changes for whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from renkei.policy.v1.handling_pb2 import PERMITTED_ACTION_INDEX_ONLY
from renkei.policy.v1.policy_pb2 import GRADE_FULL, GRADE_INDEX_ONLY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from renkei.policy.v1.handling_pb2 import Handling
    from renkei.policy.v1.policy_pb2 import Grade

    Audience: TypeAlias = Mapping[str, Grade.ValueType]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceChange:
    """What an update means for each agency that is concerned. None stands in two of them."""

    kept: Audience
    """Had the record and still may; with its new grade, which is as high as before or lower."""
    added: Audience
    """Did not have it, or not so much of it; with its new grade."""
    removed: Audience
    """May have it no longer; with the grade it had."""

    @property
    def told(self) -> Audience:
        """Give whoever gets the new version."""
        return {**self.kept, **self.added}


def audience_of(handling: Handling) -> Audience:
    """Tell who receives a record under this label, and how much of it. Nobody unless the label names them."""
    if not handling.releasable_to:
        return {}
    index_only = handling.permitted_action == PERMITTED_ACTION_INDEX_ONLY
    return dict.fromkeys(handling.releasable_to, GRADE_INDEX_ONLY if index_only else GRADE_FULL)


def change_of(before: Audience, after: Audience) -> AudienceChange:
    """Compare two audiences. A lowered grade is kept: the agency's copy is replaced by less."""
    return AudienceChange(
        kept={agency: grade for agency, grade in after.items() if before.get(agency, 0) >= grade},
        added={agency: grade for agency, grade in after.items() if before.get(agency, 0) < grade},
        removed={agency: grade for agency, grade in before.items() if agency not in after},
    )
