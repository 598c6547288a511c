"""Clients that work while things break: they record, correct, delete, repeat and read, and note what they were told."""

# ruff: noqa: ANN401 (any request and answer of the service)

from __future__ import annotations

import asyncio
import random
import uuid
from typing import TYPE_CHECKING, Any, Final

from renkei.identifiers.v1 import identifiers_pb2
from renkei.tips.v1 import tips_pb2
from renkei.tips.v1.tips_pb2_grpc import TipsServiceStub

from renkei_chassis.errors import (
    DeadlineExceeded,
    InvalidArgument,
    NotAllowed,
    RenkeiError,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)
from tests.system.faults.history import History, Operation, Outcome, Record, Version, new_marker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.system.federation import Federation

# What says nothing about whether the call was carried out, and is to be tried again.
_TRY_AGAIN: Final = (Unavailable, DeadlineExceeded, ResourceExhausted, Unauthenticated)
_CALL_SECONDS: Final = 3.0
_GONE_SECONDS: Final = 0.004  # about when a busy node is in the middle of it
_PAUSE_SECONDS: Final = 0.05
_LONGEST_TEXT: Final = 2_000


class Load:
    """One client an agency, each with its own records: so each knows what its own have to be."""

    def __init__(self, federation: Federation, history: History, *, seed: int, pause_seconds: float = 0.03) -> None:
        """Nothing is called before `start`."""
        self._federation = federation
        self._history = history
        self._seed = seed
        self._pause_seconds = pause_seconds
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Begin to work at every agency."""
        for code in self._federation.codes:
            client = _Client(self._federation, self._history, code, random.Random(f"{self._seed} {code}"))
            self._tasks.append(asyncio.create_task(self._work(client), name=f"load at {code}"))

    async def stop(self, *, seconds: float = 40.0) -> None:
        """Let every call come to its end; raises what a client died of."""
        self._stopping.set()
        async with asyncio.timeout(seconds):
            await asyncio.gather(*self._tasks)
        self._tasks.clear()

    async def give_up(self) -> None:
        """End at once, whatever is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _work(self, client: _Client) -> None:
        while not self._stopping.is_set():
            await client.step()
            await asyncio.sleep(self._pause_seconds)


