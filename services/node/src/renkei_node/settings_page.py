"""Write docs/settings.md from the models: `python -m renkei_node.settings_page > docs/settings.md`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import renkei_arrests.settings
import renkei_desk.settings
import renkei_exchange.settings
import renkei_leads.settings
import renkei_personas.settings
import renkei_tips.settings
from renkei_chassis.alone import ProcessSettings
from renkei_chassis.records.protected import Protected
from renkei_chassis.settings import describe
from renkei_chassis.telemetry.settings import TelemetrySettings
from renkei_exchange.federation import Agency
from renkei_node.officers import Officer
from renkei_node.settings import NodeSettings, Ports

if TYPE_CHECKING:
    from pydantic import BaseModel

_HEAD: Final = """\
# Settings

Made by `python -m renkei_node.settings_page > docs/settings.md`; a test fails when it is stale.

An environment variable `RENKEI_<SECTION>_<FIELD>`, such as `RENKEI_NODE_LOG_LEVEL`, goes before the file.
A value that is wrong stops the start with the setting's name; an unknown setting is refused.
"""
_FILES: Final[tuple[tuple[str, tuple[tuple[str, type[BaseModel]], ...]], ...]] = (
    (
        "`node.toml`",
        (
            ("node", NodeSettings),
            ("ports", Ports),
            ("telemetry", TelemetrySettings),
            ("tips", renkei_tips.settings.Settings),
            ("arrests", renkei_arrests.settings.Settings),
            ("personas", renkei_personas.settings.Settings),
            ("exchange", renkei_exchange.settings.Settings),
            ("leads", renkei_leads.settings.Settings),
            ("desk", renkei_desk.settings.Settings),
        ),
    ),
    ("`federation.toml`: one section `[[agencies]]` for each agency, this one too", (("agencies", Agency),)),
    ("`officers.toml`, where there is one: a section `[[officers]]` for each officer", (("officers", Officer),)),
    (
        "`protected.toml`, which need not be there: one section `[[protected]]` for each group of identifiers",
        (("protected", Protected),),
    ),
    ("A service in a process of its own: `python -m renkei_<service> FILE`", (("process", ProcessSettings),)),
)


def settings_page() -> str:
    """Give the whole page."""
    parts = [_HEAD]
    for title, sections in _FILES:
        parts.append(f"\n## {title}\n")
        parts.extend(f"\n### {name}\n\n{describe(model, name)}" for name, model in sections)
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(settings_page())
