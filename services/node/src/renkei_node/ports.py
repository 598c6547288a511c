"""Claim ports for a node.

The allocator itself lives in the chassis, whose own tests need it where no node is installed.
"""

from renkei_chassis.ports import NoFreePortError, PortClaims, is_free

__all__ = ["NoFreePortError", "PortClaims", "is_free"]
