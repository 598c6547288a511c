"""The guards of the table: each a condition in words and a small pure function that refuses or does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei_personas.domain.case import Document, involved_in, is_vacant
from renkei_personas.domain.plan import check_crime, check_extension, check_plan, is_allowed, is_officer
from renkei_personas.domain.reasons import Refused
from renkei_personas.domain.states import Allows, Outcome, Paper, State

if TYPE_CHECKING:
    from renkei_personas.domain.case import Act, Case
    from renkei_personas.domain.plan import Plan, Rules


def plan_whole(case: Case, act: Act, rules: Rules) -> None:
    """計画が完備している · the plan is whole, its duties apart, its period possible, its crime listed."""
    check_plan(case.plan, drafter=case.drafter, now=act.now, rules=rules)


def uninvolved(case: Case, act: Act, rules: Rules) -> None:
    """決裁者は計画に関与していない · who decides has no other part in the plan."""
    del rules
    if act.who in involved_in(case) | {decided(case).supervisor}:
        raise Refused("APPROVER_INVOLVED")


def hash_read(case: Case, act: Act, rules: Rules) -> None:
    """決裁は提出された計画のハッシュに対する · the hash is that of the plan as submitted."""
    del rules
    expected = case.extension.plan_hash if case.extension is not None else case.plan_hash
    if act.plan_hash != expected:
        raise Refused("PLAN_HASH_MISMATCH")


def still_possible(case: Case, act: Act, rules: Rules) -> None:
    """期間が終わっておらず罪種が許されている · the period is not over and the crime still allowed."""
    plan = decided(case)
    if plan.end <= act.now:
        raise Refused("PERIOD_INVALID", max_days=str(rules.max_period_days))
    check_crime(plan, now=act.now, rules=rules)


def extension_valid(case: Case, act: Act, rules: Rules) -> None:
    """期間の延長又は書類数の増加のみ · it asks for longer or more and for nothing else, in a whole plan."""
    assert act.plan is not None  # noqa: S101 (the contract requires it)
    check_plan(act.plan, drafter=case.drafter, now=act.now, rules=rules, extends=True)
    check_extension(act.plan, of=case.plan, supervisor=case.supervisor)


def acknowledged(case: Case, act: Act, rules: Rules) -> None:
    """警察庁が受理した · the NPA has acknowledged the plan."""
    del act, rules
    if not case.acknowledged:
        raise Refused("NOT_ACKNOWLEDGED")


def approval_valid(case: Case, act: Act, rules: Rules) -> None:
    """承認の有効期間内である · there is an approval, and it has not lapsed."""
    if case.approve_time is None or act.now >= case.approve_time + rules.approval_valid:
        raise Refused("APPROVAL_LAPSED")


def extension_approval_valid(case: Case, act: Act, rules: Rules) -> None:
    """延長の承認の有効期間内である · the approval of the extension has not lapsed."""
    extension = case.extension
    assert extension is not None and extension.approve_time is not None  # noqa: S101, PT018 (the table looked)
    if act.now >= extension.approve_time + rules.approval_valid:
        raise Refused("APPROVAL_LAPSED")


def in_period(case: Case, act: Act, rules: Rules) -> None:
    """計画の期間内である · it is within the period."""
    del rules
    if not case.plan.start <= act.now < case.plan.end:
        raise Refused("OUT_OF_PERIOD")


def crime_allowed(case: Case, act: Act, rules: Rules) -> None:
    """罪種が許されている · the crime is listed, or its legal basis is valid now."""
    check_crime(case.plan, now=act.now, rules=rules)


def post_filled(case: Case, act: Act, rules: Rules) -> None:
    """監督者が在任している · somebody is in the supervisor's post."""
    del rules
    if is_vacant(case, act.now):
        raise Refused("SUPERVISOR_VACANT")


def safe(case: Case, act: Act, rules: Rules) -> None:
    """危険・発覚の疑いがない · neither danger nor suspicion is open."""
    del act, rules
    if case.in_danger:
        raise Refused("OFFICER_IN_DANGER")


def deconflicted(case: Case, act: Act, rules: Rules) -> None:
    """競合確認を行った · other agencies were asked."""
    del act, rules
    if not case.deconflicted:
        raise Refused("NOT_DECONFLICTED")


