"""A wrong setting stops a process at its start, by name and without its value; each one explains itself."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from renkei_chassis.settings import STRICT, SettingsError, describe, load, undescribed


class Mode(enum.Enum):
    """A choice."""

    FAST = "fast"
    SURE = "sure"


class Limits(BaseModel):
    """An inner section."""

    model_config = STRICT

    streams: Annotated[int, Field(ge=1, le=100, description="So that one caller is no crowd.")] = 100


class Tips(BaseModel):
    """The settings of an invented service."""

    model_config = STRICT

    port: Annotated[int, Field(gt=1023, lt=32768, description="Below the ports | that the system hands out.")]
    database: Annotated[Path, Field(description="The file.")] = Path("tips.db")
    mode: Annotated[Mode, Field(description="How.")] = Mode.SURE
    names: Annotated[tuple[str, ...], Field(max_length=2, description="Who.")] = ()
    secret: Annotated[str | None, Field(max_length=5, description="What.")] = None
    seconds: Annotated[float, Field(gt=0, description="How long.")] = 1.5
    release: Annotated[bool, Field(description="Whether.")] = False
    limits: Limits = Limits()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node.toml"


def _refusal(path: Path, text: str, **environ: str) -> str:
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load(Tips, path, "tips", environ=environ)
    return str(refused.value)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("port = 80", "port"),
        ("port = 40000", "port"),
        ('port = "7000"', "port"),
        ("port = 7000.0", "port"),
        ("port = true", "port"),
        ("port = 7000\nmode = 'slow'", "mode"),
        ("port = 7000\nrelease = 1", "release"),
        ("port = 7000\nseconds = 0", "seconds"),
        ("port = 7000\nseconds = inf", "seconds"),
        ("port = 7000\nseconds = nan", "seconds"),
        ("port = 7000\nnames = ['a', 'b', 'c']", "names"),
        ("port = 7000\ndatabase = 7", "database"),
        ("port = 7000\nlimits = 7", "limits"),
        ("port = 7000\nlimits.streams = 101", "limits.streams"),
        ("", "port"),
    ],
)
def test_a_bad_value_is_refused_with_the_settings_name(path: Path, line: str, name: str) -> None:
    assert _refusal(path, f"[tips]\n{line}").startswith(f"node.toml: tips.{name}: ")


def test_every_bad_value_is_told_at_once(path: Path) -> None:
    told = _refusal(path, "[tips]\nport = 80\nseconds = -1")

    assert [line.split(": ")[1] for line in told.splitlines()] == ["tips.port", "tips.seconds"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("prot = 7000", "tips.prot: no such setting; is port meant?"),
        ("limits.stream = 1", "tips.limits.stream: no such setting; is limits.streams meant?"),
        ("zzzzzz = 1", "tips.zzzzzz: no such setting"),
        (f"{'z' * 1000} = 1", f"tips.{'z' * 40}: no such setting"),
    ],
)
def test_an_unknown_key_is_refused_and_its_neighbour_named(path: Path, line: str, complaint: str) -> None:
    assert f"node.toml: {complaint}" in _refusal(path, f"[tips]\nport = 7000\n{line}").splitlines()


def test_a_refusal_never_repeats_the_value(path: Path) -> None:
    assert "marker" not in _refusal(path, "[tips]\nport = 'marker'\nmode = 'marker'\nsecret = 'marker'")
    assert "marker" not in _refusal(path, "[tips]\nport = 7000", RENKEI_TIPS_PORT="marker", RENKEI_TIPS_MODE="marker")


@pytest.mark.parametrize("text", ["port =", "[tips", "\0", "[tips]\nport = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_refused(path: Path, text: str) -> None:
    assert "node.toml: is not TOML" in _refusal(path, text)


def test_a_file_that_is_not_text_is_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match=r"node\.toml: is not TOML"):
        load(Tips, path, "tips", environ={})


def test_a_file_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(SettingsError, match=r"node\.toml: cannot be read"):
        load(Tips, path, "tips", environ={})


def test_a_section_that_is_a_value_is_refused(path: Path) -> None:
    assert _refusal(path, "tips = 7") == "node.toml: tips: must be a section, [tips]"


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("RENKEI_TIPS_PROT", "7000", "RENKEI_TIPS_PROT: no such setting; is RENKEI_TIPS_PORT meant?"),
        ("RENKEI_TIPS_PORT", "many", "RENKEI_TIPS_PORT: "),
        ("RENKEI_TIPS_NAMES", "a", "RENKEI_TIPS_NAMES: "),
        ("RENKEI_TIPS_RELEASE", "perhaps", "RENKEI_TIPS_RELEASE: "),
        ("RENKEI_TIPS_PORT", "80", "node.toml: tips.port: "),
    ],
)
def test_a_bad_variable_is_refused_by_its_name(path: Path, variable: str, value: str, complaint: str) -> None:
    assert _refusal(path, "[tips]\nport = 7000", **{variable: value}).startswith(complaint)


def test_a_variable_goes_before_the_file(path: Path) -> None:
    path.write_text("[tips]\nport = 7000\nsecret = 'a'\n[tips.limits]\nstreams = 2\n[leads]\nx = 1")

    settings = load(
        Tips,
        path,
        "tips",
        environ={
            "RENKEI_TIPS_PORT": "7001",
            "RENKEI_TIPS_RELEASE": "true",
            "RENKEI_TIPS_MODE": "fast",
            "RENKEI_TIPS_SECRET": "7",
            "RENKEI_TIPS_DATABASE": "/x",
            "RENKEI_TIPS_LIMITS_STREAMS": "3",
            "RENKEI_LEADS_X": "other section",
            "HOME": "/",
        },
    )

    assert (settings.port, settings.release, settings.mode, settings.secret) == (7001, True, Mode.FAST, "7")
    assert (settings.database, settings.limits.streams) == (Path("/x"), 3)


def test_a_section_that_is_missing_has_its_defaults(path: Path) -> None:
    path.write_text("")

    assert load(Limits, path, "limits", environ={}) == Limits()


def test_a_whole_file_can_be_one_model(path: Path) -> None:
    path.write_text("streams = 0")

    with pytest.raises(SettingsError, match=r"^node\.toml: streams: "):
        load(Limits, path)


def test_settings_do_not_change_after_the_start(path: Path) -> None:
    path.write_text("[tips]\nport = 7000")
    settings = load(Tips, path, "tips", environ={})

    with pytest.raises(ValueError, match="frozen"):
        settings.port = 7001


def test_a_model_that_would_overlook_a_key_is_a_mistake_of_the_code(path: Path) -> None:
    class Inner(BaseModel):
        x: int = 1

    class Lenient(BaseModel):
        model_config = STRICT
        inner: Inner = Inner()

    path.write_text("")

    with pytest.raises(TypeError, match="Inner must be made with model_config = STRICT"):
        load(Lenient, path)


def test_a_field_without_a_description_is_found() -> None:
    class Silent(BaseModel):
        model_config = STRICT
        a: int = 1
        limits: Limits = Limits()

    assert undescribed(Silent) == ["a"]
    assert undescribed(Tips) == []


def test_the_table_tells_type_bounds_default_and_reason() -> None:
    table = describe(Tips, "tips").splitlines()

    assert table[0] == "| setting | type | default | meaning |"
    assert (
        r"| `tips.port` | integer, > 1023, < 32768 | required | Below the ports \| that the system hands out. |"
        in table
    )
    assert '| `tips.mode` | one of `fast`, `sure` | `"sure"` | How. |' in table
    assert "| `tips.secret` | string or null, length ≤ 5 | `null` | What. |" in table
    assert any(line.startswith("| `tips.limits.streams` | integer, ≥ 1, ≤ 100 | `100` |") for line in table)
    assert len(table) == 2 + 8
