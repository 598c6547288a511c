"""A node's directory for the commands of files, beside a real service; and files that such a command reads."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from click.testing import CliRunner

from renkei_chassis.clock import WallClock
from renkei_chassis.identity import mint
from renkei_chassis.ids import uuid7
from renkei_node.cli import main
from renkei_node.initialise import initialise, to_toml_tables
from renkei_node.layout import NodeDirectory
from renkei_node.settings import NodeSettings, Ports
from tests.agency import AGENCY, MEMBERS, Agency, run_agency

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from click.testing import Result

    from renkei_chassis.ports import PortClaims
    from renkei_chassis.service import Blueprint

TIP_HEADER: Final = [
    *("管理番号", "受理日時", "情報源", "情報源評価", "情報評価", "件名", "内容", "識別情報の出所"),
    *(
        "電話番号",
        "電話番号の関係",
        "口座",
        "アカウント",
        "車両番号",
        "事件番号",
        "目的",
        "提供先",
        "提供区分",
        "注意事項",
    ),
]
ARREST_HEADER: Final = [
    *(
        "管理番号",
        "逮捕日時",
        "逮捕種別",
        "罪名",
        "氏名",
        "氏名カナ",
        "生年月日",
        "役割",
        "内容",
        "押収品",
        "押収品番号",
    ),
    *("電話番号", "電話番号の関係", "口座", "アカウント", "車両番号", "電話帳の番号", "事件番号", "目的", "提供先"),
    *("提供区分", "注意事項"),
]


def tip_row(number: int, **changes: str) -> list[str]:
    """Make a row that is a tip; changes are by header."""
    row = dict.fromkeys(TIP_HEADER, "")
    row |= {
        "管理番号": f"演-{number}",
        "受理日時": "令和6年10月3日 14時05分",
        "情報源": "SNS広告",
        "情報源評価": "B",
        "情報評価": "2",
        "件名": "(演習データ) 髙額バイト①",
        "内容": "(演習データ) ㈱演習を名乗る者から誘われた。",
        "識別情報の出所": "広告",
        "電話番号": f"090-{1234 + number // 10_000:04}-{number % 10_000:04}",
        "電話番号の関係": "使用",
        "事件番号": "演習R6-1",
        "目的": "組織的強盗の捜査",
        "提供区分": "提供なし",
    }
    return list((row | changes).values())


def arrest_row(number: int, **changes: str) -> list[str]:
    row = dict.fromkeys(ARREST_HEADER, "")
    row |= {
        "管理番号": f"演-{number}",
        "逮捕日時": "R6.10.3 14:05",
        "逮捕種別": "通常逮捕",
        "罪名": "窃盗",
        "氏名": "(演習データ) 髙﨑 一郎",
        "生年月日": "S50.1.2",
        "役割": "受け子",
        "押収品": "携帯電話1台",
        "電話番号": "9012345678",
        "電話番号の関係": "使用",
        "電話帳の番号": "080-1111-2222;080-3333-4444",
        "目的": "組織的強盗の捜査",
        "提供区分": "提供なし",
    }
    return list((row | changes).values())


def csv_of(rows: Iterable[Sequence[str]], encoding: str = "cp932") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A directory that names one running service, and an officer."""

    directory: Path
    agency: Agency
    token: str

    async def write(self, name: str, content: bytes) -> Path:
        """Write a file beside the directory."""
        path = self.directory.parent / name
        await asyncio.to_thread(path.parent.mkdir, exist_ok=True)
        await asyncio.to_thread(path.write_bytes, content)
        return path

    async def read(self, name: str) -> bytes:
        return await asyncio.to_thread((self.directory.parent / name).read_bytes)

    async def report(self, name: str) -> list[dict[str, str]]:
        """Read a report in CSV."""
        return list(csv.DictReader(io.StringIO((await self.read(name)).decode("utf-8-sig"), newline="")))

    async def run(self, *arguments: str | Path, token: str | None = None) -> Result:
        """Run a command of `renkei` in a thread, with the officer's token."""
        environment = {"RENKEI_DIR": str(self.directory), "RENKEI_TOKEN": self.token if token is None else token}
        runner = CliRunner()
        words = [str(argument) for argument in arguments]
        return await asyncio.to_thread(runner.invoke, main, words, env=environment)

    async def told(self, *arguments: str | Path, status: int = 0) -> dict[str, Any]:
        """Run a command with --json and read its answer."""
        result = await self.run(*arguments, "--json")
        assert result.exit_code == status, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found


@asynccontextmanager
async def run_node(blueprint: Blueprint, folder: Path, ports: PortClaims) -> AsyncIterator[Node]:
    """Run one service of Chiba, and write a directory in which the commands find it."""
    async with run_agency(blueprint, folder / "data", ports) as agency:
        yield await asyncio.to_thread(_prepare, agency, blueprint.name, folder / "jp-12")


def _prepare(agency: Agency, service: str, path: Path) -> Node:
    write_directory(path, {service: int(agency.address.rpartition(":")[2])})
    return Node(directory=path, agency=agency, token=token_of(agency))


def write_directory(path: Path, ports: dict[str, int]) -> None:
    """Write a node's directory in which commands find a service on its port, and the four agencies."""
    names = ("tips", "arrests", "personas", "leads", "exchange", "nats", "metrics")
    numbers = {name: 20_001 + number for number, name in enumerate(names)} | ports
    directory = NodeDirectory(path)
    initialise(directory, NodeSettings(agency=AGENCY, training=True), Ports(**numbers))
    entries = []
    for number, name in enumerate(MEMBERS):
        other = path.parent / f"other-{number}"
        made = initialise(NodeDirectory(other), NodeSettings(agency=name), Ports(**numbers))
        entries.append(
            {
                "name": name,
                "display_name": f"{name}警察",
                "display_name_en": name,
                "contact_desk": "(演習データ) 内線 1",
                "exchange_address": f"127.0.0.1:{2 * number + 20_101}",
                "nats_url": f"nats://127.0.0.1:{2 * number + 20_102}",
                "exchange_public_key": made.exchange_public_key,
                "nats_public_nkey": made.nats_public_nkey,
            }
        )
    directory.federation.write_text(to_toml_tables("agencies", entries))


def token_of(agency: Agency, *roles: str, seconds: int = 600) -> str:
    return mint(
        agency.key,
        issuer=AGENCY,
        subject=f"{AGENCY}/officers/sato",
        audience=AGENCY,
        roles=roles or ("OFFICER",),
        now_us=WallClock().now_us(),
        life_seconds=seconds,
        token_id=uuid7(),
    )
