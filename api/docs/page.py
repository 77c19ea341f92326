"""The page: a list of addresses by family beside what each takes and answers. Pure: OpenAPI document → HTML.

Everything that comes from elsewhere is escaped; the page has no script, and its style is a file of its own, so that it
can be served with a content security policy that allows nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from api.docs.prose import inline, prose
from api.docs.samples import curl, resolved
from api.docs.schema_table import schema_html, type_html
from api.http.response_headers import STYLE
from specs.plain import DocumentData, Json

_METHODS: Final = ("get", "post", "put", "delete")

Operation = Mapping[str, Any]


def page(document: DocumentData) -> str:
    """The whole document."""
    info = document["info"]
    families = _families(document)
    sections = "".join(_section(tag, operations, document) for tag, operations in families.items())
    title = f"{escape(info['title'])} API"
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><link rel='stylesheet' href='{STYLE}'></head><body>"
        "<a class='skip' href='#content'>To the content</a>"
        f"<header><p class='name'>{title} <span>{escape(info['version'])}</span></p>"
        "<p><a href='/openapi.json'>openapi.json</a></p></header>"
        f"<div class='columns'><nav aria-label='Addresses'>{_navigation(families)}</nav>"
        f"<main id='content'><section class='intro'><h1>{title}</h1>{prose(info['description'])}</section>"
        f"{sections}{_schemas(document)}</main></div></body></html>\n"
    )


def _families(document: DocumentData) -> dict[str, list[tuple[str, str, Operation]]]:
    found: dict[str, list[tuple[str, str, Operation]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = {**item[method], "path_parameters": item.get("parameters", [])}
                found[operation["tags"][0]].append((method.upper(), path, operation))
    return found


def _navigation(families: Mapping[str, list[tuple[str, str, Operation]]]) -> str:
    def family(tag: str, operations: list[tuple[str, str, Operation]]) -> str:
        links = "".join(
            f"<li><a href='#{_anchor(each)}'>{_badge(method)} <span>{_path(path)}</span></a></li>"
            for method, path, each in operations
        )
        return f"<details open><summary>{escape(tag)}</summary><ul>{links}</ul></details>"

    schemas = "<p><a href='#schemas'>Schemas</a></p>"
    return "".join(family(tag, operations) for tag, operations in families.items()) + schemas


def _section(tag: str, operations: list[tuple[str, str, Operation]], document: DocumentData) -> str:
    articles = "".join(_article(method, path, each, document) for method, path, each in operations)
    return f"<section aria-labelledby='{_slug(tag)}'><h2 id='{_slug(tag)}'>{escape(tag)}</h2>{articles}</section>"


def _article(method: str, path: str, operation: Operation, document: DocumentData) -> str:
    components = document["components"]["schemas"]
    anchor = _anchor(operation)
    parts = [
        f"<h3><a href='#{anchor}'>{_badge(method)} <code>{_path(path)}</code></a></h3>",
        f"<p class='summary'>{inline(operation['summary'])}</p>",
    ]
    if roles := sorted({role for way in operation.get("security", ()) for names in way.values() for role in names}):
        parts.append(f"<p>From the role {escape(', '.join(roles))} on.</p>")
    if "description" in operation:
        parts.append(prose(operation["description"]))
    parts += _parameters(operation, document)
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<h4>Body <small>{escape(kind)}</small></h4>")
        parts.append(schema_html(body["schema"], components, caption=f"The body of {method} {path}"))
    parts.append("<h4>Answers</h4>" + _answers(method, path, operation, document))
    command = escape(curl(method, path, operation, components))
    parts.append(f"<pre tabindex='0' aria-label='Example'><code>{command}</code></pre>")
    return f"<article id='{anchor}'>{''.join(parts)}</article>"


def _parameters(operation: Operation, document: DocumentData) -> Iterator[str]:
    shared = document["components"]["parameters"]
    given = [*operation["path_parameters"], *(resolved(each, shared) for each in operation.get("parameters", ()))]
    filters = [each["name"] for each in given if each["in"] == "query" and each["schema"].get("type") == "array"]
    rows = [
        f"<tr><th scope='row'><code>{escape(each['name'])}</code></th>"
        f"<td>{type_html(each['schema'])}</td><td>{inline(_meaning(each))}</td></tr>"
        for each in given
        if each["name"] not in filters and each["in"] == "query"  # the text above tells of the headers
    ]
    if rows:
        head = "".join(f"<th scope='col'>{each}</th>" for each in ("Parameter", "Type", "Meaning"))
        yield (
            f"<h4>Parameters</h4><div class='wide' tabindex='0' role='region' aria-label='Parameters'><table>"
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        )
    if filters:
        names = ", ".join(f"<code>{escape(name)}</code>" for name in filters)
        yield f"<p>Filters: {names}.</p>"


def _meaning(parameter: Json) -> str:
    return str(parameter.get("description") or parameter["schema"].get("description") or "")


def _answers(method: str, path: str, operation: Operation, document: DocumentData) -> str:
    components, shared = document["components"]["schemas"], document["components"]["responses"]
    parts, errors = [], []
    for status, answer in sorted(operation["responses"].items()):
        told = resolved(answer, shared)
        if "$ref" in answer:
            errors.append(f"<abbr title='{escape(told['description'])}'>{status}</abbr>")
            continue
        if status == "304":
            continue
        label = f"<strong class='status'>{status}</strong> "
        contents = told.get("content", {})
        if not contents:
            parts.append(f"<p>{label}{escape(told['description'])}</p>")
        for kind, content in contents.items():
            if kind == "application/json":
                caption = f"The answer of {method} {path}"
                parts.append(schema_html(content["schema"], components, caption=caption, label=label))
            else:
                parts.append(f"<p>{label}<code>{escape(kind)}</code></p>")
    return f"{''.join(parts)}<p class='errors'>Errors: {', '.join(errors)}</p>"


def _schemas(document: DocumentData) -> str:
    components = document["components"]["schemas"]
    articles = "".join(
        f"<article id='schema-{escape(name)}'><h3>{escape(name)}</h3>"
        f"{schema_html(schema, components, caption=f'The fields of {name}')}</article>"
        for name, schema in components.items()
    )
    return f"<section aria-labelledby='schemas'><h2 id='schemas'>Schemas</h2>{articles}</section>"


def _path(path: str) -> str:
    """With places where a long one may be broken, and what is variable marked."""
    marked = re.sub(r"{(\w+)}", r"<var>{\1}</var>", escape(path))
    return re.sub(r"(?<=.)/(?!var)", "<wbr>/", marked)


def _badge(method: str) -> str:
    return f"<b class='method {method.lower()}'>{method}</b>"


def _anchor(operation: Operation) -> str:
    return escape(str(operation["operationId"]))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())
