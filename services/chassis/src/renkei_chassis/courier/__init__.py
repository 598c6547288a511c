"""Carry numbered messages over NATS: a courier and a bell, never the truth.

`Connection` keeps one link to a server alive, `Relay` keeps a stream equal to what a source has
stored, `Receiver` hands what arrives to a follower. Nothing here knows what the bytes mean.
"""

from renkei_chassis.courier.backoff import Backoff
from renkei_chassis.courier.connection import Connection, Endpoint, Link, LinkLostError
from renkei_chassis.courier.jetstream import DurableShape, StreamShape
from renkei_chassis.courier.nkeys import (
    InvalidKeyError,
    UserKey,
    generate_user_key,
    is_user_public_key,
    load_user_key,
    save_user_key,
    user_key_from_seed,
)
from renkei_chassis.courier.numbered import Alarm, Distrust, NumberedMessages, RelayCounters
from renkei_chassis.courier.receiver import Message, Receiver, ReceiverCounters
from renkei_chassis.courier.relay import Relay
from renkei_chassis.courier.shapes import (
    FEED,
    LANES,
    LOG_MAX_AGE,
    Lane,
    agency_token,
    lane_shape,
    log_shape,
    peer_inbox_prefix,
)

__all__ = [
    "FEED",
    "LANES",
    "LOG_MAX_AGE",
    "Alarm",
    "Backoff",
    "Connection",
    "Distrust",
    "DurableShape",
    "Endpoint",
    "InvalidKeyError",
    "Lane",
    "Link",
    "LinkLostError",
    "Message",
    "NumberedMessages",
    "Receiver",
    "ReceiverCounters",
    "Relay",
    "RelayCounters",
    "StreamShape",
    "UserKey",
    "agency_token",
    "generate_user_key",
    "is_user_public_key",
    "lane_shape",
    "load_user_key",
    "log_shape",
    "peer_inbox_prefix",
    "save_user_key",
    "user_key_from_seed",
]
