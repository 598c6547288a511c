"""Bring identifiers into a normal form that can be compared."""
