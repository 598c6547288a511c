"""Put a stand-in where the product has a function or a value of that name."""

from __future__ import annotations


def replace(owner: object, name: str, stand_in: object) -> None:
    """Replace it; a name that is not there is a plant that would do nothing."""
    if not hasattr(owner, name):
        raise AttributeError(f"there is no {name} to be replaced")
    setattr(owner, name, stand_in)
