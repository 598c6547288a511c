"""The configuration says what was meant, and nothing that a hostile name would have it say."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from renkei_chassis.courier import LANES, generate_user_key, lane_shape, log_shape
from renkei_exchange.federation import MAX_AGENCIES
from renkei_node.layout import SERVICES
from renkei_node.nats_server import ConfigurationError, PeerAccount, ServerConfiguration, find_binary, render
from renkei_node.settings import NodeSettings

KEYS = [generate_user_key(bytes([number]) * 32).public for number in range(4)]


def configuration(**changes: object) -> ServerConfiguration:
    whole = ServerConfiguration(
        agency="jp-13",
        port=20_000,
        monitor_port=20_001,
        store_directory=Path("/var/lib/renkei/nats/store"),
        local_public_key=KEYS[0],
        peers=(PeerAccount(agency="jp-12", public_key=KEYS[1]), PeerAccount(agency="jp-npa", public_key=KEYS[2])),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_the_store_has_room_for_every_stream_of_the_largest_federation() -> None:
    """The server sets aside what a stream may take, and makes none for which there is no room."""
    streams = [lane_shape(f"jp-{number}", lane) for number in range(1, MAX_AGENCIES) for lane in LANES]
    streams += [log_shape(service) for service in SERVICES]

    room = NodeSettings(agency="agencies/jp-12").nats_store_megabytes * 1024 * 1024

    assert sum(stream.max_bytes for stream in streams) <= room


@pytest.mark.parametrize(
    "changes",
    [{}, {"peers": ()}, {"monitor_port": None}, {"host": "::1"}, {"store_directory": Path("/var/lib/連携 1")}],
    ids=["two peers", "no peer", "no monitor", "IPv6", "a path with blanks"],
)
def test_the_server_itself_finds_the_configuration_valid(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "nats.conf"
    path.write_text(render(configuration(**changes)), encoding="utf-8")

    done = subprocess.run([find_binary(), "-t", "-c", path], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_a_peer_imports_four_subjects_and_no_more() -> None:
    text = render(configuration())

    account = text[text.index("P_jp_12: {") : text.index("P_jp_npa: {")]
    assert account.count("service:") == 4
    assert "jp_npa" not in account
    assert "jetstream" not in account


def test_the_same_description_gives_the_same_text() -> None:
    assert render(configuration()) == render(configuration())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"host": "0.0.0.0"}, "loopback"),  # noqa: S104 (what is refused)
        ({"host": "192.168.1.1"}, "loopback"),
        ({"host": "::"}, "loopback"),
        ({"host": "localhost"}, "loopback"),
        ({"host": "::1%eth0"}, "loopback"),
        ({"host": '127.0.0.1"\nport: 1'}, "loopback"),
        ({"port": 0}, "port"),
        ({"port": 65_536}, "port"),
        ({"monitor_port": 20_000}, "monitor_port"),
        ({"max_store_megabytes": 0}, "max_store_megabytes"),
        ({"agency": 'jp-13"\naccounts {}'}, "agency"),
        ({"agency": "jp_13"}, "agency"),
        ({"agency": "jp-13\n"}, "agency"),
        ({"agency": "JP-13"}, "agency"),
        ({"agency": "jp--13"}, "agency"),
        ({"agency": "jp-１３"}, "agency"),
        ({"agency": ""}, "agency"),
        ({"agency": "a" * 33}, "agency"),
        ({"store_directory": Path("relative")}, "store_directory"),
        ({"store_directory": Path('/tmp/"; port: 1')}, "store_directory"),  # noqa: S108
        ({"store_directory": Path("/tmp/a\nb")}, "store_directory"),  # noqa: S108
        ({"store_directory": Path("/tmp/a\\x22b")}, "store_directory"),  # noqa: S108
        ({"local_public_key": "U } ] }"}, "local_public_key"),
        ({"local_public_key": generate_user_key().seed}, "local_public_key"),
        ({"peers": (PeerAccount(agency="*", public_key=KEYS[1]),)}, "peer's agency"),
        ({"peers": (PeerAccount(agency="jp-12.>", public_key=KEYS[1]),)}, "peer's agency"),
        ({"peers": (PeerAccount(agency="jp-12", public_key=""),)}, "peer's public_key"),
        ({"peers": (PeerAccount(agency="jp-13", public_key=KEYS[1]),)}, "twice"),
        ({"peers": (PeerAccount(agency="jp-12", public_key=KEYS[0]),)}, "same key"),
    ],
)
def test_what_could_say_something_else_is_refused_and_not_repeated(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as caught:
        configuration(**changes)

    for value in changes.values():
        assert not isinstance(value, str) or not value or value not in str(caught.value)
