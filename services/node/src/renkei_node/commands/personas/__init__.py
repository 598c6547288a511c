"""`renkei personas`: undercover work by the book, for handler, supervisor, custodian, chief and the NPA's desk."""

from renkei_node.commands.personas.group import command

__all__ = ["command"]
