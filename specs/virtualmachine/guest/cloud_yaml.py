"""YAML that cloud-init reads, read by its rules (YAML 1.1, as PyYAML's safe loader has them) but within limits.

cloud-init reads it inside the guest; here it is read to be checked and completed. Whatever is in it (a date that there
isn't, six hundred brackets, a tag of somebody's own) is a mistake with its line, and never another exception.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.resolver import Resolver

from specs.yaml_stream import MAPPING, PLAIN, SEQUENCE, YamlMistakeError, compose

_NO_VALUE = (ValueError, ArithmeticError, LookupError, AttributeError, TypeError, yaml.YAMLError)


class _Scalars(SafeConstructor, Resolver):
    """What a single scalar means; nothing else of PyYAML's loader is used."""

    def __init__(self) -> None:
        SafeConstructor.__init__(self)
        Resolver.__init__(self)

    def value(self, node: ScalarNode) -> Any:
        """Raises one of `_NO_VALUE` for what has none: PyYAML lets through whatever Python says of it."""
        implicit = (True, False)
        tag = self.resolve(ScalarNode, node.value, implicit) if node.tag == PLAIN else node.tag  # type: ignore[no-untyped-call]
        return self.construct_object(ScalarNode(tag, node.value, node.start_mark, node.end_mark))


def read_mapping(text: str) -> dict[str, Any]:
    """The mapping that a text is; empty for an empty text. Raises YamlMistakeError."""
    root = compose(text)
    if root is None:
        return {}
    value = _value(root, _Scalars())
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _mistake(root, "This is no mapping of `key: value`")
    return value


def top_level(text: str) -> dict[str, Node]:
    """The keys of a text that is a mapping, with the nodes of their values, which nobody reads. Aliases are fine: what
    they repeat stays one node. Raises YamlMistakeError.
    """
    root = compose(text, aliases=True)
    if root is None or _is_empty(root):
        return {}
    if not isinstance(root, MappingNode):
        raise _mistake(root, "This is no mapping of `key: value`")
    return {key.value: value for key, value in root.value if isinstance(key, ScalarNode)}


def sentence(mistake: YamlMistakeError) -> str:
    """A mistake in a text that is itself a value: where in the text, and what."""
    return f"Line {mistake.line + 1} of this text: {mistake.message}"


def _is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag == PLAIN and node.value in ("", "~", "null")


def _value(node: Node, scalars: _Scalars) -> Any:
    if isinstance(node, ScalarNode):
        try:
            return scalars.value(node)
        except _NO_VALUE:
            raise _mistake(node, "This isn't the date or the number that it looks like, or it has a tag") from None
    if node.tag not in (MAPPING, SEQUENCE):
        raise _mistake(node, "This has a tag, which cloud-init doesn't know")
    if not isinstance(node, MappingNode):
        return [_value(item, scalars) for item in node.value]
    found = {}
    for key_node, value_node in node.value:
        key = _value(key_node, scalars)
        if not isinstance(key, str):
            raise _mistake(key_node, "A key has to be text")
        found[key] = _value(value_node, scalars)
    return found


def _mistake(node: Node, what: str) -> YamlMistakeError:
    mark = node.start_mark
    return YamlMistakeError(mark.line, mark.column, f"{what}; correct it, or put it in quotes if text is meant.")
