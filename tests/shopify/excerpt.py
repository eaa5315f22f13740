"""Cuts the part of Shopify's schema that our documents use out of the whole of it.

    python tests/shopify/excerpt.py admin_2026-10.graphql.gz > tests/shopify/admin_2026-10.graphql

Run it again wherever a document asks for something new. Also finds all documents: the constants of
`connectors.shopify` that begin as a query or a mutation does.
"""

from __future__ import annotations

import gzip
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from copy import copy
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
    parse,
    print_type,
    visit,
)

import connectors.shopify
from connectors.shopify.documents import COUNTS_AT_ONCE, counting, writing

#: What is put together as it is needed, at its fullest.
MADE = {
    "counting": counting(COUNTS_AT_ONCE),
    "writing": writing(["set0", "delete0", "remove0", "add0", "set23", "add23"]),
}


def documents() -> dict[str, str]:
    """Every document by its module and name."""
    found = {
        f"{module.__name__.removeprefix('connectors.shopify.')}.{name}": value
        for module in _modules()
        for name, value in vars(module).items()
        if isinstance(value, str) and re.match(r"\s*(query|mutation)\b[^\n]*[({]", value)
    }
    own: dict[str, str] = {}
    for name in sorted(found, key=lambda name: not name.startswith("documents.")):
        own.setdefault(found[name], name)  # what was imported counts once
    return {name: document for document, name in own.items()} | MADE


def _modules() -> Iterator[Any]:
    path = connectors.shopify.__path__
    for info in pkgutil.walk_packages(path, "connectors.shopify."):
        yield import_module(info.name)


@cache  # it takes seconds
def whole_schema(packed: bytes) -> GraphQLSchema:
    return build_schema(gzip.decompress(packed).decode(), assume_valid=True, no_location=True)


class Used(Visitor):
    """Which fields of which types are asked for, and all that they are made of."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self.info = TypeInfo(schema)
        self.schema = schema
        self.fields: dict[str, set[str]] = defaultdict(set)
        self.whole: set[str] = set()

    def look(self, document: str) -> None:
        visit(parse(document), TypeInfoVisitor(self.info, self))

    def enter_field(self, node: Any, *_: object) -> None:
        parent, field = self.info.get_parent_type(), self.info.get_field_def()
        if parent is None or field is None or node.name.value.startswith("__"):
            return
        self.fields[parent.name].add(node.name.value)
        self._need(field.type)
        for argument in node.arguments or ():
            self._need(field.args[argument.name.value].type)

    def enter_variable_definition(self, node: Any, *_: object) -> None:
        self._need(self.info.get_input_type())

    def _need(self, type_: Any) -> None:
        named = get_named_type(type_)
        if named is None or named.name in self.whole:
            return
        if isinstance(named, GraphQLInputObjectType):
            self.whole.add(named.name)
            for field in named.fields.values():
                self._need(field.type)
        elif isinstance(named, GraphQLScalarType | GraphQLEnumType):
            self.whole.add(named.name)
        else:
            self.fields[named.name] |= set()


def excerpt(schema: GraphQLSchema, asked: Iterable[str]) -> str:
    """The types that the documents use, with the fields and arguments that they use."""
    used = Used(schema)
    for document in asked:
        used.look(document)
    arguments = _arguments(used, asked)
    types = [_cut(schema.type_map[name], used, arguments) for name in sorted(used.fields)]
    whole = [schema.type_map[name] for name in sorted(used.whole)]
    text = [_plain(print_type(t)) for t in (*types, *whole) if not is_specified_scalar_type(t)]
    return "\n".join(["schema {\n  query: QueryRoot\n  mutation: Mutation\n}\n", *text])


def _plain(text: str) -> str:
    """A type without descriptions and blank lines."""
    bare = re.sub(r'^ *"""(?:(?!""").)*"""$', "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(line for line in bare.splitlines() if line.strip()) + "\n"


def _arguments(used: Used, asked: Iterable[str]) -> set[tuple[str, str, str]]:
    """Type, field and argument for each that is given, or has to be."""
    found: set[tuple[str, str, str]] = set()

    class Arguments(Visitor):
        def enter_field(self, node: Any, *_: object) -> None:
            parent = used.info.get_parent_type()
            for argument in node.arguments or ():
                assert parent
                found.add((parent.name, node.name.value, argument.name.value))

    for document in asked:
        visit(parse(document), TypeInfoVisitor(used.info, Arguments()))
    return found


def _cut(type_: Any, used: Used, arguments: set[tuple[str, str, str]]) -> Any:
    if isinstance(type_, GraphQLUnionType):
        return type_
    names = used.fields[type_.name] | ({"id"} if _is_node(type_) else set())
    fields = {name: copy(field) for name, field in type_.fields.items() if name in names}
    for name, field in fields.items():
        field.args = {a: arg for a, arg in field.args.items() if (type_.name, name, a) in arguments}
    if isinstance(type_, GraphQLInterfaceType):
        return GraphQLInterfaceType(type_.name, fields)
    kept = [i for i in type_.interfaces if i.name == "Node"] if "Node" in used.fields else []
    return GraphQLObjectType(type_.name, fields, interfaces=kept)


def _is_node(type_: Any) -> bool:
    return type_.name == "Node" or any(i.name == "Node" for i in getattr(type_, "interfaces", ()))


if __name__ == "__main__":
    real = whole_schema(Path(sys.argv[1]).read_bytes())
    sys.stdout.write(excerpt(real, list(documents().values())))
