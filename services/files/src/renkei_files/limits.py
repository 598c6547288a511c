"""How much of a file is read at most, so that no file can fill the memory or the day of whoever opens it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The largest of each; what exceeds one ends the reading with an error that says so."""

    line_characters: int = 1 << 20
    """A line of a text file. A cell cannot be longer, since a quoted cell may hold line ends but not more than this."""
    columns: int = 500
    rows: int = 2_000_000
    unpacked_bytes: int = 1 << 31
    """What all parts of a workbook together unpack to. They are read as a stream and never held."""
    shared_text_bytes: int = 256 << 20
    """The texts that the cells of a workbook share; the one part of it that is held."""
    packing_ratio: int = 400
    """How much larger a part of more than a megabyte may be than its packed form; honest sheets reach 100."""
    whole_workbook_bytes: int = 64 << 20
    """A file of the two old formats (xls, ods), which can only be read whole."""