def no_incident(case: Case, act: Act, rules: Rules) -> None:
    """未確認の事案がない · no incident waits for review."""
    del act, rules
    if case.incident_open:
        raise Refused("INCIDENT_OPEN")


def reviewed_in_time(case: Case, act: Act, rules: Rules) -> None:
    """接触記録の確認が期限内である · no entry waits too long for review."""
    if case.waiting is not None and act.now >= case.waiting + rules.review_within:
        raise Refused("REVIEW_OVERDUE")


def contacts_reviewed(case: Case, act: Act, rules: Rules) -> None:
    """監督者が接触記録を全て確認した · the supervisor has reviewed every entry."""
    del act, rules
    if case.waiting is not None:
        raise Refused("CONTACTS_UNREVIEWED")


def documents_left(case: Case, act: Act, rules: Rules) -> None:
    """計画の書類数に達していない · fewer documents exist than planned."""
    del act, rules
    if sum(one.paper != Paper.CANCELLED for one in case.documents) >= case.plan.document_count:
        raise Refused("DOCUMENTS_EXHAUSTED", planned=str(case.plan.document_count))


def account_allowed(case: Case, act: Act, rules: Rules) -> None:
    """仮装口座には法的根拠がある · a fictitious account has a registered legal basis."""
    if act.is_account and not is_allowed(case.plan, Allows.FICTITIOUS_ACCOUNT, now=act.now, rules=rules):
        raise Refused("ACCOUNT_WITHOUT_LEGAL_BASIS")


def no_collision(case: Case, act: Act, rules: Rules) -> None:
    """架空の氏名等が実在の記録と一致しない · no invented value hits a real record."""
    del case, rules
    if act.collides:
        raise Refused("DOCUMENT_COLLIDES", field=act.collides)


def not_collided(case: Case, act: Act, rules: Rules) -> None:
    """発行後に判明した一致が解消されている · no record that came since says what it invents, or it is settled."""
    del rules
    if document_of(case, act).collided:
        raise Refused("DOCUMENT_COLLIDES", field=act.collides)


def two_people(case: Case, act: Act, rules: Rules) -> None:
    """請求者と保管者は別人である · the custodian is not who asked for the document."""
    del rules
    if act.who == document_of(case, act).issuer:
        raise Refused("SECOND_PERSON_MISSING")


def holder_in_team(case: Case, act: Act, rules: Rules) -> None:
    """所持者は捜査員である · the holder is of the team."""
    del rules
    if act.officer not in case.plan.team:
        raise Refused("HOLDER_INVALID", fields=["holder"])


def was_asked(case: Case, act: Act, rules: Rules) -> None:
    """相手方の求めが事前に記録されている · the offender's request was logged before, and is not answered yet."""
    del rules
    request = case.request(act.number)
    if request is None or request.answered:
        raise Refused("NO_REQUEST_LOGGED")


def is_asker(case: Case, act: Act, rules: Rules) -> None:
    """提示先は求めた相手である · the recipient is the account that asked."""
    del rules
    request = case.request(act.number)
    assert request is not None  # noqa: S101 (the guard before looked)
    if request.account != act.account:
        raise Refused("RECIPIENT_MISMATCH", fields=["recipient"])


def is_image(case: Case, act: Act, rules: Rules) -> None:
    """画像に限る · it is an image."""
    del case, rules
    if not act.is_image:
        raise Refused("IMAGE_ONLY", fields=["form"])


def timely(case: Case, act: Act, rules: Rules) -> None:
    """遡った記録でない · it is neither before the entry before, nor too long ago, nor to come."""
    time = act.time
    earliest = act.now - rules.log_within
    if time is None or not earliest <= time <= act.now or (case.last_contact is not None and time < case.last_contact):
        raise Refused("BACKDATED", fields=["contact.occur_time"])


def observed_only(case: Case, act: Act, rules: Rules) -> None:
    """捜査員は提案・提供・加担をしていない · officers proposed, supplied and did nothing."""
    del case, rules
    if not act.observed_only:
        raise Refused("TAKING_PART", fields=["contact"])


def entry_waits(case: Case, act: Act, rules: Rules) -> None:
    """確認待ちの記録がある · such an entry exists, and something waits for review."""
    del rules
    if case.waiting is None or not 0 < act.number <= case.contacts:
        raise Refused("NO_SUCH_CONTACT", fields=["through_number"])