class _Client:
    def __init__(self, federation: Federation, history: History, code: str, chance: random.Random) -> None:
        self._federation = federation
        self._history = history
        self._code = code
        self._chance = chance
        self._own: list[Record] = []
        self._sent: list[tuple[tips_pb2.CreateTipRequest, Operation]] = []
        self._etags: dict[str, str] = {}

    async def step(self) -> None:
        """Do one thing."""
        steps: Sequence[Callable[[], Awaitable[None]]] = (
            self._create,
            self._create_twin,
            self._correct,
            self._delete,
            self._repeat,
            self._read,
            self._give_up_early,
            self._be_refused,
        )
        (step,) = self._chance.choices(steps, weights=(50, 8, 14, 3, 8, 8, 5, 4))
        await step()

    async def _create(self, *, patience: float = 60.0, text: str = "") -> None:
        marker = new_marker()
        request = self._request(marker, text or f"演習データ {marker}")
        await self._send_create(request, marker, patience=patience)

    async def _create_twin(self) -> None:
        """Record the same words twice: two reports of one thing are two records."""
        marker = new_marker()
        request = self._request(marker, f"演習データ {marker}")
        names = [await self._send_create(request, marker, patience=60.0)]
        request.request_id = str(uuid.uuid4())
        names.append(await self._send_create(request, marker, patience=60.0, kind="twin"))
        if names[0] and names[0] == names[1]:
            self._history.complaints.append(f"LOST two requests of {self._code} got one record: {names[0]}")

    async def _give_up_early(self) -> None:
        """A client that goes away in the middle: what it asked for happens once or not at all."""
        await self._create(patience=0.0)

    async def _be_refused(self) -> None:
        marker = new_marker()
        request = self._request(marker, "")
        request.tip.display_name = marker
        operation = self._begin("refused", marker, request.request_id)
        self._history.refused_markers.add(marker)
        try:
            await self._insist(operation, lambda stub: stub.CreateTip, request, 60.0)
        except InvalidArgument:
            self._end(operation, Outcome.FAIL)
        else:
            if operation.outcome is Outcome.OK:
                self._history.complaints.append(f"STRANGE {self._code} took a tip without words")

    async def _correct(self) -> None:
        record = self._some_record()
        if record is None:
            return
        version = Version(marker=new_marker(), audience=self._audience())
        request = tips_pb2.UpdateTipRequest(request_id=str(uuid.uuid4()), reason="演習")
        request.tip.name, request.tip.etag = record.name, self._etags[record.name]
        request.tip.text = f"演習データ {version.marker}"
        self._label(request.tip, version.audience)
        request.update_mask.paths.extend(["text", "handling"])
        operation = self._begin("correct", version.marker, request.request_id)
        record.settled = False
        record.versions.append(version)
        answer = await self._insist(operation, lambda stub: stub.UpdateTip, request, 60.0)
        if answer is not None:
            record.settled = True
            self._note(operation, answer)

    async def _delete(self) -> None:
        record = self._some_record()
        if record is None:
            return
        request = tips_pb2.DeleteTipRequest(request_id=str(uuid.uuid4()), name=record.name, reason="演習")
        operation = self._begin("delete", "", request.request_id)
        record.settled = False
        record.deleted = True
        answer = await self._insist(operation, lambda stub: stub.DeleteTip, request, 60.0)
        record.settled = answer is not None

    async def _repeat(self) -> None:
        """Ask once more what was answered: the answer is the same record."""
        if not self._sent:
            return
        request, before = self._chance.choice(self._sent[-50:])
        operation = self._begin("repeat", before.marker, request.request_id)
        answer = await self._insist(operation, lambda stub: stub.CreateTip, request, 60.0)
        if answer is not None and (answer.name, answer.version) != (before.name, before.version):
            self._history.complaints.append(
                f"DOUBLED a repeat of {before.request_id} got {answer.name}, not {before.name}"
            )

    async def _read(self) -> None:
        """Read what was confirmed: it is there, at once, in the version that was confirmed."""
        record = self._some_record()
        if record is None:
            return
        request = tips_pb2.GetTipRequest(name=record.name)
        operation = self._begin("read", "", "")
        answer = await self._insist(operation, lambda stub: stub.GetTip, request, 60.0)
        if answer is not None and record.last.marker not in answer.text:
            self._history.complaints.append(f"LOST {record.name} was read in another version than was confirmed")

    async def _send_create(
        self, request: tips_pb2.CreateTipRequest, marker: str, *, patience: float, kind: str = "create"
    ) -> str:
        kept = tips_pb2.CreateTipRequest()
        kept.CopyFrom(request)
        audience = frozenset(name.removeprefix("agencies/") for name in request.tip.handling.releasable_to)
        record = Record(origin=self._code, versions=[Version(marker=marker, audience=audience)])
        self._history.records.append(record)
        operation = self._begin(kind, marker, request.request_id)
        answer = await self._insist(operation, lambda stub: stub.CreateTip, kept, patience)
        if answer is None:
            return ""
        record.name = answer.name
        self._own.append(record)
        self._note(operation, answer)
        self._sent.append((kept, operation))
        return str(answer.name)

    async def _insist(
        self, operation: Operation, method: Callable[[Any], Any], request: Any, patience: float
    ) -> Any | None:
        """Call until there is an answer, or patience ends: then the outcome is unknown."""
        loop = asyncio.get_running_loop()
        while True:
            operation.tries += 1
            client = await self._federation[self._code].client("tips")
            try:
                stub = client.stub(TipsServiceStub)
                answer = await client.call(method(stub), request, seconds=_CALL_SECONDS if patience else _GONE_SECONDS)
            except _TRY_AGAIN:
                if loop.time() - operation.began >= patience:
                    self._end(operation, Outcome.UNKNOWN)
                    return None
                await asyncio.sleep(_PAUSE_SECONDS)
            except RenkeiError as error:
                if isinstance(error, InvalidArgument):
                    raise
                self._end(operation, Outcome.UNKNOWN)
                # Denied and missing look the same, and nobody is denied here.
                word = "LOST" if isinstance(error, NotAllowed) else "STRANGE"
                self._history.complaints.append(f"{word} a {operation.kind} at {self._code} got {error.reason}")
                return None
            else:
                self._end(operation, Outcome.OK)
                return answer

    def _begin(self, kind: str, marker: str, request_id: str) -> Operation:
        now = asyncio.get_running_loop().time()
        operation = Operation(kind=kind, agency=self._code, request_id=request_id, began=now, marker=marker)
        self._history.operations.append(operation)
        return operation

    def _end(self, operation: Operation, outcome: Outcome) -> None:
        operation.ended = asyncio.get_running_loop().time()
        operation.outcome = outcome

    def _note(self, operation: Operation, answer: Any) -> None:
        operation.name, operation.version = answer.name, answer.version
        self._etags[answer.name] = answer.etag

    def _some_record(self) -> Record | None:
        usable = [record for record in self._own[-40:] if record.settled and not record.deleted]
        return self._chance.choice(usable) if usable else None

    def _audience(self) -> frozenset[str]:
        others = [code for code in self._federation.codes if code != self._code]
        return frozenset(code for code in others if self._chance.random() < 0.5)

    def _request(self, marker: str, text: str) -> tips_pb2.CreateTipRequest:
        request = tips_pb2.CreateTipRequest(request_id=str(uuid.uuid4()), parent=f"agencies/{self._code}")
        tip = request.tip
        tip.text = text + "x" * self._chance.choice((0, 0, 0, _LONGEST_TEXT)) if text else ""
        tip.source = tips_pb2.Tip.SOURCE_OTHER
        tip.grading.reliability = tips_pb2.Grading.RELIABILITY_B
        tip.grading.accuracy = tips_pb2.Grading.ACCURACY_2
        self._label(tip, self._audience())
        occurrence = tip.identifiers.add(provenance="PROVENANCE_TIP", relation="RELATION_MENTIONED")
        occurrence.identifier.type = identifiers_pb2.IDENTIFIER_TYPE_PHONE
        occurrence.identifier.original = f"090-1{self._chance.randrange(1000):03d}-{self._chance.randrange(10000):04d}"
        return request

    def _label(self, tip: tips_pb2.Tip, audience: frozenset[str]) -> None:
        tip.handling.purpose_code = "organised-robbery"
        del tip.handling.releasable_to[:]
        tip.handling.releasable_to.extend(f"agencies/{code}" for code in sorted(audience))
