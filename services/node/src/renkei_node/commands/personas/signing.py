"""`renkei personas basis-key, sign-basis, sign-revocation`: sign legal bases, away from any node.

Whoever signs is not who registers: the key is kept by those who answer for the legal basis, the node knows its public
half alone (`personas.legal_basis_keys`, which its operator sets), and the chief brings what was signed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from renkei_node.commands.access import emit_json, json_option, plain_failure

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

BASIS_TAG: Final = b"renkei-legal-basis-v1\0"
REVOCATION_TAG: Final = b"renkei-legal-basis-revocation-v1\0"
_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_key = click.option(
    "--key", required=True, type=_FILE, metavar="FILE", help="The key file, as `basis-key` made it: mode 0600."
)
_out = click.option(
    "--out", required=True, metavar="NAME", help="Write NAME.binpb, what was signed, and NAME.sig, its signature."
)


@click.command("basis-key", short_help="Make a key that signs legal bases.")
@click.option("--out", required=True, type=_FILE, metavar="FILE", help="The key file to make; never replaced.")
@json_option
@plain_failure
def basis_key(*, out: Path, as_json: bool) -> None:
    """Make a key that signs legal bases, and write its public half, for `personas.legal_basis_keys` in node.toml.

    Keep the key away from every node: who has it decides what personas may do beyond the published rules.

    For: whoever answers for the legal basis; never the chief or the node.

    \b
    Example:
      renkei personas basis-key --out basis.key
    """
    from renkei_chassis.identity import generate, public_text, save_private

    _keep_off_nodes(out)
    key = generate()
    try:
        save_private(out, key)
    except FileExistsError:
        raise click.ClickException(f"{out} is there already: a key is never replaced") from None
    if as_json:
        emit_json({"key": str(out), "public_key": public_text(key)})
    else:
        click.echo(public_text(key))


@click.command("sign-basis", short_help="Sign a legal basis.")
@click.option("--basis", required=True, metavar="FILE", help="A TOML file: id, title, allows, valid_from, valid_until.")
@_key
@_out
@json_option
@plain_failure
def sign_basis(*, basis: str, key: Path, out: str, as_json: bool) -> None:
    """Sign a legal basis, for the chief to register with `register-basis`.

    For: whoever answers for the legal basis; never the chief or the node.

    \b
    Example:
      renkei personas sign-basis --basis basis.toml --key basis.key --out basis
      renkei personas register-basis ./jp-12 --basis basis.binpb --signature basis.sig
    """
    from renkei.personas.v1.personas_pb2 import LegalBasis

    message = LegalBasis()
    _fill(message, basis)
    if message.HasField("revoke_time"):
        raise click.ClickException("revoke_time is no part of what is signed: a revocation is signed by itself")
    if message.valid_until.ToMicroseconds() <= message.valid_from.ToMicroseconds():
        raise click.ClickException("valid_until must come after valid_from")
    _sign(message, BASIS_TAG, key, out, as_json=as_json)


@click.command("sign-revocation", short_help="Sign the end of a legal basis before its time.")
@click.option("--id", "basis", required=True, metavar="ID", help="The id of the legal basis.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@_key
@_out
@json_option
@plain_failure
def sign_revocation(*, basis: str, reason: str, key: Path, out: str, as_json: bool) -> None:
    """Sign the end of a legal basis before its time, for the chief to bring with `revoke-basis`.

    For: whoever answers for the legal basis; never the chief or the node.

    \b
    Example:
      renkei personas sign-revocation --id law-1 --reason 判決により失効 --key basis.key --out revocation
      renkei personas revoke-basis ./jp-12 --revocation revocation.binpb --signature revocation.sig
    """
    from renkei.personas.v1.personas_pb2 import LegalBasisRevocation

    _sign(LegalBasisRevocation(id=basis, reason=reason), REVOCATION_TAG, key, out, as_json=as_json)


def _fill(message: Any, path: str) -> None:  # noqa: ANN401 (a message of the contract)
    from renkei_node.commands.personas.request import fill_from_toml

    fill_from_toml(message, path)


def _sign(message: Any, tag: bytes, key_file: Path, out: str, *, as_json: bool) -> None:  # noqa: ANN401 (one of two)
    """Write what was signed and its signature, once the contract's rules hold. Neither file is ever replaced."""
    from renkei_chassis.errors import InvalidArgument
    from renkei_chassis.files import write_new
    from renkei_chassis.identity import load_private
    from renkei_chassis.rpc.validation import validate

    _keep_off_nodes(key_file)
    key: Ed25519PrivateKey = load_private(key_file)
    try:
        validate(message)
    except InvalidArgument as error:
        raise click.ClickException("; ".join(f"{one.field}: {one.description}" for one in error.violations)) from None
    content = message.SerializeToString(deterministic=True)
    signed, signature = Path(f"{out}.binpb"), Path(f"{out}.sig")
    for path, written in ((signed, content), (signature, key.sign(tag + content))):
        try:
            write_new(path, written, mode=0o644)
        except FileExistsError:
            raise click.ClickException(f"{path} is there already") from None
    if as_json:
        emit_json({"signed": str(signed), "signature": str(signature)})
    else:
        click.echo(f"{signed}\n{signature}")


def _keep_off_nodes(key_file: Path) -> None:
    """Refuse a key inside a node's directory: a node that could sign for itself would be bound by nothing."""
    from renkei_node.layout import NodeDirectory

    for folder in key_file.absolute().parents:
        if NodeDirectory(folder).settings.exists():
            raise click.ClickException(f"{key_file} lies in a node's directory: keep this key away from every node")
