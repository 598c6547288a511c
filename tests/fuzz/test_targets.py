"""Every place that decodes bytes is reached by a target, or reads what this very node wrote."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
DECODING: Final = {
    "FromString",
    "ParseFromString",
    "Unpack",
    "model_validate",
    "model_validate_json",
    "loads",
    "load_pem_private_key",
    "b64decode",
    "urlsafe_b64decode",
    "b32decode",
    "fromisoformat",
    "reader",
}
OWN: Final = "it reads what this node wrote: a file, a row or a frame of its own"
REACHED: Final = {
    "renkei_arrests/chains.py": OWN,
    "renkei_arrests/clock_task.py": OWN,
    "renkei_arrests/domain.py": "record",
    "renkei_arrests/exhibits/reads.py": OWN,
    "renkei_arrests/exhibits/rules.py": OWN,
    "renkei_arrests/exhibits/telling.py": OWN,
    "renkei_arrests/sealed.py": OWN,
    "renkei_chassis/courier/jetstream.py": "courier",
    "renkei_chassis/courier/nkeys.py": "key_file",
    "renkei_chassis/courier/publisher.py": "courier",
    "renkei_chassis/database/group.py": "request",
    "renkei_chassis/database/process/frames.py": OWN,
    "renkei_chassis/database/process/writer.py": OWN,
    "renkei_chassis/errors.py": "status_details",
    "renkei_chassis/follower/apply.py": "event_batch",
    "renkei_chassis/follower/follower.py": "event_batch",
    "renkei_chassis/identity/claims.py": "token",
    "renkei_chassis/identity/keys.py": "key_file",
    "renkei_chassis/identity/trust.py": "trust_json",
    "renkei_chassis/log/tail.py": OWN,
    "renkei_chassis/records/comparing.py": OWN,
    "renkei_chassis/records/history.py": OWN,
    "renkei_chassis/records/own.py": OWN,
    "renkei_chassis/records/purging.py": OWN,
    "renkei_chassis/records/reads.py": OWN,
    "renkei_chassis/records/texts/entries.py": OWN,
    "renkei_chassis/records/texts/searching.py": OWN,
    "renkei_chassis/records/rules.py": OWN,
    "renkei_chassis/release.py": "released",
    "renkei_chassis/rpc/page_tokens.py": "page_token",
    "renkei_chassis/rpc/pipeline.py": "request",
    "renkei_chassis/rpc/validation.py": "request",
    "renkei_chassis/settings.py": "node_toml",
    "renkei_desk/following.py": "it reads what the leads service of this node says",
    "renkei_desk/outlines.py": "it reads a file that comes with the package",
    "renkei_exchange/admission.py": "lane_item",
    "renkei_exchange/harm.py": "lane_item",
    "renkei_exchange/lane.py": "bundle",
    "renkei_files/delimited.py": "table",
    "renkei_files/json_lines.py": "table",
    "renkei_files/profile.py": "profile",
    "renkei_leads/content.py": OWN,
    "renkei_leads/counting.py": OWN,
    "renkei_node/commands/explain.py": "explained",
    "renkei_node/commands/followed.py": "it reads what the leads service of this node says",
    "renkei_node/commands/personas/request.py": "prepared",
    "renkei_node/commands/personas/telling.py": "prepared",
    "renkei_node/demo/checks.py": OWN,
    "renkei_node/demo/federation.py": OWN,
    "renkei_node/demo/loading.py": OWN,
    "renkei_node/demo/timeline.py": "it reads a file that comes with the package",
    "renkei_node/desk_link.py": "it asks the desk of the very node whose key it reads",
    "renkei_node/doctor/network.py": "greeting",
    "renkei_node/files/journal.py": OWN,
    "renkei_node/files/records.py": "import",
    "renkei_node/files/refusals.py": OWN,
    "renkei_node/nats_server/ownership.py": OWN,
    "renkei_node/nats_server/process.py": "it greets the nats-server that it started",
    "renkei_normalform/wallets.py": "identifier",
    "renkei_personas/acts.py": OWN,
    "renkei_personas/bases.py": "legal_basis",
    "renkei_personas/contacts.py": OWN,
    "renkei_personas/disclosures.py": OWN,
    "renkei_personas/documents.py": OWN,
    "renkei_personas/inbox.py": OWN,
    "renkei_personas/learning.py": OWN,
    "renkei_personas/plans.py": OWN,
    "renkei_personas/refusals.py": "refused",
    "renkei_personas/reports.py": OWN,
    "renkei_personas/rereading.py": "event_batch",
    "renkei_personas/store/cases.py": OWN,
    "renkei_personas/store/steps.py": OWN,
    "renkei_personas/views.py": OWN,
    "renkei_tips/opinions.py": OWN,
    "renkei_tips/sources.py": OWN,
}


def decoding() -> Iterator[str]:
    """Name every module that decodes bytes."""
    for path in sorted((ROOT / "services").glob("*/src/renkei_*/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in DECODING:
                    yield path.relative_to(path.parents[len(path.parts) - path.parts.index("src") - 2]).as_posix()
                    break


def test_every_module_that_decodes_says_which_target_reaches_it() -> None:
    assert set(decoding()) == set(REACHED)


def test_every_target_that_is_named_exists() -> None:
    assert {target for target in REACHED.values() if " " not in target} <= set(TARGETS)
