"""Put identifiers of every type into one normal form, so that equal things compare equal, and find them in free text.

Pure: no I/O, no clock, no settings. The original text is the caller's to keep; a normal form is a key, never a display.
"""

from renkei_normalform.folding import find_folded, fold_text, written_words
from renkei_normalform.forms import VERSION, IdentifierType, NormalForm, Strength, strength_of
from renkei_normalform.free_text import FoundIdentifier, find_identifiers
from renkei_normalform.names import NameMatch, folded_name, match_names
from renkei_normalform.normal import normalize
from renkei_normalform.refusal import NotAnIdentifier, Reason
from renkei_normalform.search import search_fragment, search_key
from renkei_normalform.text import MAX_CHARACTERS

__all__ = [
    "MAX_CHARACTERS",
    "VERSION",
    "FoundIdentifier",
    "IdentifierType",
    "NameMatch",
    "NormalForm",
    "NotAnIdentifier",
    "Reason",
    "Strength",
    "find_folded",
    "find_identifiers",
    "fold_text",
    "folded_name",
    "match_names",
    "normalize",
    "search_fragment",
    "search_key",
    "strength_of",
    "written_words",
]
