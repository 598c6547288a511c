"""The commands about documents, contacts and disclosures."""

from __future__ import annotations

from typing import Final

from renkei_node.commands.personas.verb import ETAG, REASON, Field, Verb

DOCUMENT_VERBS: Final = (
    Verb(
        name="documents",
        method="ListDocuments",
        who="everybody with a part in it",
        help="List the register of documents of one investigation.",
        example="NAME",
        target="parent",
        lists="documents",
    ),
    Verb(
        name="request-document",
        method="RequestDocument",
        who="handler or supervisor: the first of two people",
        help="Enter a document that is to be made. Its invented name, address and number must hit no real record.",
        example="NAME --kind DRIVING_LICENCE --legend legend.toml",
        target="parent",
        fields=(
            Field(option="--kind", path="document.kind", kind="choice", choices="KIND_", help="What kind of document."),
            Field(
                option="--legend",
                path="document.legend",
                kind="plan",
                help="A TOML file: display_name, address, number, phone.",
            ),
        ),
    ),
    Verb(
        name="issue-document",
        method="IssueDocument",
        who="custodian: the second of two people",
        help="Take a document that was made into custody.",
        example="NAME/documents/ID",
        fields=(ETAG,),
    ),
    Verb(
        name="cancel-document",
        method="CancelDocument",
        who="supervisor or custodian",
        help="Take back a request that was never issued.",
        example="NAME/documents/ID --reason 不要",
        fields=(REASON, ETAG),
    ),
    Verb(
        name="hand-out",
        method="HandOutDocument",
        who="custodian",
        help="Note that an officer of the team holds the original now.",
        example="NAME/documents/ID --holder agencies/jp-12/officers/kato --reason 撮影",
        fields=(Field(option="--holder", path="holder", help="The officer's name."), REASON, ETAG),
    ),
    Verb(
        name="take-back",
        method="ReturnDocument",
        who="custodian",
        help="Note that the original is under lock again.",
        example="NAME/documents/ID",
        fields=(ETAG,),
    ),
    Verb(
        name="present",
        method="PresentDocument",
        who="handler (OFFICER of the team)",
        help="Note that an image was shown to the offender who asked. The request must have been logged before.",
        example="NAME/documents/ID --request 1 --to telegram:renkei_demo_boss --form IMAGE",
        fields=(
            Field(option="--request", path="request_number", kind="number", help="The number of the logged request."),
            Field(option="--to", path="recipient", kind="words", help="The account that asked."),
            Field(
                option="--form", path="form", kind="choice", choices="FORM_", help="What was shown: only IMAGE may be."
            ),
            ETAG,
        ),
    ),
    Verb(
        name="hold",
        method="HoldDocument",
        who="supervisor or chief",
        help="Keep a document for trial until a review, or move that review.",
        example="NAME/documents/ID --review 2026-10-01 --reason 公判",
        fields=(
            Field(option="--review", path="review_time", kind="time", help="When the hold is reviewed, within a year."),
            REASON,
            ETAG,
        ),
    ),
    Verb(
        name="release",
        method="ReleaseDocument",
        who="supervisor or chief",
        help="End a hold, so that the document can be destroyed.",
        example="NAME/documents/ID --reason 判決確定",
        fields=(REASON, ETAG),
    ),
    Verb(
        name="destroy",
        method="DestroyDocument",
        who="custodian",
        help="Order a destruction and name two witnesses, who have no part in it.",
        example="NAME/documents/ID --witness agencies/jp-12/officers/ito --witness agencies/jp-12/officers/abe",
        fields=(Field(option="--witness", path="witnesses", kind="names", help="An officer's name; twice."), ETAG),
    ),
    Verb(
        name="witness",
        method="WitnessDestruction",
        who="an officer who was named as a witness",
        help="Say that you saw the destruction; the second witness completes it.",
        example="NAME/documents/ID",
        fields=(ETAG,),
    ),
)
_CONTACT: Final = (
    Field(option="--time", path="contact.occur_time", kind="time", help="When it happened: a time, or `now`."),
    Field(option="--with", path="contact.counterpart", kind="words", help="The account at the other end."),
    Field(option="--channel", path="contact.channel", required=False, help="The service or place."),
    Field(option="--text", path="contact.text", kind="file", help="A file, or -: what was said, by whom."),
)
_CONDUCT: Final = Field(
    option="--conduct",
    path="contact.conduct",
    kind="choice",
    choices="CONDUCT_",
    help="What the officers themselves did; anything but OBSERVED is an incident.",
)
_VOUCHED: Final = Field(
    option="--of-offender-only",
    path="contact.of_offender_only",
    kind="flag",
    required=False,
    help="Words that sound like taking part are about the offender alone.",
)
CONTACT_VERBS: Final = (
    Verb(
        name="contacts",
        method="ListContacts",
        who="everybody with a part in it",
        help="List the chained contacts of one investigation, oldest first.",
        example="NAME",
        target="parent",
        lists="contacts",
    ),
    Verb(
        name="log-request",
        method="LogRequest",
        who="handler (OFFICER of the team)",
        help="Log that an offender asked to see an identity. Without it nothing may be shown.",
        example="NAME --time now --with telegram:renkei_demo_boss --conduct OBSERVED --text -",
        target="parent",
        fields=(*_CONTACT, _CONDUCT, _VOUCHED),
    ),
    Verb(
        name="log-contact",
        method="LogContact",
        who="handler (OFFICER of the team)",
        help="Log a contact, within hours.",
        example="NAME --time 2026-01-05T21:40+09:00 --with telegram:boss --conduct OBSERVED --text said.txt",
        target="parent",
        fields=(*_CONTACT, _CONDUCT, _VOUCHED),
    ),
    Verb(
        name="incident",
        method="ReportIncident",
        who="handler or supervisor",
        help="Report that an officer proposed a crime, supplied means or took part. The operation is halted.",
        example="NAME --time now --with telegram:renkei_demo_boss --conduct PROPOSED --text -",
        target="parent",
        fields=(*_CONTACT, _CONDUCT),
    ),
    Verb(
        name="review",
        method="ReviewContacts",
        who="supervisor, or the chief (HQ_CHIEF) where the supervisor reported an incident himself",
        help="Say that every contact up to a number was reviewed.",
        example="NAME --through 4 --note 異状なし",
        target="parent",
        fields=(
            Field(option="--through", path="through_number", kind="number", help="The number of the last contact."),
            Field(option="--note", path="note", kind="words", help="What you have to say."),
        ),
    ),
    Verb(
        name="disclose",
        method="PrepareDisclosure",
        who="handler or supervisor",
        help="Prepare what may be told of a contact: a tip or a message of imminent harm that names no investigation.",
        example="NAME/contacts/2 --content told.toml",
        target="contact",
        fields=(
            Field(
                option="--content",
                path="",
                kind="plan",
                help="A TOML file: identifiers, text, releasable_to; or harm, recipients.",
            ),
        ),
    ),
    Verb(
        name="confirm",
        method="ConfirmDisclosure",
        who="handler or supervisor",
        help="Note which record a disclosure became.",
        example="NAME/disclosures/ID --record agencies/jp-12/tips/0191d5c0-0000-7000-8000-000000000000",
        fields=(Field(option="--record", path="record", help="The name of the tip or message."),),
    ),
    Verb(
        name="disclosures",
        method="ListDisclosures",
        who="the supervisor of one investigation; an auditor for all (NAME: the agency)",
        help="List what was told of contacts, with the records that it became: the true link.",
        example="NAME",
        target="parent",
        lists="disclosures",
    ),
)
