"""Make every small mistake in the rules, one at a time: mutants of their syntax trees.

A mutant is not written in its words (documentation, the Japanese and English of rows) nor in what only types read.
"""

from __future__ import annotations

import ast
import copy
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from tests.personas.world import MODULES, PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MUTATED: Final = tuple(name for name in MODULES if name not in {"states", "reasons"})
"""`states` and `reasons` hold numbers and words alone, which are compared with the contract's."""
_WORDS: Final = frozenset({"ja", "en", "records"})
_COMPARE: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_BINARY: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_CALLS: Final = {"max": "min", "min": "max", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake: in which module, in which line, and what it is."""

    module: str
    line: int
    what: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.what}"


def mutants(module: str) -> Iterator[Mutant]:
    """Make every mutant of a module, one after the other in the same tree: use each before you ask for the next."""
    tree = ast.parse(_source(module))
    for node, parent, field, index in list(_places(tree)):
        for what, change in list(_changes(node)):
            told = f"{what}: {ast.unparse(node)[:90]}"
            wrong = change(copy.deepcopy(node))
            ast.copy_location(wrong, node)
            ast.fix_missing_locations(wrong)
            _put(parent, field, index, wrong)
            yield Mutant(module, getattr(node, "lineno", 0), told, tree)
            _put(parent, field, index, node)


def load(mutant: Mutant) -> SimpleNamespace:
    """Give the rules as a package in which one module is a mutant; who imports it is loaded anew."""
    names = [f"{PACKAGE}.{name}" for name in MODULES]
    package = sys.modules[PACKAGE]
    kept = {name: sys.modules[name] for name in names}
    attributes = {name: getattr(package, name) for name in MODULES}
    start = MODULES.index(mutant.module)
    try:
        for position, name in enumerate(MODULES):
            if position < start:
                continue
            code = compile(mutant.tree, name, "exec") if position == start else _code(name)
            module = ModuleType(f"{PACKAGE}.{name}")
            sys.modules[module.__name__] = module
            setattr(package, name, module)
            exec(code, module.__dict__)  # noqa: S102 (our own rules, a little wrong)
        return SimpleNamespace(**{name: sys.modules[f"{PACKAGE}.{name}"] for name in MODULES})
    finally:
        sys.modules.update(kept)
        for name, module in attributes.items():
            setattr(package, name, module)


def _source(module: str) -> str:
    spec = importlib.util.find_spec(f"{PACKAGE}.{module}")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text()


_CODES: dict[str, Any] = {}


def _code(module: str) -> Any:  # noqa: ANN401
    if module not in _CODES:
        _CODES[module] = compile(_source(module), module, "exec")
    return _CODES[module]


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST, str, int | None]]:
    """Give every node where a mistake could be, with where it hangs."""
    for field, value in ast.iter_fields(tree):
        if _is_of_types(tree, field):
            continue
        for index, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(item, ast.AST) or _is_spared(item):
                continue
            yield item, tree, field, index
            yield from _places(item)


def _is_of_types(node: ast.AST, field: str) -> bool:
    return field in {"annotation", "returns", "decorator_list", "bases"} or (
        isinstance(node, ast.keyword) and node.arg in _WORDS
    )


_WORDS_APART: Final = frozenset({"WHY", "WHAT", "HASHED", "SENT", "CHAINED", "WHEN", "records"})


def _is_spared(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Delete() | ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name in _WORDS_APART
        case _:
            return False


def _changes(node: Any) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:  # noqa: ANN401, C901, PLR0912 (a kind of mistake each)
    match node:
        case ast.Compare(ops=ops):
            for position, op in enumerate(ops):
                for other in _COMPARE[type(op)]:
                    yield f"compare {position} by {other.__name__}", _compared(position, other)
        case ast.BoolOp(op=op):
            other_op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield "and for or", _with(op=other_op)
            for position in range(len(node.values)):
                yield f"without condition {position}", _without("values", position)
        case ast.UnaryOp(op=ast.Not()):
            yield "without not", lambda it: it.operand
        case ast.If() | ast.IfExp():
            yield "the other way round", _negated
        case ast.Constant(value=bool()):
            yield "the other truth", lambda it: ast.Constant(value=not it.value)
        case ast.Constant(value=int()):
            yield "one more", lambda it: ast.Constant(value=it.value + 1)
        case ast.BinOp(op=op) if type(op) in _BINARY:
            yield "the opposite", _with(op=_BINARY[type(op)]())
        case ast.Set(elts=elements) | ast.Tuple(elts=elements) if elements and isinstance(
            getattr(node, "ctx", ast.Load()), ast.Load
        ):
            for position in range(len(elements)):
                yield f"without element {position}", _without("elts", position)
        case ast.Dict(keys=keys):
            for position in range(len(keys)):
                yield f"without entry {position}", _without_entry(position)
        case ast.Call():
            yield from _of_call(node)
        case ast.Raise():
            yield "nothing raised", lambda _: ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield "not done", lambda _: ast.Pass()
        case ast.comprehension(ifs=[_, *_]):
            yield "without the condition", _with(ifs=[])
        case ast.Return(value=ast.Name() | ast.Attribute() | ast.Call()):
            yield "nothing returned", _with(value=ast.Constant(value=None))
        case _:
            pass


def _of_call(node: ast.Call) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:
    for position, keyword in enumerate(node.keywords):
        if keyword.arg not in _WORDS | {"key"}:
            yield f"without {keyword.arg or '**'}", _without("keywords", position)
    match node.func:
        case ast.Name(id=name) if name in _CALLS:
            yield f"{_CALLS[name]} for {name}", _with(func=ast.Name(id=_CALLS[name], ctx=ast.Load()))
        case ast.Name(id="states" | "parts"):
            for position in range(len(node.args)):
                yield f"without argument {position}", _without("args", position)
        case _:
            pass


def _compared(position: int, other: type[ast.cmpop]) -> Callable[[Any], ast.AST]:
    def change(node: Any) -> ast.AST:  # noqa: ANN401
        node.ops[position] = other()
        return node  # type: ignore[no-any-return]

    return change


def _with(**changes: Any) -> Callable[[Any], ast.AST]:  # noqa: ANN401
    def change(node: Any) -> ast.AST:  # noqa: ANN401
        for name, value in changes.items():
            setattr(node, name, value)
        return node  # type: ignore[no-any-return]

    return change


def _without(field: str, position: int) -> Callable[[Any], ast.AST]:
    def change(node: Any) -> ast.AST:  # noqa: ANN401
        items = getattr(node, field)
        del items[position]
        if isinstance(node, ast.BoolOp) and len(items) == 1:
            return items[0]  # type: ignore[no-any-return]
        if isinstance(node, ast.Set) and not items:
            return ast.Call(func=ast.Name(id="set", ctx=ast.Load()), args=[], keywords=[])
        return node  # type: ignore[no-any-return]

    return change


def _without_entry(position: int) -> Callable[[Any], ast.AST]:
    def change(node: Any) -> ast.AST:  # noqa: ANN401
        del node.keys[position], node.values[position]
        return node  # type: ignore[no-any-return]

    return change


def _negated(node: Any) -> ast.AST:  # noqa: ANN401
    node.test = ast.UnaryOp(op=ast.Not(), operand=node.test)
    return node  # type: ignore[no-any-return]


def _put(parent: Any, field: str, index: int | None, node: ast.AST) -> None:  # noqa: ANN401
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node
