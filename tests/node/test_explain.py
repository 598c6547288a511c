"""`renkei explain` reads what `buf curl` prints of a refused call, and lets everything else through."""

from __future__ import annotations

import base64
import json

import pytest
from click.testing import CliRunner
from google.rpc import error_details_pb2

from renkei_node.cli import main


def explain(text: str, *options: str) -> str:
    done = CliRunner().invoke(main, ["explain", *options], input=text)
    assert done.exit_code == 0, done.output
    return done.output


def a_detail(message: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest) -> dict[str, str]:
    """Write a detail as `buf curl` does: base64 without the signs at its end."""
    value = base64.b64encode(message.SerializeToString()).decode().rstrip("=")
    return {"type": message.DESCRIPTOR.full_name, "value": value}


def test_every_detail_of_a_refusal_is_shown_in_words() -> None:
    info = error_details_pb2.ErrorInfo(reason="FIELD_INVALID", domain="renkei", metadata={"field": "tip.text"})
    broken = error_details_pb2.BadRequest()
    broken.field_violations.add(field="tip.text", description="空です")
    refusal = {"code": "invalid_argument", "message": "empty", "details": [a_detail(info), a_detail(broken)]}

    assert explain(json.dumps(refusal, indent=3)).splitlines() == [
        "invalid_argument: empty",
        '  ErrorInfo {"reason": "FIELD_INVALID", "domain": "renkei", "metadata": {"field": "tip.text"}}',
        '  BadRequest {"fieldViolations": [{"field": "tip.text", "description": "空です"}]}',
    ]


def test_a_program_reads_a_refusal_as_json() -> None:
    info = error_details_pb2.ErrorInfo(reason="DENIED", domain="renkei")
    refusal = {"code": "permission_denied", "message": "no", "details": [a_detail(info)]}

    assert json.loads(explain(json.dumps(refusal), "--json")) == {
        "code": "permission_denied",
        "message": "no",
        "details": [{"ErrorInfo": {"reason": "DENIED", "domain": "renkei"}}],
    }


def test_a_refusal_without_details_and_with_strange_ones_is_shown_as_far_as_it_is_known() -> None:
    assert explain('{"code": "canceled", "message": "gone\\u202e"}') == "canceled: gone\\u202e\n"
    assert explain('{"code": "x", "message": "y", "details": [{"type": "other.Kind", "value": ""}]}') == "x: y\n"


@pytest.mark.parametrize(
    "text",
    [
        '{\n  "name": "agencies/jp-13/tips/1"\n}\n',
        "Failure: json unmarshal\n",
        "",
        "[1]\n",
        '{"code": "x", "message": "y", "details": [{"type": "google.rpc.ErrorInfo", "value": "AAA"}]}\n',
        '{"code": "x", "message": "y", "details": [{"type": "google.rpc.Nothing", "value": ""}]}\n',
    ],
)
def test_what_is_no_refusal_passes_through_as_it_is(text: str) -> None:
    assert explain(text) == text
