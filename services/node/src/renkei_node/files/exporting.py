"""Export what an agency may keep in a file: its own records, and of others' those that may be passed on."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from renkei.identifiers.v1.identifiers_pb2 import Occurrence, Relation
from renkei.policy.v1.handling_pb2 import ONWARD_FREE
from renkei.policy.v1.policy_pb2 import SPREAD_HOME, value_spread

from renkei_node.files.writing import CsvWriter, JsonLinesWriter, ParquetWriter, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from renkei_chassis.rpc.sync_client import SyncClient
    from renkei_node.files.kinds import FileKind

PAGE: Final = 500
# Relations that keep their occurrence at home: numbers of bystanders in address books.
_AT_HOME: Final = frozenset(
    value.number for value in Relation.DESCRIPTOR.values if value.GetOptions().Extensions[value_spread] == SPREAD_HOME
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is to be exported, and how."""

    path: Path
    kind: FileKind
    agency: str
    form: str
    encoding: str = "utf-8"
    case: str = ""
    received: bool = False
    """Whether copies that other agencies released are wanted, as far as their labels let them."""
    training: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    tell: Callable[[int], None] = lambda _records: None


@dataclass(slots=True, kw_only=True)
class Exported:
    """What came of it."""

    records: int = 0
    withheld: int = 0
    """Copies whose originators have to be asked first."""
    overdue: int = 0
    """Records that should be gone by now: their labels say so."""
    bystanders: int = 0
    """Identifiers that were left out because they stay at home, such as those of address books."""
    replaced: int = 0
    unreachable: tuple[str, ...] = ()


def label_of(wanted: Export) -> str:
    """Give the label of the whole file: each record's own label binds, and says more."""
    training = "演習データ(すべて架空) / training data, all invented. " if wanted.training else ""
    return (
        "取扱注意: 各行の取扱区分(handling)に従うこと。第三者への提供は作成庁の承認を要する。 / Handle as each "
        f"record's label says; passing it on needs its originator's consent. {training}"
        f"{wanted.agency} {wanted.kind.collection} {wanted.now.isoformat(timespec='seconds')}"
    )


def export(wanted: Export, client: SyncClient) -> Exported:
    """Write the file: whole, or not at all. Raises OSError, FileExistsError where one is there already. Blocks."""
    beside = wanted.path.with_name(f".{wanted.path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 (pathlib opens no descriptor)
            done = _write(wanted, client, file)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, wanted.path)  # a rename would overwrite; a link refuses
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    return done


def _write(wanted: Export, client: SyncClient, file: BinaryIO) -> Exported:
    kind = wanted.kind
    writer = _writer(wanted, file)
    done = Exported()
    request = kind.list_request(
        parent="agencies/-" if wanted.received else wanted.agency, page_size=PAGE, case_reference=wanted.case
    )
    for page in client.pages(getattr(client.stub(kind.stub), kind.list), request, seconds=60.0):
        for record in getattr(page, kind.collection):
            _one(record, wanted, writer, done)
        done.unreachable = tuple(page.unreachable)
        wanted.tell(done.records)
    writer.close()
    done.replaced = writer.replaced
    return done


def _one(record: Any, wanted: Export, writer: Writer, done: Exported) -> None:  # noqa: ANN401 (a Tip or an Arrest)
    """Write a record if its label lets it become a file, which nobody can take back."""
    handling = record.handling
    if handling.HasField("purge_by") and handling.purge_by.ToDatetime(UTC) <= wanted.now:
        done.overdue += 1
    elif not record.name.startswith(f"{wanted.agency}/") and handling.onward != ONWARD_FREE:
        done.withheld += 1
    else:
        done.bystanders += _leave_bystanders(record)
        writer.write(record)
        done.records += 1


def _leave_bystanders(message: Any) -> int:  # noqa: ANN401 (any message of ours)
    """Take out, at every depth, what stands in an address book; tells how much that was."""
    left = 0
    for part, value in message.ListFields():
        if part.message_type is None or part.message_type.full_name.startswith("google."):
            continue
        if part.message_type is not Occurrence.DESCRIPTOR:
            left += sum(map(_leave_bystanders, value if part.is_repeated else [value]))
        elif part.is_repeated:
            kept = [each for each in value if each.relation not in _AT_HOME]
            left += len(value) - len(kept)
            del value[:]
            value.extend(kept)
        elif value.relation in _AT_HOME:
            message.ClearField(part.name)
            left += 1
    return left


def _writer(wanted: Export, file: BinaryIO) -> Writer:
    label = label_of(wanted)
    if wanted.form == "csv":
        return CsvWriter(file, wanted.kind, label, encoding=wanted.encoding)
    makers: Mapping[str, Any] = {"jsonl": JsonLinesWriter, "parquet": ParquetWriter}
    made: Writer = makers[wanted.form](file, wanted.kind, label)
    return made
