"""Who calls: keys, short signed tokens, the keys that are believed, and what a role may do."""

from renkei_chassis.identity.claims import TokenReason
from renkei_chassis.identity.keys import generate, load_private, public_text, save_private
from renkei_chassis.identity.principal import Principal, PrincipalKind, authorize
from renkei_chassis.identity.tokens import Lives, Minter, mint
from renkei_chassis.identity.trust import Issuer, IssuerKind, TrustFile, load_trust, save_trust
from renkei_chassis.identity.verifier import Verifier, bearer

__all__ = [
    "Issuer",
    "IssuerKind",
    "Lives",
    "Minter",
    "Principal",
    "PrincipalKind",
    "TokenReason",
    "TrustFile",
    "Verifier",
    "authorize",
    "bearer",
    "generate",
    "load_private",
    "load_trust",
    "mint",
    "public_text",
    "save_private",
    "save_trust",
]
