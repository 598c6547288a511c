"""Where in a folded text an identifier may stand: patterns that take much, for the readers refuse what is none.

Every repetition is bounded, so a text of any length is searched in time that grows with its length alone.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from renkei_normalform import addresses, towns
from renkei_normalform.forms import IdentifierType
from renkei_normalform.numerals import fold_place
from renkei_normalform.plate_places import PLACE
from renkei_normalform.refusal import NotAnIdentifier
from renkei_normalform.text import DASHES, DIGITS, DOTS
from renkei_normalform.view import View

Spans = Iterator[tuple[int, int]]

_DASH: Final = re.escape(DASHES)
_DOT: Final = r"(?:\.|[\[({] ?(?:\.|dot) ?[\])}])"
_HOSTS: Final = (
    rf"(?:t{_DOT}me|telegram{_DOT}(?:me|dog)|web{_DOT}telegram{_DOT}org|(?:mobile{_DOT})?(?:x|(?:fx|vx)?twitter|fixupx){_DOT}com"
    rf"|instagram{_DOT}com|instagr{_DOT}am|ig{_DOT}me|signal{_DOT}(?:me|group)|(?:www{_DOT}|maps{_DOT})?google{_DOT}(?:com|co{_DOT}jp))"
)
_LINK: Final = re.compile(
    rf"(?:(?:h?[tx*]{{2}}ps?(?:\[:\]|:)//|(?<![A-Za-z0-9.@/-]))(?:www{_DOT})?{_HOSTS}(?:/|\[/\])|(?<![A-Za-z])(?:tg|sgnl|geo):(?://)?)"
    r"[A-Za-z0-9_.~:/?#@!$&*+;=%,()\[\]-]{1,200}",
    re.IGNORECASE,
)
_SUBDOMAIN: Final = re.compile(
    r"(?:https?://|(?<![A-Za-z0-9.@/-]))[A-Za-z0-9_]{4,32}\.t\.me(?![A-Za-z0-9.])/?", re.IGNORECASE
)
_CHAIN: Final = r"(?:(?:sol|solana|ソラナ)(?: ?(?:アドレス|address|wallet|ウォレット))?[ :]{1,3})"
_WALLET: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:0[xX][0-9a-fA-F]{40}|(?:bc1|ltc1|BC1|LTC1)[0-9A-Za-z]{20,80}"
    rf"|{_CHAIN}[1-9A-HJ-NP-Za-km-z]{{32,44}}"
    r"|[1-9A-HJ-NP-Za-km-z]{25,106})(?![A-Za-z0-9])",
)
_PLATFORM_ID: Final = re.compile(
    r"(?:twitter|ツイッター|telegram|テレグラム?|signal|シグナル"
    r"|instagram|インスタ(?:グラム)?|(?<![A-Za-z])(?:x|tg))"
    r" {0,2}の?(?:(?:user|ユーザー?|アカウント|内部|数値)?[ _]?id|aci|uuid)[ :=#]{0,3}[0-9a-f-]{5,40}(?![0-9a-z])",
    re.IGNORECASE,
)
_IMEI: Final = re.compile(
    r"(?:imei ?(?:sv|[12](?![0-9]))?|端末識別番号)[ :;#=]{0,3}[0-9](?:[ /.-]?[0-9]){14,15}(?![0-9])", re.IGNORECASE
)
_ICCID: Final = re.compile(r"(?:iccid[ :;#=]{0,3})?(?<![0-9])89(?:[ -]?[0-9]){17,18}(?![0-9])F?", re.IGNORECASE)
_IMSI: Final = re.compile(r"imsi[ :;#=]{0,3}[2-79](?:[ -]?[0-9]){13,14}(?![0-9])", re.IGNORECASE)
_ACCOUNT: Final = re.compile(
    rf"(?<![0-9])[0-9]{{4}}[{_DASH} /]{{1,3}}[0-9]{{3}}[{_DASH} /]{{1,3}}"
    rf"(?:普通|当座|貯蓄|フツウ|トウザ|チョチク|普|当|貯|[124])(?:預金)?"
    rf"[{_DASH} /:)）]{{0,3}}(?:口座番号)?[: ]{{0,2}}[0-9]{{1,7}}(?![0-9])"
)
_KIND_AND_NUMBER: Final = re.compile(
    r"(?:普通|当座|貯蓄|フツウ|トウザ|チョチク|\((?:普|当|貯)\)"
    r"|(?<=[ 店])(?:普|当|貯)(?= ?[0-9]))"
    r"(?:預金)?[)\] :、,/-]{0,3}"
    r"(?:(?:口座)?番号|no\.?|口座)?[ :]{0,3}[0-9]{1,7}(?![0-9])",
    re.IGNORECASE,
)
_BANK: Final = re.compile(
    "銀行|信用金庫|信金|信用組合|信組|労働金庫|労金|農協|農業協同組合|漁協|信託|ゆうちょ|ギンコウ"
)
_BANK_FRONT: Final = 48
# Of the places where a bank's name may begin, the last ones before it.
_BEGINNINGS: Final = 4
_NAME_BEGINS: Final = re.compile(r"(?<=[\s、。,.:;「『（()［\[【はがをにへでのとも])|\A")
_POST_OFFICE: Final = re.compile(
    rf"(?<![0-9{_DASH}])(?:ゆうちょ(?:銀行)?|郵便局|郵貯)?[ :]{{0,2}}(?:記号(?:番号)?)?[ :]{{0,2}}"
    rf"(?<![0-9])[01][0-9]{{3}}0"
    rf"(?:[{_DASH}][0-9])?[{_DASH} の、,/]{{1,3}}(?:番号)?[ :]{{0,2}}[0-9]{{2,8}}(?![0-9{_DASH}])"
)
_KANJI: Final = "〇一二三四五六七八九"
_PLATE_REST: Final = re.compile(
    rf"[ {_DASH}]{{0,2}}[0-9A-Z{_KANJI}]{{1,3}}[ {_DASH}]{{0,2}}[ぁ-んァ-ヶEHKMTY][ {_DASH}]{{0,2}}"
    rf"[{re.escape(DOTS)}]{{0,3}}[0-9{_KANJI}]{{1,4}}(?:[ {_DASH}]?[0-9{_KANJI}]{{2}})?(?![0-9])"
)
_COORDINATES: Final = re.compile(
    r"(?<![0-9.])-?[0-9]{1,2}\.[0-9]{3,15}°?[ ,、]{1,3}-?[0-9]{1,3}\.[0-9]{3,15}(?![0-9.])"
    r"|北緯[0-9]{1,2}[°度][0-9]{1,2}[′'分][0-9.]{1,9}[″\"秒]?[ ,、]{0,3}"
    r"東経[0-9]{1,3}[°度][0-9]{1,2}[′'分][0-9.]{1,9}[″\"秒]?"
)
_MUNICIPAL: Final = re.compile("[市区町村]")
_NUMBER_AHEAD: Final = re.compile("[0-9]")
_LONGEST_FRONT: Final = 15
_TOWN_ROOM: Final = 60
_DIGIT: Final = "0-9" + re.escape("".join(chr(code) for code in DIGITS))
_PHONE: Final = re.compile(
    rf"(?<![A-Za-z0-9_@#.])(?<![0-9][{_DASH}])(?:\+ ?[1-9]|(?:18[46])?[0〇零○◯OoОΟ]|(?<=wa\.me/)81|(?<![0-9/])81)"
    rf"(?:[{_DASH} .()/・]{{0,3}}[{_DIGIT}]){{7,16}}(?![A-Za-z0-9])"
)
_GAP: Final = re.compile(rf"[{_DASH} .()/・]+")
_EXTENSION: Final = re.compile(r"[ ,;(、]{0,3}(?:内線|ext)", re.IGNORECASE)
_AT: Final = r"(?:@|[\[({<] ?(?:at|アット(?:マーク)?|@) ?[\])}>] ?|アットマーク)"
_PLATFORM: Final = (
    r"(?:x\(旧twitter\)|x\(twitter\)|(?:旧)?twitter|ツイッター|エックス|telegram|テレグラム?|signal|シグナル"
    r"|instagram|インスタ(?:グラム)?|insta|(?<![a-z])(?:x|tg|ig)|テレ)"
)
_NAME: Final = r"[a-z0-9_](?:[a-z0-9_.]{0,40}[a-z0-9_])?"
_HANDLES: Final = (
    re.compile(
        rf"{_PLATFORM}(?:(?:の?(?:id|アカウント|垢))?[ :=]{{1,3}}|(?={_AT})){_AT}?{_NAME}(?![a-z0-9@])", re.IGNORECASE
    ),
    re.compile(rf"(?<![a-z0-9._@]){_AT}{_NAME} ?[(\[]{_PLATFORM}[)\]]", re.IGNORECASE),
    re.compile(rf"(?<![a-z0-9._@]){_AT}{_NAME}(?![a-z0-9@])", re.IGNORECASE),
)
_SHORT: Final = 3
_SAID: Final = re.compile(rf"[:=]|{_AT}", re.IGNORECASE)


def _of(*patterns: re.Pattern[str]) -> Callable[[View], Spans]:
    def found(view: View) -> Spans:
        for pattern in patterns:
            for match in pattern.finditer(view.text):
                yield match.span()

    return found


def _links(view: View) -> Spans:
    for match in _LINK.finditer(view.text):
        kept = match[0].rstrip(".,:;!?)]")
        yield match.start(), match.start() + len(kept)
    yield from _of(_SUBDOMAIN)(view)


def _named_accounts(view: View) -> Spans:
    text = view.text
    for match in _KIND_AND_NUMBER.finditer(text):
        front = max(0, match.start() - _BANK_FRONT)
        bank = _BANK.search(text, front, match.start())
        if not bank:
            continue
        beginnings = [beginning.start() for beginning in _NAME_BEGINS.finditer(text, front, bank.end())]
        for start in beginnings[-_BEGINNINGS:]:
            yield start, match.end()


def _plates(view: View) -> Spans:
    for place in PLACE.finditer(view.text):
        if rest := _PLATE_REST.match(view.text, place.end()):
            yield place.start(), rest.end()


def _addresses(view: View) -> Spans:
    folded, ends = fold_place(view.text)
    past = 0
    for match in _MUNICIPAL.finditer(folded):
        end = match.end()
        if match.start() < past or not _NUMBER_AHEAD.search(folded, end, end + _TOWN_ROOM):
            continue
        for start in range(max(past, end - _LONGEST_FRONT), end - 1):
            if towns.is_name(folded[start:end]):
                try:
                    address = addresses.find(folded, start)
                except NotAnIdentifier:
                    continue
                yield ends[start - 1] if start else 0, ends[address.end - 1]
                past = end
                break


def _phones(view: View) -> Spans:
    at = 0
    while match := _PHONE.search(view.text, at):
        gaps = [match.start() + gap.start() for gap in _GAP.finditer(match[0])]
        # Two numbers with a blank between look like one that is too long, and the second begins behind a gap.
        at = gaps[0] if gaps else match.end()
        if not _EXTENSION.match(view.text, match.end()):
            for end in (match.end(), *reversed(gaps)):
                yield match.start(), end


def _handles(view: View) -> Spans:
    for match in _HANDLES[0].finditer(view.text):
        said = _SAID.search(match[0])
        # x: y is prose, x: @y an account.
        if said and (said[0] not in ":=" or match.end() - match.start() - said.end() > _SHORT):
            yield match.span()
    yield from _of(*_HANDLES[1:])(view)


# In this order: what one search has taken, the next leaves alone.
SEARCHES: Final[tuple[tuple[tuple[IdentifierType, ...], Callable[[View], Spans]], ...]] = (
    (
        (IdentifierType.INVITE_LINK, IdentifierType.PLATFORM_ACCOUNT_ID, IdentifierType.HANDLE, IdentifierType.PLACE),
        _links,
    ),
    ((IdentifierType.CRYPTO_WALLET,), _of(_WALLET)),
    ((IdentifierType.PLATFORM_ACCOUNT_ID,), _of(_PLATFORM_ID)),
    ((IdentifierType.IMEI,), _of(_IMEI)),
    ((IdentifierType.ICCID,), _of(_ICCID)),
    ((IdentifierType.IMSI,), _of(_IMSI)),
    ((IdentifierType.BANK_ACCOUNT,), _named_accounts),
    ((IdentifierType.BANK_ACCOUNT,), _of(_ACCOUNT, _POST_OFFICE)),
    ((IdentifierType.VEHICLE_PLATE,), _plates),
    ((IdentifierType.PLACE,), _of(_COORDINATES)),
    ((IdentifierType.PLACE,), _addresses),
    ((IdentifierType.PHONE,), _phones),
    ((IdentifierType.HANDLE,), _handles),
)
