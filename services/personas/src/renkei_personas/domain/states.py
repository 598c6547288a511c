"""The words of the rules: states, parts, outcomes. Numbers are those of the contract."""

from __future__ import annotations

import enum


class State(enum.IntEnum):
    """Where an investigation stands."""

    DRAFT = 1
    SUBMITTED = 2
    RETURNED = 3
    REJECTED = 4
    APPROVED = 5
    NPA_REPORTED = 6
    READY = 7
    ACTIVE = 8
    SUSPENDED = 9
    EXPIRED = 10
    COMPROMISED = 11
    CLOSED = 12
    ARCHIVED = 13


class Stage(enum.IntEnum):
    """How far an extension came. No extension is None."""

    SUBMITTED = 1
    RETURNED = 2
    APPROVED = 3
    NPA_REPORTED = 4


class Paper(enum.IntEnum):
    """Where a document stands."""

    REQUESTED = 1
    IN_CUSTODY = 2
    HANDED_OUT = 3
    HELD = 4
    DESTROY_ORDERED = 5
    DESTROYED = 6
    CANCELLED = 7


class Outcome(enum.IntEnum):
    """How an investigation ended."""

    LOST_CONTACT_AFTER_ID = 1
    INSTRUCTED_NO_CONTACT_HARM_PREVENTED = 2
    ARREST = 3
    UPSTREAM_ARREST = 4
    SUSPENDED_COMPROMISED = 5
    NOT_USED = 6


class Halt(enum.IntEnum):
    """Why an operation is halted."""

    BY_HAND = 1
    PERIOD_ENDED = 2
    VACANCY = 3
    INCIDENT = 4
    REVIEW_OVERDUE = 5
    DANGER = 6
    LEGAL_BASIS = 7


class ClockKind(enum.IntEnum):
    """What happens by itself."""

    PERIOD = 1
    APPROVAL = 2
    WIND_DOWN = 3
    VACANCY = 4
    CONTACT_REVIEW = 5
    HOLD_REVIEW = 6
    LEGAL_BASIS = 7
    EXTENSION_APPROVAL = 8


class TaskKind(enum.IntEnum):
    """What somebody must do."""

    SAFETY = 1
    APPOINT_SUPERVISOR = 2
    REVIEW_CONTACTS = 3
    REVIEW_HOLD = 4
    CLOSE = 5
    RENEW_EXTENSION = 6
    CHECK_DOCUMENT = 7


class Crime(enum.IntEnum):
    """The closed list of crimes, and what only a legal basis adds to it."""

    ROBBERY = 1
    FRAUD = 2
    THEFT = 3
    COMPUTER_FRAUD = 4
    HARMFUL_JOB_PLACEMENT = 5
    BY_LEGAL_BASIS = 6


class Allows(enum.IntEnum):
    """What a legal basis can allow."""

    WIDER_CRIME_LIST = 1
    FICTITIOUS_ACCOUNT = 2


class Conduct(enum.IntEnum):
    """What the officers themselves did."""

    OBSERVED = 1
    PROPOSED = 2
    SUPPLIED_MEANS = 3
    TOOK_PART = 4


class Part(enum.Enum):
    """What somebody is in one investigation. A person may have several."""

    DRAFTER = "起案者"
    TEAM = "捜査員"
    SUPERVISOR = "監督者"
    CUSTODIAN = "保管者"
    CHIEF = "本部長"
    NPA = "警察庁"
    WITNESS = "立会人"
    CLOCK = "時計"
    ANYBODY = "誰でも"
