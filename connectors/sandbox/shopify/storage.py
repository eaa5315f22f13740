"""Where the sandbox's Shopify keeps files: results of bulk operations, and uploads for them.

The real ones lie at storage.googleapis.com; these lie on the sandbox's own server, at addresses
that carry a signature and an end. Nobody's credentials belong there, so a request that brings some
is refused. Answers are as Google's storage gives them; an upload's were recorded (2026-04).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.sandbox.books import Books
from connectors.sandbox.shopify.money import Json

RESULTS = "bulk-operation-outputs"
UPLOADS = "staged-uploads"
CREDENTIALS = ("x-shopify-access-token", "authorization", "cookie")
#: What lies at a staged path before somebody uploads to it.
NOT_YET = None
_KEY = secrets.token_bytes(32)


class Refused(Exception):
    """What the storage answers instead: a status, and Google's code and words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Storage:
    """The files of one shop; `base` is where its server is reached, with a slash at the end."""

    def __init__(self, books: Books, shop: str, base: str) -> None:
        self._books = books
        self._shop = shop
        self._root = f"{base}storage/"

    # -------------------------------------------------------------- files

    def keep(self, name: str, content: str | None) -> None:
        """Write a file, over an older one if there is."""
        self._books.execute(
            "INSERT OR REPLACE INTO files (shop, name, made_at, content) VALUES (?, ?, ?, ?)",
            (self._shop, name, self._books.now(), content),
        )

    def read(self, name: str) -> str | None:
        """What a file holds; None where there is none, or nobody has uploaded it."""
        sql = "SELECT content FROM files WHERE shop = ? AND name = ?"
        found: str | None = self._books.scalar(sql, (self._shop, name))
        return found

    def awaited(self, name: str) -> bool:
        """Whether an upload to this path was announced."""
        sql = "SELECT count(*) FROM files WHERE shop = ? AND name = ?"
        return bool(self._books.scalar(sql, (self._shop, name)))

    # -------------------------------------------------------------- addresses

    def address(self, name: str, expires: int) -> str:
        """Where a result can be fetched until `expires`, in seconds since 1970."""
        query = {
            "GoogleAccessId": "sandbox",
            "Expires": str(expires),
            "Signature": signature(name, str(expires)),
            "response-content-type": "application/jsonl",
        }
        return f"{self._root}{RESULTS}/{name}?{urlencode(query)}"

    def staged(self, item: Mapping[str, Any]) -> Json:
        """A target for an upload, by form (POST) or as it is (PUT)."""
        path = f"tmp/1/bulk/{uuid.uuid4()}/{item['filename']}"
        self.keep(path, NOT_YET)
        if item.get("httpMethod", "PUT") == "PUT":
            url = f"{self._root}{UPLOADS}/{path}?X-Goog-Signature={signature(path)}"
            given = {"content_type": item["mimeType"], "acl": "private"}
        else:
            url, given = f"{self._root}{UPLOADS}/", form_of(path, item["mimeType"])
        parameters = [{"name": name, "value": value} for name, value in given.items()]
        return {"url": url, "resourceUrl": url, "parameters": parameters}


def form_of(path: str, mime_type: str) -> dict[str, str]:
    """The fields that an upload has to bring, in this order, before the file itself."""
    return {
        "Content-Type": mime_type,
        "success_action_status": "201",
        "acl": "private",
        "key": path,
        "x-goog-date": "20261120T120000Z",
        "x-goog-credential": "sandbox",
        "x-goog-algorithm": "GOOG4-RSA-SHA256",
        "x-goog-signature": signature(path),
        "policy": signature("policy", path),
    }


def signature(*parts: str) -> str:
    return hmac.new(_KEY, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


def routes(books: Books, shop: str) -> list[BaseRoute]:
    """The storage of one shop, below its mount."""
    storage = Storage(books, shop, "")

    async def download(request: Request) -> Response:
        return await run_in_threadpool(_answered, _download, books, storage, request, b"")

    async def upload(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answered, _upload, books, storage, request, body)

    return [
        Route(f"/storage/{RESULTS}/{{path:path}}", download),
        Route(f"/storage/{UPLOADS}/{{path:path}}", upload, methods=["POST", "PUT"]),
    ]


def _answered(answer: Any, books: Books, storage: Storage, request: Request, body: bytes) -> Any:
    try:
        if any(name in request.headers for name in CREDENTIALS):
            raise Refused(400, "InvalidArgument", "Credentials are nothing for the storage.")
        return answer(books, storage, request, body)
    except Refused as refused:
        text = f"<Code>{refused.code}</Code><Message>{escape(str(refused))}</Message>"
        return _xml(f"<Error>{text}</Error>", refused.status)


def _download(books: Books, storage: Storage, request: Request, _: bytes) -> Response:
    name, query = request.path_params["path"], request.query_params
    expires = query.get("Expires", "")
    if not hmac.compare_digest(query.get("Signature", ""), signature(name, expires)):
        raise Refused(403, "SignatureDoesNotMatch", "Access denied.")
    if int(expires) <= books.clock().timestamp():
        raise Refused(400, "ExpiredToken", "The provided token has expired.")
    content = storage.read(name)
    if content is None:
        raise Refused(404, "NoSuchKey", "The specified key does not exist.")
    return Response(content.encode(), media_type="application/jsonl")


def _upload(_: Books, storage: Storage, request: Request, body: bytes) -> Response:
    if request.method == "PUT":
        path: str = request.path_params["path"]
        if request.query_params.get("X-Goog-Signature") != signature(path):
            raise Refused(403, "SignatureDoesNotMatch", "Access denied.")
        storage.keep(path, body.decode())
        return Response(status_code=200)
    path, content = _form(request.headers.get("content-type", ""), body)
    if not storage.awaited(path):
        raise Refused(403, "AccessDenied", "Access denied.")
    storage.keep(path, content.decode())
    location = f"https://storage.googleapis.com/shopify-{UPLOADS}/{path}"
    told = f"<Location>{escape(location)}</Location><Bucket>shopify-{UPLOADS}</Bucket>"
    return _xml(f"<PostResponse>{told}<Key>{escape(path)}</Key></PostResponse>", 201)


def _form(content_type: str, body: bytes) -> tuple[str, bytes]:
    """The path and the file of a form that is as it was asked for. Raises Refused."""
    fields = _fields(content_type, body)
    given = [(name, value.decode()) for name, value in fields[:-1]]
    path = dict(given).get("key", "")
    if not fields or fields[-1][0] != "file":
        raise Refused(400, "MalformedPOSTRequest", "The file has to be the last field.")
    if given != list(form_of(path, dict(given).get("Content-Type", "")).items()):
        raise Refused(403, "SignatureDoesNotMatch", "Access denied.")
    return path, fields[-1][1]


def _fields(content_type: str, body: bytes) -> Sequence[tuple[str, bytes]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    form: EmailMessage = BytesParser(policy=HTTP).parsebytes(head + body)
    if not form.is_multipart():
        raise Refused(400, "MalformedPOSTRequest", "The body isn't multipart/form-data.")
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            bytes(part.get_payload(decode=True) or b""),
        )
        for part in form.iter_parts()
    ]


def _xml(text: str, status: int) -> Response:
    declared = f"<?xml version='1.0' encoding='UTF-8'?>{text}"
    return Response(declared, status, media_type="application/xml")
