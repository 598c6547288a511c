"""Own the agency's nats-server: its configuration and its one process."""

from renkei_node.nats_server.binary import BinaryMissingError, find_binary
from renkei_node.nats_server.configuration import ConfigurationError, PeerAccount, ServerConfiguration, render
from renkei_node.nats_server.ownership import DirectoryInUseError
from renkei_node.nats_server.process import NatsServer, NatsServerError, PortTakenError, ServerStatus

__all__ = [
    "BinaryMissingError",
    "ConfigurationError",
    "DirectoryInUseError",
    "NatsServer",
    "NatsServerError",
    "PeerAccount",
    "PortTakenError",
    "ServerConfiguration",
    "ServerStatus",
    "find_binary",
    "render",
]
