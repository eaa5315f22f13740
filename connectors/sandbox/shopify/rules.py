"""GraphQL validation in Shopify's words, where they were recorded (2025-01 to 2026-04)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    ValidationRule,
    is_required_argument,
    specified_rules,
)
from graphql.validation import (
    FieldsOnCorrectTypeRule,
    KnownArgumentNamesRule,
    ProvidedRequiredArgumentsRule,
)


class KnownFields(ValidationRule):
    """Fields that the type doesn't have."""

    def enter_field(self, node: FieldNode, *around: Any) -> None:
        type_ = self.context.get_parent_type()
        if type_ is None or self.context.get_field_def() is not None:
            return
        name = node.name.value
        told = f"Field '{name}' doesn't exist on type '{type_.name}'"
        code = {"code": "undefinedField", "typeName": type_.name, "fieldName": name}
        self.report_error(_error(told, node, around[-1], code))


class KnownArguments(ValidationRule):
    """Arguments that a field doesn't take, and those that it needs and doesn't get."""

    def enter_field(self, node: FieldNode, *around: Any) -> None:
        field = self.context.get_field_def()
        if field is None:
            return
        name, given = node.name.value, [argument.name.value for argument in node.arguments or ()]
        for argument in given:
            if argument not in field.args:
                told = f"Field '{name}' doesn't accept argument '{argument}'"
                code = {"code": "argumentNotAccepted", "name": name, "typeName": "Field"}
                code["argumentName"] = argument
                self.report_error(_error(told, node, around[-1], code))
        needed = [n for n, a in field.args.items() if is_required_argument(a) and n not in given]
        if needed:
            listed = ", ".join(needed)
            told = f"Field '{name}' is missing required arguments: {listed}"
            code = {"code": "missingRequiredArguments", "className": "Field", "name": name}
            self.report_error(_error(told, node, around[-1], {**code, "arguments": listed}))


def _error(
    message: str, node: FieldNode, ancestors: Sequence[Any], extensions: dict[str, Any]
) -> GraphQLError:
    return GraphQLError(message, node, path=_path(node, ancestors), extensions=extensions)


def _path(node: FieldNode, ancestors: Sequence[Any]) -> list[str | int]:
    """The operation, and the fields down to this one."""
    path: list[str | int] = []
    for ancestor in (*ancestors, node):
        if isinstance(ancestor, OperationDefinitionNode):
            name = f" {ancestor.name.value}" if ancestor.name else ""
            path.append(f"{ancestor.operation.value}{name}")
        elif isinstance(ancestor, FieldNode):
            path.append((ancestor.alias or ancestor.name).value)
    return path


_REPLACED = (FieldsOnCorrectTypeRule, KnownArgumentNamesRule, ProvidedRequiredArgumentsRule)

RULES = [
    *(rule for rule in specified_rules if rule not in _REPLACED),
    KnownFields,
    KnownArguments,
]
