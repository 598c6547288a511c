"""PersonasService, legal bases: signed objects that widen what is allowed, and signed objects that take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from google.protobuf.message import DecodeError
from renkei.personas.v1 import personas_pb2

from renkei_chassis.database.requests import WriteMethod, Written
from renkei_chassis.errors import FieldViolation, InvalidArgument
from renkei_chassis.identity.keys import public_from_text
from renkei_chassis.records.times import check_times
from renkei_chassis.resource_names import Pattern
from renkei_chassis.rpc.validation import validate
from renkei_personas.acts import Acts, error_of
from renkei_personas.domain.reasons import Refused
from renkei_personas.places import pass_with
from renkei_personas.store import cases, records, tables
from renkei_personas.views import Views

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from google.protobuf.message import Message

    from renkei_chassis.database.transaction import Transaction
    from renkei_chassis.identity import Principal

BASIS_TAG: Final = b"renkei-legal-basis-v1\0"
REVOCATION_TAG: Final = b"renkei-legal-basis-revocation-v1\0"
_BASIS: Final = Pattern("agencies/{agency}/legalBases/{basis}")


class Bases:
    """The methods that register and revoke legal bases.

    The chief brings them; whether they hold is decided by a key whose public half alone is known here.
    """

    def __init__(self, *, acts: Acts, keys: Sequence[str]) -> None:
        """Take what carries acts out, and whose signature makes a legal basis or ends one."""
        self._acts = acts
        self._views = Views(acts.names)
        self._keys = [public_from_text(text) for text in keys]

    def methods(self) -> Mapping[str, WriteMethod]:
        """Give the methods."""
        return {
            "RegisterLegalBasis": WriteMethod(rule=self._register, rebuild=self._rebuild),
            "RevokeLegalBasis": WriteMethod(rule=self._revoke, rebuild=self._rebuild),
        }

    def _register(
        self, transaction: Transaction, request: personas_pb2.RegisterLegalBasisRequest, caller: Principal
    ) -> Written:
        del caller
        self._check_signed(BASIS_TAG + request.basis, request.signature)
        basis = read_signed(personas_pb2.LegalBasis, request.basis)
        if basis.HasField("revoke_time"):
            violation = FieldViolation(field="basis.revoke_time", description="must not be given")
            raise InvalidArgument("FIELD_INVALID", "basis.revoke_time: must not be given", violations=[violation])
        name = self._name(basis.id)
        if records.basis(transaction, basis.id) is not None:
            raise error_of(Refused("LEGAL_BASIS_KNOWN"))
        row = {
            "id": basis.id,
            "content": request.basis,
            "signature": request.signature,
            "register_us": transaction.now_us,
        }
        records.insert(transaction, tables.legal_bases, row)
        pass_with(transaction, "personas.LEGAL_BASIS")
        return Written(answer=basis, resource=name)

    def _revoke(
        self, transaction: Transaction, request: personas_pb2.RevokeLegalBasisRequest, caller: Principal
    ) -> Written:
        """Note when it ended, and halt what rests on it, at once. One that was revoked stays so since then."""
        del caller
        self._check_signed(REVOCATION_TAG + request.revocation, request.signature)
        revocation = read_signed(personas_pb2.LegalBasisRevocation, request.revocation)
        found = records.basis(transaction, revocation.id)
        if found is None:
            raise error_of(Refused("LEGAL_BASIS_UNKNOWN"))
        if found.revoke_us is None:
            row = {
                "id": revocation.id,
                "content": request.revocation,
                "signature": request.signature,
                "revoke_us": transaction.now_us,
            }
            records.insert(transaction, tables.revocations, row)
            for persona in cases.every(transaction):
                self._acts.let_clocks_strike(transaction, persona)
        pass_with(transaction, "personas.LEGAL_BASIS_REVOKED")
        return self._written(transaction, revocation.id)

    def _check_signed(self, content: bytes, signature: bytes) -> None:
        if not any(_is_signed(key, content, signature) for key in self._keys):
            raise error_of(Refused("LEGAL_BASIS_UNSIGNED"))

    def _written(self, transaction: Transaction, basis: str) -> Written:
        row = records.basis(transaction, basis)
        assert row is not None  # noqa: S101 (it was found or written in this transaction)
        return Written(answer=self._views.basis(row), resource=self._name(basis))

    def _name(self, basis: str) -> str:
        return _BASIS.format(agency=self._acts.names.agency.removeprefix("agencies/"), basis=basis)

    def _rebuild(self, transaction: Transaction, resource: str, version: int) -> Message | None:
        del version
        row = records.basis(transaction, resource.rpartition("/")[2])
        return None if row is None else self._views.basis(row)


def _is_signed(key: Any, content: bytes, signature: bytes) -> bool:  # noqa: ANN401 (an Ed25519 key)
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def read_signed(kind: Any, content: bytes) -> Any:  # noqa: ANN401 (one of two messages)
    """Read signed bytes whose signature holds. Raises MALFORMED_REQUEST and what validation raises."""
    try:
        message = kind.FromString(content)
    except DecodeError:
        raise InvalidArgument("MALFORMED_REQUEST", "the signed bytes are not what they should be") from None
    validate(message, content)
    check_times(message, "basis")
    return message
