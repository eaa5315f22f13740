"""A file of variables for a bulk mutation: announced to the shop, laid down at its storage.

https://shopify.dev/docs/api/usage/bulk-operations/imports (2026-11-23)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import ShopUnavailable
from connectors.http import Http
from connectors.shopify.graphql import ask

STAGE_UPLOAD = """
mutation StageUpload($input: [StagedUploadInput!]!) {
  stagedUploadsCreate(input: $input) {
    stagedTargets { url parameters { name value } }
    userErrors { message }
  }
}
"""

FILE: Mapping[str, str] = {
    "resource": "BULK_MUTATION_VARIABLES",
    "filename": "clv.jsonl",
    "mimeType": "text/jsonl",
    "httpMethod": "POST",
}


def laid_down(http: Http, content: bytes) -> str:
    """The path by which the shop finds the file."""
    url, form, path = _target(http)
    http.upload(url, form, content)
    return path


def _target(http: Http) -> tuple[str, dict[str, str], str]:
    """Where the shop wants the file, what has to stand before it in that order, and its path."""
    payload: Any = ask(http, STAGE_UPLOAD, {"input": [dict(FILE)]}).get("stagedUploadsCreate")
    try:
        (target,) = payload["stagedTargets"]
        form = {str(one["name"]): str(one["value"]) for one in target["parameters"]}
        return str(target["url"]), form, form["key"]
    except (TypeError, ValueError, KeyError):
        raise ShopUnavailable("the shop tells no place for a file", shop=http.shop) from None
