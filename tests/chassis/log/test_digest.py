"""The digest of an event, against vectors that never change: other agencies keep digests for years."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest

from renkei_chassis.log.digest import event_digest

SALT = bytes(range(16))
ID = UUID("0191a2b3-c4d5-7e6f-8a9b-0c1d2e3f4a5b")
TIME_US = 1_722_470_400_123_456
TYPE = "renkei.tips.v1.TipRecorded"
PAYLOAD = bytes.fromhex("0a03e99792")


@pytest.mark.parametrize(
    ("type_name", "payload", "expected"),
    [
        (TYPE, PAYLOAD, "03aba67ff083aa34a0336332bf261de240feb6dd54f6b562fd635bffe6f449f1"),
        (TYPE, b"", "ab1f875654a2d300deb021f0c14d840c20a12c2dfad475ae7b8f127aec7d52de"),
        ("renkei.tips.v1.TipRevised", PAYLOAD, "6f1e629ab624bc4d970ea6a782cb15ebe29d2182a4ba7be6280e0a7d8d53f8dc"),
    ],
)
def test_the_digest_is_that_of_the_published_vectors(type_name: str, payload: bytes, expected: str) -> None:
    digest = event_digest(salt=SALT, event_id=ID, time_us=TIME_US, type_name=type_name, payload=payload)

    assert digest.hex() == expected


def test_the_digest_is_made_as_the_contract_says() -> None:
    """Tag, salt, id, nanoseconds in 8 bytes, length of the type in 2, type, payload."""
    parts = [
        b"renkei-event-v1\0",
        SALT,
        ID.bytes,
        (TIME_US * 1000).to_bytes(8, "big"),
        b"\0\x1a",
        TYPE.encode(),
        PAYLOAD,
    ]

    digest = event_digest(salt=SALT, event_id=ID, time_us=TIME_US, type_name=TYPE, payload=PAYLOAD)

    assert digest == hashlib.sha256(b"".join(parts)).digest()


def test_no_byte_can_move_from_the_type_to_the_payload() -> None:
    whole = event_digest(salt=SALT, event_id=ID, time_us=TIME_US, type_name="ab", payload=b"c")

    assert whole != event_digest(salt=SALT, event_id=ID, time_us=TIME_US, type_name="a", payload=b"bc")
