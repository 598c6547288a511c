"""Every method says who may call it, and every write can be repeated safely."""

from __future__ import annotations

import re
from typing import Final

import pytest
from buf.validate import validate_pb2
from renkei.policy.v1 import policy_pb2

from tests.contract.source import Element, Field, Kind, by_name, fields_of, of_kind

METHODS: Final = of_kind(Kind.METHOD)
READING: Final = ("Get", "List", "Search", "Watch", "Read")
LISTING: Final = ("List", "Search")
# What the comments call the roles.
WORDS: Final = {
    policy_pb2.ROLE_OFFICER: r"\bofficers?\b|\bdrafter\b",
    policy_pb2.ROLE_SUPERVISOR: r"\bsupervisors?\b",
    policy_pb2.ROLE_CUSTODIAN: r"\bcustodians?\b",
    policy_pb2.ROLE_HQ_CHIEF: r"\bchief\b",
    policy_pb2.ROLE_NPA_DESK: r"\bcoordinators?\b",
    policy_pb2.ROLE_AUDITOR: r"\bauditors?\b",
    policy_pb2.ROLE_SERVICE: r"\bservices?\b",
    policy_pb2.ROLE_PEER: r"\bexchange of another agency\b",
    policy_pb2.ROLE_OPERATOR: r"\boperators?\b",
}
every_method = pytest.mark.parametrize("method", METHODS, ids=str)


def policy(method: Element) -> policy_pb2.MethodPolicy:
    found: policy_pb2.MethodPolicy = method.proto.options.Extensions[policy_pb2.method]
    return found


def told_callers(method: Element) -> str:
    """Give the part of a comment that names the callers, also where it points to another method."""
    found = re.search(r"(?:Callers:|Only the originator's)(.*)", method.comment)
    assert found is not None, f"{method}: the comment names no callers"
    other = re.search(r"as for (\w+)", found[1])
    return told_callers(by_name()[f"{method.parent}.{other[1]}"]) if other else found[1]


def test_there_are_methods() -> None:
    assert len(METHODS) >= 34


@every_method
def test_every_method_has_a_permission_and_roles(method: Element) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", policy(method).permission)
    assert policy(method).roles
    assert policy_pb2.ROLE_UNSPECIFIED not in policy(method).roles
    assert len(set(policy(method).roles)) == len(policy(method).roles)


@every_method
def test_the_comment_names_exactly_the_roles_that_may_call(method: Element) -> None:
    """Comments are what people read; they must not promise less, or more, than the server allows."""
    text = told_callers(method)
    named = {role for role, words in WORDS.items() if re.search(words, text)}

    assert {policy_pb2.Role.Name(role) for role in named} == {policy_pb2.Role.Name(r) for r in policy(method).roles}


def test_one_permission_means_one_set_of_roles() -> None:
    held: dict[str, set[tuple[int, ...]]] = {}
    for method in METHODS:
        held.setdefault(policy(method).permission, set()).add(tuple(sorted(policy(method).roles)))

    assert {name: roles for name, roles in held.items() if len(roles) > 1} == {}


def test_every_role_is_known_by_words() -> None:
    assert set(WORDS) == set(policy_pb2.Role.values()) - {policy_pb2.ROLE_UNSPECIFIED}


@pytest.mark.parametrize("method", [m for m in METHODS if not m.short.startswith(READING)], ids=str)
def test_every_write_can_be_repeated_safely(method: Element) -> None:
    """A load names itself once and each row by number; everything else names each call."""
    wanted = "load_id" if method.proto.client_streaming else "request_id"
    request = method.proto.input_type.removeprefix(".")
    rules = by_name()[f"{request}.{wanted}"].proto.options.Extensions[validate_pb2.field]

    assert rules.required
    assert rules.string.uuid


@pytest.mark.parametrize("method", [m for m in METHODS if m.short.startswith(LISTING)], ids=str)
def test_every_list_has_pages(method: Element) -> None:
    request, answer = (name.removeprefix(".") for name in (method.proto.input_type, method.proto.output_type))
    asked = {field.short: field.proto for field in fields_of(request)}
    given = {field.short: field.proto for field in fields_of(answer)}

    assert asked["page_size"].type == Field.TYPE_INT32
    assert asked["page_size"].options.Extensions[validate_pb2.field].int32.gte == 0
    assert asked["page_token"].type == Field.TYPE_STRING
    assert given["next_page_token"].type == Field.TYPE_STRING
    assert sum(f.label == Field.LABEL_REPEATED and f.type == Field.TYPE_MESSAGE for f in given.values()) == 1


@pytest.mark.parametrize("method", [m for m in METHODS if m.short.startswith("Watch")], ids=str)
def test_every_watch_streams_and_resumes(method: Element) -> None:
    request, answer = (name.removeprefix(".") for name in (method.proto.input_type, method.proto.output_type))
    pair = {field.short for field in fields_of(request)}, {field.short for field in fields_of(answer)}

    assert method.proto.server_streaming
    assert "resume_token" in pair[0] & pair[1] or ("after_sequence" in pair[0] and "through_sequence" in pair[1])


@every_method
def test_every_method_has_a_request_of_its_own(method: Element) -> None:
    assert method.proto.input_type.removeprefix(".") == f"{method.package}.{method.short}Request"
