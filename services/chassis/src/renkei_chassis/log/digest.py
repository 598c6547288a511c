"""The digest of an event: what stays as proof when the payload is erased."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from uuid import UUID

TAG: Final = b"renkei-event-v1\0"
SALT_BYTES: Final = 16


def event_digest(*, salt: bytes, event_id: UUID, time_us: int, type_name: str, payload: bytes) -> bytes:
    """Compute SHA-256(tag ‖ salt ‖ id ‖ time ‖ length of type ‖ type ‖ payload), 32 bytes.

    `id` is 16 bytes, `time` nanoseconds since 1970 as 8 bytes big-endian, the length 2 bytes. The
    type is bound too, since the bytes of an Any's value do not tell it and a swapped type would
    else verify. The salt keeps short payloads from being guessed after their erasure.
    """
    name = type_name.encode()
    head = b"".join(
        (TAG, salt, event_id.bytes, (time_us * 1000).to_bytes(8, "big"), len(name).to_bytes(2, "big"), name)
    )
    return hashlib.sha256(head + payload).digest()
