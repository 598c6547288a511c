"""The commands of the NPA's desk, and what chief and auditor look at."""

from __future__ import annotations

from typing import Final

from renkei_node.commands.personas.verb import Field, Verb

DESK_VERBS: Final = (
    Verb(
        name="reports",
        method="ListReports",
        who="the NPA's desk (NPA_DESK)",
        help="List the plans that were reported to this node.",
        example="--open",
        target="agency",
        fields=(
            Field(
                option="--open",
                path="only_open",
                kind="flag",
                required=False,
                help="Only those that wait for an acknowledgement.",
            ),
        ),
        lists="reports",
    ),
    Verb(
        name="acknowledge",
        method="AcknowledgeReport",
        who="the NPA's desk (NPA_DESK)",
        help="Acknowledge a report to the agency that made it.",
        example="agencies/jp-12/plans/3f0c0a52-6b1f-4b9e-9f0e-0d9d2f3f5a01 --version 1",
        fields=(Field(option="--version", path="version", kind="number", help="The version that you read."),),
    ),
    Verb(
        name="statistics",
        method="GetStatistics",
        who="the NPA's desk, the chief, an auditor",
        help="Count a year's investigations in the shape that the NPA publishes.",
        example="--year 2026",
        target="agency",
        fields=(Field(option="--year", path="year", kind="number", help="The calendar year, Japan time."),),
    ),
    Verb(
        name="harm",
        method="ListImminentHarm",
        service="exchange",
        who="officers, supervisors, the NPA's desk, auditors",
        help="List the messages of imminent harm, sent and received.",
        example="",
        target="",
        lists="messages",
    ),
    Verb(
        name="review-harm",
        method="ReviewImminentHarm",
        service="exchange",
        who="an auditor, within 72 hours, for the agency that raised it",
        help="Say that a message of imminent harm was reviewed, and what was found.",
        example="agencies/jp-12/harm/3f0c0a52-6b1f-4b9e-9f0e-0d9d2f3f5a01 --note @found.txt",
        fields=(Field(option="--note", path="note", kind="words", help="What was found."),),
    ),
    Verb(
        name="register-basis",
        method="RegisterLegalBasis",
        who="chief (HQ_CHIEF), with what `sign-basis` signed",
        help="Register a signed legal basis, which alone widens the list of crimes or allows fictitious accounts.",
        example="--basis basis.binpb --signature basis.sig",
        target="",
        fields=(
            Field(option="--basis", path="basis", kind="file", help="The serialised LegalBasis, as it was signed."),
            Field(option="--signature", path="signature", kind="file", help="Its Ed25519 signature, 64 bytes."),
        ),
    ),
    Verb(
        name="revoke-basis",
        method="RevokeLegalBasis",
        who="chief (HQ_CHIEF), with what `sign-revocation` signed",
        help="Revoke a legal basis at once and for good: what rests on it is halted.",
        example="--revocation revocation.binpb --signature revocation.sig",
        target="",
        fields=(
            Field(
                option="--revocation",
                path="revocation",
                kind="file",
                help="The serialised LegalBasisRevocation, as it was signed.",
            ),
            Field(option="--signature", path="signature", kind="file", help="Its Ed25519 signature, 64 bytes."),
        ),
    ),
    Verb(
        name="bases",
        method="ListLegalBases",
        who="the chief, an auditor",
        help="List the registered legal bases.",
        example="",
        target="agency",
        lists="legal_bases",
    ),
    Verb(
        name="refusals",
        method="ListRefusals",
        who="the chief, an auditor",
        help="List the refused calls, newest first: who, what, why, and nothing of what was asked.",
        example="",
        target="agency",
        lists="refusals",
    ),
    Verb(
        name="dangers",
        method="ListDangers",
        who="the chief",
        help="List the reports of danger, newest first.",
        example="",
        target="agency",
        lists="dangers",
    ),
)
