"""Show how leads are followed up: for people, in the language of the terminal, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from renkei_node.commands.access import visible
from renkei_node.words import say

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp
    from renkei.leads.v1.follow_up_pb2 import FollowUp, LeadFollowUpResult, LeadStep


def standing(follow_up: FollowUp, language: str) -> str:
    """Write how a lead is followed up, on one line."""
    from renkei.leads.v1.follow_up_pb2 import FollowUp as Message

    parts = [say(f"standing_{Message.State.Name(follow_up.state).removeprefix('STATE_').lower()}", language)]
    if follow_up.holder:
        parts.append(f"{say('held_by', language)} {follow_up.holder.rpartition('/')[2]}")
    if follow_up.unit:
        parts.append(visible(follow_up.unit))
    if follow_up.HasField("snooze_end_time"):
        parts.append(f"{say('until', language)} {local(follow_up.snooze_end_time)}")
    if follow_up.HasField("due_time"):
        parts.append(f"{say('look_by', language)} {local(follow_up.due_time)}")
    if follow_up.has_grown:
        parts.append(say("has_grown", language))
    if follow_up.seen_count:
        parts.append(f"{say('seen_by', language)} {follow_up.seen_count}{say('people', language)}")
    return "  ".join(parts)


def line_of(result: LeadFollowUpResult, language: str) -> str:
    """Write what came of one lead."""
    if not result.HasField("error"):
        return f"{result.name}  {standing(result.follow_up, language)}"
    reason, details = _refusal(result)
    more = " ".join(f"{key}={value}" for key, value in details.items() if value)
    return f"{result.name}  {say('refused', language)} {reason} {more}: {result.error.message}".replace(" : ", ": ")


def told(step: LeadStep, language: str) -> str:
    """Write a step on one line."""
    from renkei.leads.v1.follow_up_pb2 import LeadStep as Message

    kind = say(f"step_{Message.Kind.Name(step.kind).removeprefix('KIND_').lower()}", language)
    actor = step.actor.rpartition("/")[2] or say("by_itself", language)
    other = step.other.rpartition("/")[2]
    to = step.holder.rpartition("/")[2] if step.holder != step.actor else ""
    parts = (local(step.time), step.lead.rpartition("/")[2][:8], kind, actor, to and f"→ {to}", visible(step.unit))
    return "  ".join(part for part in (*parts, other, visible(step.reason)) if part)


def as_json_of(message: Message) -> dict[str, Any]:
    """Give a message as JSON has it; of a refusal its reason, and what it is about."""
    from google.protobuf.json_format import MessageToDict
    from renkei.leads.v1.follow_up_pb2 import LeadFollowUpResult

    if not isinstance(message, LeadFollowUpResult) or not message.HasField("error"):
        return dict(MessageToDict(message, preserving_proto_field_name=True))
    reason, details = _refusal(message)
    error = {"reason": reason, "message": message.error.message, "metadata": details}
    return {"name": message.name, "error": error}


def _refusal(result: LeadFollowUpResult) -> tuple[str, dict[str, str]]:
    from google.rpc.error_details_pb2 import ErrorInfo

    info = ErrorInfo()
    for detail in result.error.details:
        if detail.Unpack(info):
            break
    return info.reason, dict(info.metadata)


def local(time: Timestamp) -> str:
    """Write a time as clocks in Japan show it."""
    from datetime import UTC

    from renkei_files import JAPAN

    return f"{time.ToDatetime(tzinfo=UTC).astimezone(JAPAN):%Y-%m-%d %H:%M}"
