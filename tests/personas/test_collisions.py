"""No invented name, address or number hits a real record: what is found in records, and in their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from renkei.arrests.v1 import arrests_pb2
from renkei.arrests.v1 import events_pb2 as arrest_events
from renkei.identifiers.v1 import identifiers_pb2
from renkei.personas.v1 import documents_pb2
from renkei.tips.v1 import events_pb2 as tip_events
from renkei.tips.v1 import tips_pb2

from renkei_personas.addresses import addresses_in, one_way
from renkei_personas.mentions import names_in

if TYPE_CHECKING:
    from tests.personas.people import People

WORDS = (
    "住所は千葉県千葉市中央区市場町１丁目２番３号と話した。本郷通り4-5-6にも行った。指示役は架空次郎と名乗り、"
    "口座はカクウ サブロウ名義、受け子は架空 はなこさん、Kakuu Shiroとも。"
    "回収役は濱﨑五朗、東京都千代田区髙嶋町７丁目８番９号に住む。"
    "連絡は０８０－９９９９－０００１、免許証は9876 5432 1098、学生証はab123456c"
)


def a_tip(original: str, normal_form: str, text: str = "(演習)") -> tip_events.TipRecorded:
    tip = tips_pb2.Tip(text=text)
    identifier = identifiers_pb2.Identifier(
        type=identifiers_pb2.IDENTIFIER_TYPE_PHONE, original=original, normal_form=normal_form
    )
    tip.identifiers.add(identifier=identifier)
    return tip_events.TipRecorded(tip=tip)


@pytest.mark.parametrize(
    ("legend", "field"),
    [
        ({"phone": "+81 90 1234 5678"}, "phone"),
        ({"number": "090-1234-5678"}, "number"),
        ({"display_name": "演習　太郎"}, "display_name"),
        ({"display_name": "エンシュウ タロウ"}, "display_name"),
        ({"address": "千葉県千葉市中央区市場町一丁目2-3"}, "address"),
        ({"address": "東京都千代田区本郷通り４丁目５番６号"}, "address"),
        ({"display_name": "架空 次郎"}, "display_name"),
        ({"display_name": "カクウ　サブロウ"}, "display_name"),
        ({"display_name": "架空 はなこ"}, "display_name"),
        ({"display_name": "Kakuu Shiro"}, "display_name"),
        ({"display_name": "Shiro Kakuu"}, "display_name"),
        ({"display_name": "SHIRO, Kakuu"}, "display_name"),
        ({"display_name": "次郎・架空"}, "display_name"),
        ({"display_name": "カクウ さぶろう"}, "display_name"),
        ({"display_name": "濱﨑 五朗"}, "display_name"),
        ({"display_name": "浜崎 五朗"}, "display_name"),
        ({"address": "東京都千代田区高嶋町7-8-9"}, "address"),
        ({"phone": "+81 80-9999-0001"}, "phone"),
        ({"number": "第9876-5432-1098号"}, "number"),
        ({"number": "AB 123456 C"}, "number"),
    ],
)
async def test_an_invented_value_that_hits_a_real_record_is_refused(
    people: People, legend: dict[str, str], field: str
) -> None:
    active = await people.active()
    person = arrests_pb2.Person(display_name="演習太郎", kana="エンシュウタロウ")
    arrested = arrest_events.ArrestRecorded(arrest=arrests_pb2.Arrest(person=person))
    told = a_tip("090-1234-5678", "+819012345678", WORDS)
    await people.bring(told, origin="agencies/jp-13")
    await people.bring(arrested, origin="agencies/jp-13")
    document = documents_pb2.Document(
        kind=documents_pb2.Document.KIND_STUDENT_CARD,
        legend=documents_pb2.Legend(**{"display_name": "演習 花子", **legend}),
    )

    refused = await people.refused("sato", "RequestDocument", parent=active.name, document=document)

    assert refused.reason == "DOCUMENT_COLLIDES"
    assert refused.metadata["field"] == f"document.legend.{field}"


@pytest.mark.parametrize(
    "address", ["千葉県千葉市中央区市場町1-2-4", "千葉県千葉市中央区市場町", "東京都千代田区本郷通り4-5"]
)
async def test_what_is_near_a_real_record_and_not_in_it_is_no_collision(people: People, address: str) -> None:
    active = await people.active()
    await people.bring(a_tip("090-1234-5678", "+819012345678", WORDS), origin="agencies/jp-13")
    legend = documents_pb2.Legend(
        display_name="架空 五郎", address=address, number="演習-0000-1112", phone="090-1234-5679"
    )
    document = documents_pb2.Document(kind=documents_pb2.Document.KIND_STUDENT_CARD, legend=legend)

    made = await people.call("sato", "RequestDocument", parent=active.name, document=document)

    assert made.state == documents_pb2.Document.STATE_REQUESTED


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("被疑者田中太郎と会った", "田中太郎"),
        ("田中太郎容疑者を逮捕", "田中太郎"),
        ("口座は鈴木 一郎名義", "鈴木一郎"),
        ("スズキ・イチロウと名乗る", "スズキイチロウ"),
        ("佐藤 はなこが来た", "佐藤はなこ"),
        ("さとう はなこ", "さとうはなこ"),
        ("called Sato Hanako.", "satohanako"),
        ("被疑者林修と会った", "林修"),
        ("林　修が来た", "林修"),
        ("林修容疑者を逮捕", "林修"),
        ("昨日は鈴木まり子と会った", "鈴木まり子"),
        ("鈴木 マリ子名義", "鈴木マリ子"),
        ("鈴木・まり亜美が来た", "鈴木まり亜美"),
    ],
)
def test_a_name_is_found_in_words(text: str, name: str) -> None:
    assert name in set(names_in(text))


def test_words_far_apart_make_no_name() -> None:
    found = set(names_in("田中。太郎、鈴木 (一郎)。森まり 子、林。まり子、原まりまりま子"))

    assert not {"田中太郎", "鈴木一郎", "森まり子", "林まり子", "原まりまりま子"} & found


@pytest.mark.on_both
async def test_what_became_real_between_request_and_issue_is_refused_at_the_issue(people: People) -> None:
    active = await people.active()
    document = documents_pb2.Document(
        kind=documents_pb2.Document.KIND_STUDENT_CARD,
        legend=documents_pb2.Legend(display_name="演習", phone="090-1234-5678"),
    )
    made = await people.call("sato", "RequestDocument", parent=active.name, document=document)
    await people.bring(a_tip("090-1234-5678", "+819012345678"), origin="agencies/jp-13")

    refused = await people.refused("tanaka", "IssueDocument", name=made.name)

    assert refused.reason == "DOCUMENT_COLLIDES"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("東京都千代田区霞が関２丁目１番２号", "東京都千代田区霞が関二丁目1-2"),
        ("大阪府大阪市中央区大手前3-1-11", "大阪府大阪市中央区大手前３ー１ー１１"),
    ],
)
def test_two_spellings_of_one_address_are_equal(one: str, other: str) -> None:
    assert one_way(one) == one_way(other)
    assert list(addresses_in(f"昨日、{one}に集合。")) == [one_way(other)]


def test_words_without_an_address_give_none() -> None:
    assert list(addresses_in("千葉県警察に相談した。3人で、と言われた。")) == []
