"""Let a lead explain itself in words: which records, whose, whom to ask, and what they share.

No caveat, title or text of a record stands in an explanation, so it says as much of an INDEX_ONLY
record as of any other. What came from elsewhere (contact desks, normal forms) is made plain: no line
ends and no signs that change the order of reading.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from renkei_leads.domain.finding import State
from renkei_leads.domain.identifiers import TYPES
from renkei_leads.domain.records import Provenance
from renkei_normalform import IdentifierType, Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from renkei_leads.domain.evidence import Evidence
    from renkei_leads.domain.finding import FoundLead

MAX_CHARACTERS: Final = 4000
_ROOM_FOR_THE_REST: Final = 60
_RECORDS_IN_A_LINE: Final = 5
_RESTLESS: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """One language's words."""

    heads: Mapping[State, str]
    types: Mapping[IdentifierType, str]
    unknown_type: str
    provenances: Mapping[int, str]
    shared: str
    weak: str
    record: str
    desk: str
    joint: str
    more_records: str
    more_lines: str


_JA: Final = _Words(
    heads={
        State.CANDIDATE: "手がかり（候補）：記録{records}件、共通の識別子{shared}件。独立した裏付けはまだありません。",
        State.SUPPORTED: "手がかり（裏付けあり）：記録{records}件、共通の識別子{shared}件。独立した裏付けがあります。",
    },
    types={
        IdentifierType.PHONE: "電話番号",
        IdentifierType.BANK_ACCOUNT: "銀行口座",
        IdentifierType.HANDLE: "アカウント名",
        IdentifierType.VEHICLE_PLATE: "車両番号",
        IdentifierType.IMEI: "端末識別番号（IMEI）",
        IdentifierType.ICCID: "SIMカード番号（ICCID）",
        IdentifierType.IMSI: "加入者識別番号（IMSI）",
        IdentifierType.PLATFORM_ACCOUNT_ID: "アカウント固有ID",
        IdentifierType.INVITE_LINK: "招待リンク",
        IdentifierType.PLACE: "場所",
        IdentifierType.CRYPTO_WALLET: "暗号資産アドレス",
        IdentifierType.DISPLAY_NAME: "表示名",
        IdentifierType.MODUS_OPERANDI: "手口",
    },
    unknown_type="識別子",
    provenances={
        Provenance.SEIZED_DEVICE: "押収端末",
        Provenance.STATEMENT: "供述",
        Provenance.ADVERTISEMENT: "募集広告",
        Provenance.BANK: "銀行",
        Provenance.TIP: "情報提供",
        Provenance.WITHHELD_ASK_ORIGINATOR: "出所は照会先へ",
        Provenance.OBSERVATION: "視認",
    },
    shared="・{type} {form}{weak}：{records}",
    weak="（弱い・参考）",
    record="{name}（{details}）",
    desk="照会先：{desk}",
    joint="、",
    more_records="、ほか{count}件",
    more_lines="・ほか{count}件の識別子",
)
_EN: Final = _Words(
    heads={
        State.CANDIDATE: "Candidate lead: records {records}, identifiers shared {shared}. No independent evidence yet.",
        State.SUPPORTED: "Supported lead: records {records}, identifiers shared {shared}. The evidence is independent.",
    },
    types={
        IdentifierType.PHONE: "Phone number",
        IdentifierType.BANK_ACCOUNT: "Bank account",
        IdentifierType.HANDLE: "Handle",
        IdentifierType.VEHICLE_PLATE: "Number plate",
        IdentifierType.IMEI: "Device (IMEI)",
        IdentifierType.ICCID: "SIM card (ICCID)",
        IdentifierType.IMSI: "Subscriber (IMSI)",
        IdentifierType.PLATFORM_ACCOUNT_ID: "Account id",
        IdentifierType.INVITE_LINK: "Invite link",
        IdentifierType.PLACE: "Place",
        IdentifierType.CRYPTO_WALLET: "Crypto wallet",
        IdentifierType.DISPLAY_NAME: "Display name",
        IdentifierType.MODUS_OPERANDI: "Modus operandi",
    },
    unknown_type="Identifier",
    provenances={
        Provenance.SEIZED_DEVICE: "seized device",
        Provenance.STATEMENT: "statement",
        Provenance.ADVERTISEMENT: "advertisement",
        Provenance.BANK: "bank",
        Provenance.TIP: "tip",
        Provenance.WITHHELD_ASK_ORIGINATOR: "source withheld: ask the originator",
        Provenance.OBSERVATION: "observation",
    },
    shared="- {type} {form}{weak}: {records}",
    weak=" (weak: supports only)",
    record="{name} ({details})",
    desk="ask {desk}",
    joint=", ",
    more_records=", and {count} more",
    more_lines="- and {count} more identifier(s)",
)


def explain(lead: FoundLead) -> tuple[str, str]:
    """Write the lead in Japanese and in English, each at most 4000 characters."""
    return _written(lead, _JA), _written(lead, _EN)


def _written(lead: FoundLead, words: _Words) -> str:
    desks = {record.name: record.contact_desk for record in lead.records}
    text = words.heads[lead.state].format(records=len(lead.records), shared=len(lead.evidence))
    for done, row in enumerate(lead.evidence):
        line = _line(row, desks, words)
        if len(text) + 1 + len(line) > MAX_CHARACTERS - _ROOM_FOR_THE_REST:
            return f"{text}\n{words.more_lines.format(count=len(lead.evidence) - done)}"
        text = f"{text}\n{line}"
    return text


def _line(row: Evidence, desks: Mapping[str, str], words: _Words) -> str:
    known = TYPES.get(row.identifier.type)
    provenances: dict[str, set[int]] = {}
    for group in row.groups:
        for site in group:
            provenances.setdefault(site.record, set()).add(site.provenance)
    standing = [name for name in desks if name in provenances]  # in the order of the records
    records = [_record(name, desks[name], provenances[name], words) for name in standing[:_RECORDS_IN_A_LINE]]
    more = len(standing) - len(records)
    return words.shared.format(
        type=words.types[known] if known is not None else words.unknown_type,
        form=_plain(row.identifier.form),
        weak=words.weak if row.strength is Strength.WEAK else "",
        records=words.joint.join(records) + (words.more_records.format(count=more) if more else ""),
    )


def _record(name: str, desk: str, provenances: Iterable[int], words: _Words) -> str:
    details: Sequence[str] = [words.provenances[which] for which in sorted(provenances) if which in words.provenances]
    asked = words.desk.format(desk=_plain(desk)) if desk else name.split("/", 2)[1]
    return words.record.format(name=name, details=words.joint.join([asked, *details]))


def _plain(text: str) -> str:
    """Replace what does not stand still on a page: controls, line ends, bidirectional and invisible signs."""
    if text.isprintable():
        return text.strip()
    kept = ("�" if unicodedata.category(sign) in _RESTLESS else sign for sign in text)
    return "".join(kept).strip()
