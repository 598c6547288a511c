"""Every refusal of a rule: what it is called, its status, and the rule in Japanese and in English."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule as whoever broke it is told."""

    status: str
    ja: str
    en: str


_WRONG, _DENIED, _STATE = "INVALID_ARGUMENT", "PERMISSION_DENIED", "FAILED_PRECONDITION"

REASONS: Final[Mapping[str, Reason]] = {
    "PLAN_INCOMPLETE": Reason(_WRONG, "計画に記載漏れがある", "the plan lacks parts"),
    "PERIOD_INVALID": Reason(
        _WRONG,
        "期間は始期より後かつ現在より後に終わり、上限日数以内でなければならない",
        "the period must end after it begins and after now, and last no longer than allowed",
    ),
    "APPROVER_INVOLVED": Reason(
        _DENIED,
        "起案者・監督者・保管者・捜査員は承認できない",
        "whoever drafts, supervises, keeps documents or acts cannot decide",
    ),
    "PLAN_HASH_MISMATCH": Reason(
        _STATE,
        "承認は一つの計画ハッシュに限る。提出された計画のハッシュではない",
        "this is not the hash of the plan as it was submitted",
    ),
    "NOT_SUBMITTED": Reason(_STATE, "計画は承認待ちではない", "the plan does not wait for approval"),
    "OFFICERS_NOT_DISTINCT": Reason(
        _WRONG,
        "起案者・監督者・保管者は同一機関の別人でなければならず、監督者と保管者は捜査員を兼ねられない",
        "drafter, supervisor and custodian must be three different officers of the agency, and the last two not act",
    ),
    "PLAN_FROZEN": Reason(_STATE, "提出後の計画は変更できない", "a plan that was submitted cannot be changed"),
    "STATE_FORBIDS": Reason(
        _STATE, "現在の状態ではこの操作はできない", "the investigation is in a state that forbids this"
    ),
    "NOT_YOUR_PART": Reason(_DENIED, "この操作は別の担当者が行う", "this is for another part in the investigation"),
    "CRIME_NOT_LISTED": Reason(
        _STATE, "対象犯罪の一覧にない罪種で、法的根拠が示されていない", "the offence is beyond the closed list"
    ),
    "LEGAL_BASIS_MISSING": Reason(
        _STATE,
        "その法的根拠は登録がない、効力がない、又はこれを許していない",
        "the legal basis is not registered, not valid now, or does not allow this",
    ),
    "LEGAL_BASIS_UNSIGNED": Reason(
        _DENIED, "法的根拠に正しい署名がない", "the legal basis is not signed by a key that the settings name"
    ),
    "NOT_ACKNOWLEDGED": Reason(
        _STATE, "警察庁の受理がまだない", "the National Police Agency has not acknowledged the plan"
    ),
    "OUT_OF_PERIOD": Reason(_STATE, "計画の期間外である", "it is not within the period of the plan"),
    "APPROVAL_LAPSED": Reason(_STATE, "承認の有効期間が過ぎた", "the approval was not used in time"),
    "SUPERVISOR_VACANT": Reason(_STATE, "監督者が欠けている", "nobody is in the supervisor's post"),
    "OFFICER_IN_DANGER": Reason(
        _STATE,
        "捜査員の危険又は身分発覚の疑いが解消されていない",
        "danger or suspicion was reported, and the safety task is not done",
    ),
    "NOT_DECONFLICTED": Reason(_STATE, "他機関との競合確認がない", "other agencies were not asked about conflicts"),
    "INCIDENT_OPEN": Reason(_STATE, "事案が監督者の確認を待っている", "an incident waits for the supervisor's review"),
    "REVIEW_OVERDUE": Reason(
        _STATE, "接触記録の監督者確認が期限を過ぎた", "a contact waits too long for the supervisor's review"
    ),
    "CONTACTS_UNREVIEWED": Reason(
        _STATE, "監督者の確認を待つ接触記録がある", "a contact waits for the supervisor's review"
    ),
    "DOCUMENTS_EXHAUSTED": Reason(_STATE, "計画の書類数を超える", "as many documents exist as the plan allows"),
    "SECOND_PERSON_MISSING": Reason(
        _DENIED,
        "作成を求めた者は自ら保管を開始できない（二人で発行する）",
        "who asked for a document cannot take it into custody",
    ),
    "DOCUMENT_COLLIDES": Reason(
        _STATE,
        "架空の氏名・住所・番号が実在の記録と一致する",
        "an invented name, address or number hits a real record",
    ),
    "ACCOUNT_WITHOUT_LEGAL_BASIS": Reason(
        _STATE, "仮装口座には登録された法的根拠が要る", "a fictitious account needs a registered legal basis"
    ),
    "NO_REQUEST_LOGGED": Reason(
        _STATE,
        "相手方からの求めが事前に記録されていない、又は既に応じた",
        "no request of the offender was logged before, or it was answered already",
    ),
    "IMAGE_ONLY": Reason(_WRONG, "提示は画像に限る", "only an image may be shown"),
    "RECIPIENT_MISMATCH": Reason(_STATE, "提示先が求めた相手と異なる", "the recipient is not the account that asked"),
    "DOCUMENT_STATE_FORBIDS": Reason(
        _STATE, "書類の現在の状態ではこの操作はできない", "the document is in a state that forbids this"
    ),
    "WITNESSES_INVALID": Reason(
        _WRONG,
        "立会人は、この捜査に関わらない同一機関の異なる二人でなければならない",
        "two different officers of the agency must be named, who have no part in the investigation",
    ),
    "NOT_A_WITNESS": Reason(
        _DENIED,
        "指名された立会人でない、捜査に関わっている、又は既に確認した",
        "the caller was not named, has a part in the investigation by now, or has said so already",
    ),
    "REVIEW_TIME_INVALID": Reason(
        _WRONG, "公判保管の見直し日は将来の一年以内とする", "the review of a hold must come, within a year"
    ),
    "DOCUMENT_LEFT": Reason(
        _STATE,
        "廃棄も公判保管もされていない書類が残っている",
        "a document is neither destroyed nor held for trial with a review to come",
    ),
    "OUTCOME_CONTRADICTED": Reason(_STATE, "結果が記録と矛盾する", "the outcome contradicts what is recorded"),
    "TAKING_PART": Reason(
        _STATE,
        "捜査員の提案・道具の提供・加担は接触記録にできない。事案として報告する",
        "what officers proposed, supplied or took part in is an incident, never a normal entry",
    ),
    "BACKDATED": Reason(
        _STATE,
        "時刻が前の記録より前、古すぎる、又は未来である",
        "the time is before the entry before, too long ago, or in the future",
    ),
    "EXTENSION_INVALID": Reason(
        _WRONG,
        "延長は期間の延長又は書類数の増加に限る",
        "an extension asks for a longer period or more documents, and changes nothing else",
    ),
    "EXTENSION_PENDING": Reason(_STATE, "既に延長の手続中である", "an extension is on its way already"),
    "SUPERVISOR_UNSUITABLE": Reason(
        _WRONG,
        "監督者は同一機関の警部以上で、他の担当を兼ねず、この計画を承認していない者とする",
        "a supervisor is an inspector or above of the agency, has no other part, and approved nothing of it",
    ),
    "HOLDER_INVALID": Reason(_WRONG, "原本は捜査員にのみ渡せる", "only an officer of the team can hold an original"),
    "TASK_DONE": Reason(_STATE, "その任務は完了している", "the task is done already"),
    "NOT_THE_NPA": Reason(
        _STATE, "受理は警察庁のみが行う", "only the National Police Agency's node acknowledges reports"
    ),
    "REPORT_VERSION_MISMATCH": Reason(
        _STATE,
        "最後に報告された版ではない、又は受理済みである",
        "this is not the last version reported, or it is acknowledged already",
    ),
    "DISCLOSURE_CONFIRMED": Reason(
        _STATE, "既に別の記録として確認されている", "the disclosure was confirmed with another record"
    ),
    "NO_SUCH_CONTACT": Reason(
        _STATE, "その接触記録はない、又は確認済みである", "no such entry, or it was reviewed already"
    ),
    "LEGAL_BASIS_KNOWN": Reason(
        _STATE, "その番号の法的根拠は既に登録されている", "a legal basis of that id is registered already"
    ),
    "LEGAL_BASIS_UNKNOWN": Reason(
        _STATE, "その番号の法的根拠は登録されていない", "no legal basis of that id is registered"
    ),
    "OWN_INCIDENT": Reason(
        _DENIED,
        "自ら報告した事案は確認できない。本部長又は後任の監督者が確認する",
        "who reported an incident does not review it: the chief does, or the supervisor who comes after",
    ),
    "LEGEND_TOLD": Reason(
        _WRONG,
        "提供する内容に仮装身分の氏名・住所・番号が含まれている",
        "what would be told names a word or number of the fictitious identity",
    ),
}


class Refused(ValueError):  # noqa: N818 (it names what happened)
    """A rule says no: `reason` is a key of REASONS, `fields` name what is broken in the request."""

    def __init__(self, reason: str, *, fields: Sequence[str] = (), **metadata: str) -> None:
        """Take the reason and what varies in it."""
        super().__init__(reason)
        self.reason = reason
        self.words = REASONS[reason]
        self.fields = tuple(fields)
        self.metadata = metadata