def reviewed_by_another(case: Case, act: Act, rules: Rules) -> None:
    """事案は報告者以外が確認する · nobody reviews an incident that he reported himself."""
    del case, rules
    if act.who in act.reporters:
        raise Refused("OWN_INCIDENT")


def supervisors_to_review(case: Case, act: Act, rules: Rules) -> None:
    """本部長の確認は監督者自身の事案に限る · the chief reviews only a supervisor's own incidents."""
    del rules
    if act.who != case.supervisor and case.supervisor not in act.reporters:
        raise Refused("NOT_YOUR_PART", parts="SUPERVISOR")


def entry_exists(case: Case, act: Act, rules: Rules) -> None:
    """その接触記録がある · such an entry exists."""
    del rules
    if not 0 < act.number <= case.contacts:
        raise Refused("NO_SUCH_CONTACT", fields=["contact"])


def review_ahead(case: Case, act: Act, rules: Rules) -> None:
    """見直し日が一年以内の将来である · the review of the hold comes, within a year."""
    del case
    if act.time is None or not act.now < act.time <= act.now + rules.longest_hold:
        raise Refused("REVIEW_TIME_INVALID", fields=["review_time"])


def two_witnesses(case: Case, act: Act, rules: Rules) -> None:
    """立会人は無関係の二人である · two officers of the agency who have no part in the investigation."""
    fit = {one for one in act.officers if is_officer(one, agency=rules.agency)} - _no_witnesses(case, act)
    if len(act.officers) != WITNESSES or len(fit) != WITNESSES:
        raise Refused("WITNESSES_INVALID", fields=["witnesses"])


def not_yet_witnessed(case: Case, act: Act, rules: Rules) -> None:
    """まだ確認していない立会人である · the witness has not said so before."""
    del rules
    if act.who in document_of(case, act).witnessed:
        raise Refused("NOT_A_WITNESS")


def witness_unrelated(case: Case, act: Act, rules: Rules) -> None:
    """立会人は今も無関係である · the witness still has no part in the investigation."""
    del rules
    if act.who in _no_witnesses(case, act):
        raise Refused("NOT_A_WITNESS")


def _no_witnesses(case: Case, act: Act) -> frozenset[str]:
    document = document_of(case, act)
    return involved_in(case) | case.approvers | {document.custodian, document.holder, document.issuer}


def documents_settled(case: Case, act: Act, rules: Rules) -> None:
    """書類が残っていない · every document is destroyed, or held for trial with a review to come."""
    del rules
    left = [one for one in case.documents if one.paper not in {Paper.DESTROYED, Paper.CANCELLED}]
    if any(one.paper != Paper.HELD or one.hold_review is None or one.hold_review <= act.now for one in left):
        raise Refused("DOCUMENT_LEFT")


def outcome_fits(case: Case, act: Act, rules: Rules) -> None:
    """結果が記録と矛盾しない · the outcome does not contradict what is recorded."""
    del rules
    shown = any(one.presented for one in case.documents)
    fits = {
        Outcome.SUSPENDED_COMPROMISED: case.state == State.COMPROMISED,
        Outcome.NOT_USED: not shown and case.state != State.COMPROMISED,
        Outcome.LOST_CONTACT_AFTER_ID: shown and case.state != State.COMPROMISED,
    }
    if not fits.get(Outcome(act.outcome), case.ever_active and case.state != State.COMPROMISED):
        raise Refused("OUTCOME_CONTRADICTED", fields=["outcome"])


def suitable_supervisor(case: Case, act: Act, rules: Rules) -> None:
    """新監督者は警部以上で他の担当を兼ねず承認者でもない · the new one has a rank, no other part, nor approved it."""
    others = {case.drafter, case.plan.custodian, *case.plan.team, act.who, *case.approvers}
    if not act.rank or act.officer in others or not is_officer(act.officer, agency=rules.agency):
        raise Refused("SUPERVISOR_UNSUITABLE", fields=["supervisor"])


WITNESSES = 2


def decided(case: Case) -> Plan:
    """Give the plan that a decision is about: the extension's, where there is one."""
    return case.extension.plan if case.extension is not None else case.plan


def document_of(case: Case, act: Act) -> Document:
    """Give the document that an act is about. The table looked for it before."""
    document = case.document(act.document)
    assert document is not None  # noqa: S101 (see above)
    return document
