"""The rows about documents: register, custody, presentation, destruction, holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from renkei_personas.domain import guards as g
from renkei_personas.domain.row import (
    AFTER_APPROVAL,
    CHIEF,
    CLOCK,
    CUSTODIAN,
    ENDING,
    EVERY,
    GOING,
    SUPERVISOR,
    TEAM,
    WHAT,
    WHY,
    WITNESS,
    Row,
    parts,
    states,
)
from renkei_personas.domain.states import Paper, State, TaskKind

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT_ROWS: Final[Mapping[str, Row]] = {
    "REQUEST_DOCUMENT": Row(
        ja="書類の請求",
        en="enter a document to be made",
        sources=states(State.READY, State.ACTIVE),
        parts=parts(TEAM, SUPERVISOR),
        guards=(g.acknowledged, g.in_period, g.post_filled, g.documents_left, g.account_allowed, g.no_collision),
        paper=Paper.REQUESTED,
        records=WHAT,
    ),
    "ISSUE_DOCUMENT": Row(
        ja="書類の発行（二人目）",
        en="take a document into custody: the second person",
        sources=states(State.READY, State.ACTIVE),
        parts=parts(CUSTODIAN),
        guards=(g.acknowledged, g.in_period, g.post_filled, g.two_people, g.account_allowed, g.no_collision),
        papers=frozenset({Paper.REQUESTED}),
        paper=Paper.IN_CUSTODY,
        records=WHAT,
    ),
    "CANCEL_DOCUMENT": Row(
        ja="請求の取消し",
        en="take back a request for a document",
        sources=AFTER_APPROVAL,
        parts=parts(SUPERVISOR, CUSTODIAN),
        papers=frozenset({Paper.REQUESTED}),
        paper=Paper.CANCELLED,
        records=WHY,
    ),
    "HAND_OUT_DOCUMENT": Row(
        ja="原本の貸出し",
        en="hand an original out",
        sources=states(State.READY, State.ACTIVE),
        parts=parts(CUSTODIAN),
        guards=(g.in_period, g.account_allowed, g.holder_in_team, g.not_collided),
        papers=frozenset({Paper.IN_CUSTODY}),
        paper=Paper.HANDED_OUT,
        records=("実施者・時刻・所持者・理由", "who, when, to whom, why"),
    ),
    "RETURN_DOCUMENT": Row(
        ja="原本の返却",
        en="take an original back",
        sources=AFTER_APPROVAL,
        parts=parts(CUSTODIAN),
        papers=frozenset({Paper.HANDED_OUT}),
        paper=Paper.IN_CUSTODY,
        records=WHAT,
    ),
    "PRESENT_DOCUMENT": Row(
        ja="画像の提示",
        en="show an image",
        sources=states(State.ACTIVE),
        parts=parts(TEAM),
        guards=(
            g.in_period,
            g.post_filled,
            g.account_allowed,
            g.is_image,
            g.was_asked,
            g.is_asker,
            g.not_collided,
        ),
        papers=frozenset({Paper.IN_CUSTODY, Paper.HANDED_OUT}),
        records=("実施者・時刻・提示先・求めの番号", "who, when, to whom, on which request"),
    ),
    "HOLD_DOCUMENT": Row(
        ja="公判保管",
        en="hold for trial, or move the review",
        sources=AFTER_APPROVAL | {State.ARCHIVED},
        parts=parts(SUPERVISOR, CHIEF),
        guards=(g.review_ahead,),
        papers=frozenset({Paper.IN_CUSTODY, Paper.HELD}),
        paper=Paper.HELD,
        records=("実施者・時刻・見直し日・理由", "who, when, the review, why"),
    ),
    "RELEASE_DOCUMENT": Row(
        ja="公判保管の解除",
        en="end a hold",
        sources=AFTER_APPROVAL,
        parts=parts(SUPERVISOR, CHIEF),
        papers=frozenset({Paper.HELD}),
        paper=Paper.IN_CUSTODY,
        records=WHY,
    ),
    "DESTROY_DOCUMENT": Row(
        ja="廃棄の指示",
        en="order a destruction and name two witnesses",
        sources=states(State.SUSPENDED, State.ARCHIVED) | ENDING,
        parts=parts(CUSTODIAN),
        guards=(g.two_witnesses,),
        papers=frozenset({Paper.IN_CUSTODY, Paper.HELD, Paper.DESTROY_ORDERED}),
        paper=Paper.DESTROY_ORDERED,
        records=("実施者・時刻・立会人", "who, when, the witnesses"),
    ),
    "WITNESS_DESTRUCTION": Row(
        ja="廃棄の立会い（二人目で廃棄済み）",
        en="witness a destruction: the second completes it",
        sources=states(State.SUSPENDED, State.ARCHIVED) | ENDING,
        parts=parts(WITNESS),
        guards=(g.not_yet_witnessed, g.witness_unrelated),
        papers=frozenset({Paper.DESTROY_ORDERED}),
        records=WHAT,
    ),
    "COLLIDE": Row(
        ja="発行後の実在の記録との一致（解消まで貸出し・提示不可）",
        en="a record came that says what an issued document invents: it is neither handed out nor shown until settled",
        sources=GOING,
        parts=parts(CLOCK),
        opens=(TaskKind.CHECK_DOCUMENT,),
        papers=frozenset({Paper.IN_CUSTODY, Paper.HANDED_OUT, Paper.HELD}),
        records=("時刻・対象", "when, of what"),
    ),
    "SETTLE_COLLISION": Row(
        ja="一致の解消（監督者の判断）",
        en="the last task about such records is done: the supervisor answers for the documents",
        sources=EVERY,
        parts=parts(SUPERVISOR, CHIEF),
        records=WHY,
    ),
}
