"""The settings of a node: `node.toml`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from renkei_chassis.database.postgresql.url import SERVICE
from renkei_chassis.settings import STRICT
from renkei_node.layout import DESK, SERVICES

# Below the ephemeral range: an outgoing connection must not take the port while the server is down.
Port = Annotated[int, Field(ge=1024, le=32767)]


class NodeSettings(BaseModel):
    """Section `node`."""

    model_config = STRICT

    agency: str = Field(
        pattern=r"^agencies/[a-z]{2}-[a-z0-9]{2,8}$",
        description="Whose node it is, such as `agencies/jp-12`. Each database remembers it and refuses another.",
    )
    training: bool = Field(
        default=False, description="All data is invented (演習データ). Commands say so on every page."
    )
    release_without_instrument: bool = Field(
        default=False,
        description="Records leave for the agencies of their label although no legal instrument stands behind it. "
        "Only for demonstrations, until instruments exist.",
    )
    reflection: bool = Field(
        default=False,
        description="Serve gRPC reflection. Only for demonstrations: the fewer doors the better.",
    )
    courier: bool = Field(
        default=True, description="Run a nats-server and use it. Off, everything works over gRPC alone, only slower."
    )
    nats_store_megabytes: int = Field(
        default=9216,
        ge=64,
        le=1_000_000,
        description="What the nats-server's store may take on disk. It is a buffer that can be rebuilt. Each stream, "
        "two for each other agency and one for each service, has 64 MiB of it set aside, used or not; one for which "
        "there is no room is not made.",
    )
    database: str = Field(
        default="",
        repr=False,
        description="A PostgreSQL server instead of files: `postgresql://user@host:5432/renkei_{service}` names a "
        "database for each service, which is there and empty at the first start. `?sslmode=verify-full` and the other "
        "parameters of libpq follow. A password stands better in `~/.pgpass` or in `RENKEI_NODE_DATABASE`. "
        "Empty: a file for each service in `data/`.",
    )
    nats_log_hours: int = Field(
        default=24,
        ge=1,
        le=8760,
        description="How long messages of the services' own logs stay at the nats-server. Whoever was away longer "
        "reads the log itself. A change makes the streams anew, which `renkei status` shows once.",
    )
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="The least severe line that is logged."
    )
    log_megabytes: int = Field(
        default=16,
        ge=1,
        le=10_000,
        description="How large `logs/node.log` grows before a new one is begun and it becomes `node.log.1`.",
    )
    log_files: int = Field(
        default=8, ge=1, le=1000, description="How many files of the log are kept, the newest included."
    )

    @field_validator("database")
    @classmethod
    def _names_each_service(cls, text: str) -> str:
        if text and SERVICE not in text:
            raise ValueError(f"must contain {SERVICE}: each service has a database of its own")
        return text


class Ports(BaseModel):
    """Section `ports`. All on 127.0.0.1."""

    model_config = STRICT

    tips: Port = Field(description="gRPC of the tips service.")
    arrests: Port = Field(description="gRPC of the arrests service.")
    personas: Port = Field(description="gRPC of the personas service.")
    leads: Port = Field(description="gRPC of the leads service.")
    exchange: Port = Field(description="gRPC of the exchange: other agencies call it.")
    nats: Port = Field(
        description="The agency's nats-server: its services and the other agencies' exchanges connect to it."
    )
    metrics: Port = Field(description="Prometheus metrics of the whole node, at /metrics.")
    desk: Port | Literal[0] = Field(default=0, description="gRPC of the desk. 0: the node has no desk.")
    web: Port | Literal[0] = Field(default=0, description="The desk's pages, over TLS.")

    @property
    def services(self) -> tuple[str, ...]:
        """Name the services that this node has."""
        return (*SERVICES, DESK) if self.desk else SERVICES

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.desk) != bool(self.web):
            raise ValueError("desk and web belong together: give both, or neither")
        return self

    def address(self, service: str) -> str:
        """Give `127.0.0.1:port` of one service."""
        return f"127.0.0.1:{getattr(self, service)}"
