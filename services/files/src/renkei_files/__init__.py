"""Read the files that forces really have: any of their encodings and formats, in bounded memory, nothing inferred.

    with path.open("rb") as file, open_table(file, profile) as table:
        for row in without_twins(map_rows(table.rows, profile), profile):
            ...

Knows no service and no contract: it gives texts by the names of a saved profile.
"""

from renkei_files.dates import (
    Day,
    NotADateError,
    read_day,
    read_moment,
    write_moment,
    write_packed,
    write_short,
    write_wareki,
)
from renkei_files.duplicates import without_twins
from renkei_files.header import Header
from renkei_files.limits import Limits
from renkei_files.mapping import MappedRow, map_rows
from renkei_files.problems import FileError, Mark, Problem, Reason, words
from renkei_files.profile import ColumnRule, Kind, Profile, ProfileError, read_profile
from renkei_files.report import REPORT_ENCODING, Report, Summary
from renkei_files.table import Format, Table, open_table

__all__ = [
    "REPORT_ENCODING",
    "ColumnRule",
    "Day",
    "FileError",
    "Format",
    "Header",
    "Kind",
    "Limits",
    "MappedRow",
    "Mark",
    "NotADateError",
    "Problem",
    "Profile",
    "ProfileError",
    "Reason",
    "Report",
    "Summary",
    "Table",
    "map_rows",
    "open_table",
    "read_day",
    "read_moment",
    "read_profile",
    "without_twins",
    "words",
    "write_moment",
    "write_packed",
    "write_short",
    "write_wareki",
]
