"""Read where somebody lives or people met: an address to its town and block, or coordinates to their cell."""

from renkei_normalform import addresses, coordinates


def read(text: str) -> str:
    """Return the place. Its time is the span of the occurrence: a place links only inside of it."""
    return coordinates.read(text) or addresses.read(text)
