"""The tips service as a force would run it alone, with an officer who may call it, and what that officer sends."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei.identifiers.v1 import identifiers_pb2
from renkei.policy.v1 import handling_pb2
from renkei.tips.v1 import tips_pb2

from renkei_chassis.clock import WallClock
from renkei_chassis.identity import Issuer, IssuerKind, TrustFile, generate, mint, public_text, save_private, save_trust
from renkei_chassis.ids import uuid7
from tests.bench.generator import PLACEHOLDER
from tests.bench.processes import process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

AGENCY: Final = "agencies/jp-12"
CREATE: Final = "/renkei.tips.v1.TipsService/CreateTip"
GET: Final = "/renkei.tips.v1.TipsService/GetTip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A running tips service."""

    port: int
    token: str
    directory: Path
    create_message: bytes
    """At least 600 bytes; the load generator puts a fresh request_id in."""


@asynccontextmanager
async def tips_service(
    directory: Path,
    port: int,
    *,
    module: str = "renkei_tips",
    telemetry: Mapping[str, object] | None = None,
    **process_settings: str | bool | int,
) -> AsyncIterator[Serving]:
    """Run `python -m renkei_tips` in an empty directory; more settings of its section `process` can be given.

    It follows an exchange that is not there, as it would while that one is down.
    """
    issuer, key = generate(), generate()
    own = f"{AGENCY}/services/tips"
    trust = TrustFile(
        issuers=(
            Issuer(issuer=AGENCY, kind=IssuerKind.NODE, public_key=public_text(issuer)),
            Issuer(issuer=own, kind=IssuerKind.SERVICE, public_key=public_text(key)),
        )
    )
    settings: dict[str, object] = {
        "agency": AGENCY,
        "data_directory": str(directory / "data"),
        "key": str(directory / "tips.key"),
        "trust": str(directory / "trust.json"),
        "addresses": {"tips": f"127.0.0.1:{port}", "exchange": "127.0.0.1:1"},
        **process_settings,
    }
    file = directory / "tips.toml"

    def prepare() -> None:
        directory.mkdir(parents=True, exist_ok=True)
        save_private(directory / "tips.key", key)
        save_trust(directory / "trust.json", trust)
        sections: dict[str, dict[str, object]] = {
            "process": settings,
            "tips": {"contact_desk": "(演習データ) 内線 1234"},
        }
        file.write_text(_toml({**sections, "telemetry": dict(telemetry or {})}))

    await asyncio.to_thread(prepare)
    token = mint(
        issuer,
        issuer=AGENCY,
        subject=f"{AGENCY}/officers/sato",
        audience=AGENCY,
        roles=("OFFICER",),
        now_us=WallClock().now_us(),
        life_seconds=900,
        token_id=uuid7(),
    )
    async with process(module, str(file), port=port):
        yield Serving(port=port, token=token, directory=directory, create_message=create_message())


def create_message() -> bytes:
    """Make what an officer sends: a tip of an ordinary size with one identifier."""
    tip = tips_pb2.Tip(
        handling=handling_pb2.Handling(purpose_code="organised-robbery"),
        source=tips_pb2.Tip.SOURCE_SOCIAL_MEDIA_AD,
        grading=tips_pb2.Grading(reliability=tips_pb2.Grading.RELIABILITY_B, accuracy=tips_pb2.Grading.ACCURACY_2),
        display_name="(演習データ) 高額バイトの募集",
        text="(演習データ) 知人から運びの仕事に誘われた。連絡は通信アプリだけで、身分証の写真を送れと言われた。" * 3,
        case_reference="2024-0117",
        identifiers=[
            identifiers_pb2.Occurrence(
                identifier=identifiers_pb2.Identifier(
                    type=identifiers_pb2.IDENTIFIER_TYPE_HANDLE, original="https://t.me/renkei_demo_01"
                ),
                provenance=identifiers_pb2.PROVENANCE_ADVERTISEMENT,
                relation=identifiers_pb2.RELATION_MENTIONED,
            )
        ],
    )
    request = tips_pb2.CreateTipRequest(request_id=PLACEHOLDER, parent=AGENCY, tip=tip)
    return request.SerializeToString()


def _toml(sections: dict[str, dict[str, object]]) -> str:
    lines: list[str] = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        for name, value in values.items():
            if isinstance(value, dict):
                inner = ", ".join(f"{key} = {json.dumps(each)}" for key, each in value.items())
                lines.append(f"{name} = {{ {inner} }}")
            else:
                lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
