"""Expressions over facts: parsed and typed by rule-engine, refused where a replay could differ, compiled once.

What may stand in one is what gives the same for ever: facts, literals, comparisons, arithmetic in 34 digits, `and`,
`or`, `not`, `in`, `??`, a choice, and the functions below. A clock, chance, regular expressions and powers may not.
An expression is compiled into closures over rule-engine's own tree; a property test holds them against its evaluation.
Next: `origination/policies/engine.py`; `docs/spec/decisions.md`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Context as DecimalContext
from decimal import DecimalException
from typing import Any

from rule_engine import Context, DataType, Rule, ast
from rule_engine.errors import EngineError, SymbolResolutionError

from origination.policies import vocabulary
from origination.policies.vocabulary import Fact

DIGITS = DecimalContext(prec=vocabulary.DIGITS)
"""IEEE 754 decimal128: sums and products of what comes in are exact, a quotient is rounded half to even."""

FUNCTIONS: Mapping[str, Callable[..., Any]] = {"abs": abs, "min": min, "max": max}
MOST_CHARACTERS = 300

Symbols = Mapping[str, Any]
Evaluate = Callable[[Symbols], Any]

_TYPES: Mapping[str, Any] = {
    "integer": DataType.FLOAT,
    "decimal": DataType.FLOAT,
    "money": DataType.FLOAT,
    "text": DataType.STRING,
    "boolean": DataType.BOOLEAN,
    "date": DataType.DATETIME,
}
_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "tdiv": operator.truediv,
    "fdiv": operator.floordiv,
    "mod": operator.mod,
}
FAILURES = (ArithmeticError, DecimalException, TypeError)
"""What evaluating can raise: a division by zero, a number without end, a date beyond the calendar."""


class ExpressionRefused(ValueError):
    """An expression cannot be taken; the text says why."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: what it says, the facts that it asks for, and what computes it.

    `evaluate` takes symbols (`vocabulary.symbols`) inside the context `DIGITS`, and raises one of `FAILURES`.
    """

    text: str
    facts: frozenset[str]
    evaluate: Evaluate
    constant: Any = None
    parsed: Any = None


def context_of(facts: Mapping[str, Fact]) -> Context:
    """Return what expressions over these facts are parsed in."""
    types = {name: _type_of(fact) for name, fact in facts.items()}
    return Context(type_resolver=types, default_timezone=UTC, decimal_context=DIGITS, mapping_attribute_lookup=False)


def condition(text: str, context: Context) -> Expression:
    """Return an expression that is true or false. Raises: ExpressionRefused."""
    return _compiled(text, context, DataType.BOOLEAN, "true or false")


def quantity(text: str, context: Context) -> Expression:
    """Return an expression that is a number. Raises: ExpressionRefused."""
    return _compiled(text, context, DataType.FLOAT, "a number")


def _type_of(fact: Fact) -> Any:
    kind = _TYPES[fact.type]
    return DataType.NULLABLE(kind) if fact.nullable else kind


def _compiled(text: str, context: Context, wanted: Any, words: str) -> Expression:
    try:
        tree = Rule(text, context=context).statement.expression
    except SymbolResolutionError as error:
        raise ExpressionRefused(f"unknown fact {error.symbol_name}") from None
    except EngineError as error:
        raise ExpressionRefused(_said(error)) from None
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ExpressionRefused(f"it cannot be read: {error}") from None
    if tree.result_type != wanted:
        raise ExpressionRefused(f"it is {tree.result_type.name.lower()}, not {words}")
    evaluate, names = _closure(tree), frozenset(_names(tree))
    constant = evaluate({}) if not names else None
    return Expression(text, names, evaluate, constant, tree)


def _said(error: EngineError) -> str:
    if "mismatch" in error.message:
        return f"type clash: {error.message}"
    return str(error.message)


def _names(node: Any) -> Iterator[str]:
    if isinstance(node, ast.SymbolExpression) and node.scope is None:
        yield node.name
    for child in _children(node):
        yield from _names(child)


def _children(node: Any) -> Iterator[Any]:
    for name in ("left", "right", "condition", "case_true", "case_false", "container", "member"):
        child = getattr(node, name, None)
        if child is not None:
            yield child
    if isinstance(node, ast.FunctionCallExpression):
        yield from node.arguments
    if isinstance(node, ast.ArrayExpression):
        yield from node.value


def _closure(node: Any) -> Evaluate:
    """Return what computes a node of the tree. Raises: ExpressionRefused for a node that is not allowed."""
    for kind, build in _BUILDERS:
        if isinstance(node, kind):
            return build(node)
    raise ExpressionRefused(f"{type(node).__name__.removesuffix('Expression').lower()} is not allowed here")


def _literal(node: Any) -> Evaluate:
    value = node.evaluate(None)
    return lambda _: value


def _array(node: Any) -> Evaluate:
    if node.is_reduced:
        return _literal(node)
    members = [_closure(member) for member in node.value]
    return lambda facts: tuple(member(facts) for member in members)


def _symbol(node: Any) -> Evaluate:
    if node.scope is not None:
        raise ExpressionRefused(f"${node.name} is not allowed here")
    return operator.itemgetter(node.name)


def _logic(node: Any) -> Evaluate:
    _true_or_false(node.left)
    _true_or_false(node.right)
    left, right = _closure(node.left), _closure(node.right)
    if node.type == "and":
        return lambda facts: left(facts) and right(facts)
    return lambda facts: left(facts) or right(facts)


def _comparison(node: Any) -> Evaluate:
    kinds = [DataType.NULLABLE.unwrap(side.result_type) for side in (node.left, node.right)]
    if DataType.NULL not in kinds and kinds[0] != kinds[1]:
        raise ExpressionRefused(f"type clash: {kinds[0].name.lower()} is never {kinds[1].name.lower()}")
    return _binary(node)


def _binary(node: Any) -> Evaluate:
    if node.type not in _OPERATORS:
        raise ExpressionRefused(f"the operator {node.type} is not allowed here")
    compute, left, right = _OPERATORS[node.type], _closure(node.left), _closure(node.right)
    if isinstance(node.left, ast.SymbolExpression) and isinstance(node.right, ast.LiteralExpressionBase):
        # The form of nine rules in ten: a fact against a bound.
        name, bound = node.left.name, node.right.evaluate(None)
        return lambda facts: compute(facts[name], bound)
    return lambda facts: compute(left(facts), right(facts))


def _contains(node: Any) -> Evaluate:
    if not isinstance(node.container, ast.ArrayExpression) or not node.container.is_reduced:
        raise ExpressionRefused("what stands behind `in` is not a list of literals")
    kind = DataType.NULLABLE.unwrap(node.member.result_type)
    if node.container.result_type.value_type != kind:
        raise ExpressionRefused(f"type clash: the list behind `in` does not hold {kind.name.lower()}s")
    words, member = frozenset(node.container.evaluate(None)), _closure(node.member)
    return lambda facts: member(facts) in words


def _unary(node: Any) -> Evaluate:
    right = _closure(node.right)
    if node.type == "not":
        _true_or_false(node.right)
        return lambda facts: not right(facts)
    return lambda facts: -right(facts)


def _choice(node: Any) -> Evaluate:
    _true_or_false(node.condition)
    test, yes, no = _closure(node.condition), _closure(node.case_true), _closure(node.case_false)
    return lambda facts: yes(facts) if test(facts) else no(facts)


def _coalesce(node: Any) -> Evaluate:
    left, right = _closure(node.left), _closure(node.right)

    def first_there(facts: Symbols) -> Any:
        value = left(facts)
        return right(facts) if value is None else value

    return first_there


def _call(node: Any) -> Evaluate:
    function = node.function
    known = isinstance(function, ast.SymbolExpression) and function.scope is not None and function.name in FUNCTIONS
    if not known or len(node.arguments) != 1:
        raise ExpressionRefused(f"only {', '.join(f'${name}' for name in FUNCTIONS)} can be called, with one argument")
    compute, argument = FUNCTIONS[function.name], _closure(node.arguments[0])
    return lambda facts: compute(argument(facts))


def _true_or_false(node: Any) -> None:
    if node.result_type != DataType.BOOLEAN:
        raise ExpressionRefused(f"type clash: {node.result_type.name.lower()} where true or false is wanted")


_BUILDERS: tuple[tuple[Any, Callable[[Any], Evaluate]], ...] = (
    (ast.ArrayExpression, _array),
    (
        (
            ast.BooleanExpression,
            ast.FloatExpression,
            ast.StringExpression,
            ast.DatetimeExpression,
            ast.TimedeltaExpression,
            ast.NullExpression,
        ),
        _literal,
    ),
    (ast.SymbolExpression, _symbol),
    (ast.LogicExpression, _logic),
    (ast.FuzzyComparisonExpression, _binary),
    (ast.ComparisonExpression, _comparison),
    ((ast.AddExpression, ast.SubtractExpression, ast.ArithmeticExpression), _binary),
    (ast.ContainsExpression, _contains),
    (ast.UnaryExpression, _unary),
    (ast.TernaryExpression, _choice),
    (ast.CoalesceExpression, _coalesce),
    (ast.FunctionCallExpression, _call),
)
