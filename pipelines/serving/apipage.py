"""The API on one page, made from its OpenAPI description: no script, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c1c1c; background: #fff; }
pre, code { font: 14px/1.4 ui-monospace, monospace; background: #f2f2f2; }
pre { padding: 0.8rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem;
  border-bottom: 1px solid #ccc; }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #181818; } pre, code { background: #2a2a2a; }
}
"""
EXAMPLE = """curl {url}/v1/audio/speech -H 'Content-Type: application/json' \\
  -d '{{"input": "Good evening.", "voice": "base"}}' -o hello.mp3

from openai import OpenAI
client = OpenAI(base_url="{url}/v1", api_key="the key, or anything where there is none")
with client.audio.speech.with_streaming_response.create(
    model="clone-voice", voice="base", input="Good evening."
) as response:
    response.stream_to_file("hello.mp3")"""


def api_page(description: dict[str, Any], url: str) -> str:
    """HTML for an OpenAPI description of a server at `url`."""
    title = escape(description["info"]["title"])
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width"><meta name="referrer" '
        f'content="no-referrer"><style>{STYLE}</style><main><h1>{title}</h1>',
        '<p>The machine-readable form: <a href="/openapi.json">/openapi.json</a></p>',
        f'<pre tabindex="0">{escape(EXAMPLE.format(url=url))}</pre>',
    ]
    schemas = description.get("components", {}).get("schemas", {})
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            parts.append(_route(method, path, route, schemas))
    return "".join([*parts, "</main></html>"])


def _route(method: str, path: str, route: dict[str, Any], schemas: dict[str, Any]) -> str:
    head = f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    content = route.get("requestBody", {}).get("content", {})
    fields: dict[str, Any] = {}
    required: list[str] = []
    for body in content.values():
        schema = body["schema"]
        schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
        fields, required = schema.get("properties", {}), schema.get("required", [])
    fields |= {p["name"]: p["schema"] for p in route.get("parameters", [])}
    rows = "".join(_row(name, field, name in required) for name, field in fields.items())
    table = f"<table><tr><th>field<th>what<th>default</tr>{rows}</table>" if rows else ""
    return f"{head}<p>{escape(route.get('summary', ''))}</p>{table}"


def _row(name: str, field: dict[str, Any], required: bool) -> str:
    told = [field.get("description", ""), _kind(field)]
    default = "needed" if required else str(field.get("default", ""))
    words = " ".join(filter(None, told))
    return f"<tr><td><code>{escape(name)}</code><td>{escape(words)}<td>{escape(default)}</tr>"


def _kind(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(map(str, field["enum"])) + "."
    if "minimum" in field and "maximum" in field:
        return f"{field['minimum']} to {field['maximum']}."
    return ""
