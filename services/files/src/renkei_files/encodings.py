"""Find out how a text file is encoded: a byte-order mark, strict UTF-8, strict cp932, or a clear error."""

import codecs
from dataclasses import dataclass
from typing import BinaryIO, Final

from renkei_files.problems import FileError, Reason

_BLOCK: Final = 1 << 18
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HALF_WIDTH_KANA: Final = frozenset(map(chr, range(0xFF61, 0xFFA0)))


@dataclass(slots=True)
class _Trial:
    """Decodes what a file holds, until it cannot."""

    decoder: codecs.IncrementalDecoder
    failed_at: int | None = None
    half_width: int = 0
    wide: int = 0

    def feed(self, block: bytes, at: int, *, final: bool) -> None:
        """Decode a block; `at` is where in the file it begins."""
        if self.failed_at is not None:
            return
        waiting = len(self.decoder.getstate()[0])
        if not waiting and not final and block.isascii():
            return  # it is the same in each of them
        try:
            text = self.decoder.decode(block, final)
        except UnicodeDecodeError as error:
            self.failed_at = at - waiting + error.start
            return
        if not text.isascii():
            kana = sum(map(text.count, _HALF_WIDTH_KANA.intersection(text)))
            self.half_width += kana
            self.wide += len(text) - kana - len(text.encode("ascii", "ignore"))


def detect(file: BinaryIO) -> str:
    """Return the name of the encoding that decodes the whole file strictly; the file is read once, in blocks.

    A text in ASCII counts as UTF-8. Raises UNKNOWN_ENCODING with the place where each of the two failed, and
    AMBIGUOUS_ENCODING for what is EUC-JP more likely than cp932: as cp932 it would be half-width kana without sense.
    """
    file.seek(0)
    front = file.read(4)
    if not front:
        raise FileError(Reason.EMPTY_FILE)
    for mark, name in _MARKS:
        if front.startswith(mark):
            trial = _Trial(codecs.getincrementaldecoder(name or "utf-32")("strict"))
            _feed(file, [trial])
            if not name or trial.failed_at is not None:
                where = f", broken at byte {trial.failed_at}" if trial.failed_at is not None else ""
                raise FileError(Reason.UNKNOWN_ENCODING, detail=f"a byte-order mark of {name or 'UTF-32'}{where}")
            return name
    utf8, cp932, euc = (_Trial(codecs.getincrementaldecoder(name)("strict")) for name in ("utf-8", "cp932", "euc_jp"))
    escaped = _feed(file, [utf8, cp932, euc])
    if escaped:
        raise FileError(Reason.UNKNOWN_ENCODING, detail="it looks like JIS (ISO-2022-JP)")
    if utf8.failed_at is None:
        return "utf-8"
    if cp932.failed_at is not None:
        looks = ", it looks like EUC-JP" if euc.failed_at is None else ""
        raise FileError(
            Reason.UNKNOWN_ENCODING,
            detail=f"UTF-8 fails at byte {utf8.failed_at}, cp932 at byte {cp932.failed_at}{looks}",
        )
    if euc.failed_at is None and cp932.half_width > cp932.wide:
        raise FileError(Reason.AMBIGUOUS_ENCODING)
    return "cp932"


def _feed(file: BinaryIO, trials: list[_Trial]) -> bool:
    """Show the whole file to each trial; return whether it holds the escapes of ISO-2022-JP."""
    file.seek(0)
    at, escaped, last = 0, False, b""
    while block := file.read(_BLOCK):
        for trial in trials:
            trial.feed(block, at, final=False)
        joined = last + block
        escaped = escaped or b"\x1b$B" in joined or b"\x1b$@" in joined
        last = block[-2:]
        at += len(block)
    for trial in trials:
        trial.feed(b"", at, final=True)
    return escaped
