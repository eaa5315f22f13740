"""The bulk operations of one shop: begun, asked about, cancelled, ended as they were told to.

An operation moves on when it is asked about, so that tests need no waiting; the work is done in
the moment it ends. Words and states were recorded (2026-04).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse, validate

from connectors.sandbox.books import Books, Row
from connectors.sandbox.shopify.bulk import ending
from connectors.sandbox.shopify.bulk.lines import Broken, Denied, Family, Run, families
from connectors.sandbox.shopify.bulk.shape import NotBulk, Walk, bulk_query
from connectors.sandbox.shopify.money import Json, gid, utc
from connectors.sandbox.shopify.pages import listed
from connectors.sandbox.shopify.rules import RULES
from connectors.sandbox.shopify.schema import schema
from connectors.sandbox.shopify.setup import End, Setup, configure, setup_of
from connectors.sandbox.shopify.storage import Storage

FIRST = 7_000_000_000_000
ENDS_BY_ITSELF = timedelta(seconds=60)
GOING_ON = ("CREATED", "RUNNING", "CANCELING")
NO_FILE = (
    "The JSONL file could not be found. Try uploading the file again, and check that you've "
    "entered the URL correctly for the stagedUploadPath mutation argument."
)
NOT_BULK = {"bulkOperationRunQuery", "bulkOperationRunMutation", "bulkOperationCancel"}


class Operations:
    """One shop's operations; `run` executes a document as the app, `storage` keeps the results."""

    def __init__(self, books: Books, shop: str, run: Run, storage: Storage) -> None:
        self._books = books
        self._shop = shop
        self._run = run
        self._storage = storage

    @property
    def _setup(self) -> Setup:
        return setup_of(self._books.shop(self._shop))

    def fields(self) -> dict[str, Any]:
        """The root fields, which need no scope: what is run inside does."""
        return {
            "bulkOperation": self.one,
            "bulkOperations": self._page,
            "currentBulkOperation": self._current,
            "bulkOperationCancel": self._cancel,
            "bulkOperationRunQuery": self._run_query,
            "bulkOperationRunMutation": self._run_mutation,
            "stagedUploadsCreate": self._staged,
        }

    # -------------------------------------------------------------- begun

    def _staged(self, _: Any, input: Sequence[Json]) -> Json:
        return {"stagedTargets": list(map(self._storage.staged, input)), "userErrors": []}

    def _run_query(self, _: Any, query: str, **how: Any) -> Json:
        try:
            bulk_query(query)
        except NotBulk as refused:
            return _refused(*(("query", reason, "INVALID") for reason in refused.reasons))
        return self._begin("QUERY", {"query": query, "grouped": how["groupObjects"]})

    def _run_mutation(self, _: Any, mutation: str, **where: Any) -> Json:
        if problem := _unfit(mutation):
            return _refused(problem)
        path = where["stagedUploadPath"]
        content = self._storage.read(path)
        if not content:
            return _refused((None, NO_FILE, "NO_SUCH_FILE"))
        if len(content.encode()) > self._setup.upload_largest:
            return _refused((None, _too_large(self._setup), "INVALID_STAGED_UPLOAD_FILE"))
        return self._begin("MUTATION", {"query": mutation, "path": path})

    def _begin(self, type_: str, about: Json) -> Json:
        setup = self._setup
        going = [row for row in map(self._settled, self._rows()) if _going(row, type_)]
        if len(going) >= setup.bulk_at_once:
            ids = ", ".join(_gid(row) for row in going)
            told = f"A bulk {type_.lower()} operation for this app and shop is already in progress"
            return _refused((None, f"{told}: {ids}.", "OPERATION_IN_PROGRESS"))
        end, *later = setup.bulk_ends or ("COMPLETED",)
        if setup.bulk_ends:
            configure(self._books, self._shop, bulk_ends=later)
        body = {**about, "type": type_, "status": "CREATED", "end": end, "objects": 0, "roots": 0}
        number = FIRST + self._books.scalar("SELECT count(*) FROM bulks")
        row = {"shop": self._shop, "uuid": str(number), "polls": 0, "started_at": self._books.now()}
        self._books.insert("bulks", [{**row, "body": body}])
        return {"bulkOperation": self._shown({**row, "body": body}), "userErrors": []}

    def _cancel(self, _: Any, id: str) -> Json:
        row = self._row(id)
        if row is None:
            return _refused(("id", "Bulk operation does not exist", None))
        if not _going(row):
            status = row["body"]["status"].lower()
            told = f"A bulk operation cannot be canceled when it is {status}"
            return {"bulkOperation": self._shown(row), "userErrors": [_error(None, told, None)]}
        row["body"]["status"] = "CANCELING"
        return {"bulkOperation": self._shown(self._kept(row)), "userErrors": []}

    # -------------------------------------------------------------- asked about

    def one(self, _: Any, id: str) -> Json | None:
        row = self._row(id)
        return row and self._shown(self._asked(row))

    def _current(self, _: Any, type: str) -> Json | None:
        """The newest of a type."""
        rows = [row for row in self._rows() if row["body"]["type"] == type]
        return self._shown(self._asked(rows[-1])) if rows else None

    def _page(self, _: Any, **arguments: Any) -> Json:
        """A list by time of creation. `query` knows `status` and `operation_type`."""
        wanted = _filters(arguments.get("query"))
        shown = [self._shown(self._asked(row)) for row in self._rows()]
        found = [one for one in shown if all(one[key].lower() == v for key, v in wanted.items())]
        return listed(found, arguments)

    def _rows(self) -> list[Row]:
        return self._books.query("SELECT * FROM bulks WHERE shop = ? ORDER BY uuid", (self._shop,))

    def _row(self, gid_: str) -> Row | None:
        return next((row for row in self._rows() if _gid(row) == gid_), None)

    def _asked(self, row: Row) -> Row:
        """One step on."""
        row["polls"] += 1
        status = row["body"]["status"]
        if status == "CANCELING":
            row["body"]["status"] = "CANCELED"
        elif _going(row) and row["body"]["end"] == "STUCK":
            row["body"]["status"] = "RUNNING"
        elif _going(row):
            self._work(row)
        elif row["body"].get("expires", 0) <= self._now() and status == "COMPLETED":
            row["body"]["status"] = "EXPIRED" if row["body"]["end"] != "GONE" else status
        return self._kept(row)

    def _settled(self, row: Row) -> Row:
        """One that has gone on for long has ended by now, though nobody asked."""
        return self._asked(row) if _going(row) and self._old(row) else row

    def _old(self, row: Row) -> bool:
        begun = datetime.fromisoformat(row["started_at"]).replace(tzinfo=UTC)
        return self._books.clock() - begun >= ENDS_BY_ITSELF

    def _work(self, row: Row) -> None:
        if row["polls"] < self._setup.bulk_after_polls and not self._old(row):
            row["body"]["status"] = "RUNNING"
            return
        row["body"] |= self._ended(row) | {"completed_at": self._books.now()}

    def _kept(self, row: Row) -> Row:
        sql = "UPDATE bulks SET polls = ?, body = ? WHERE shop = ? AND uuid = ?"
        self._books.execute(sql, (row["polls"], json.dumps(row["body"]), self._shop, row["uuid"]))
        return row

    # -------------------------------------------------------------- ended

    def _ended(self, row: Row) -> Json:
        """How an operation's body changes with its end; the result is kept."""
        body, setup = row["body"], self._setup
        end = body["end"]
        try:
            if body["type"] == "QUERY":
                end, found = self._found(body)
            else:
                found = self._written(body)
        except Denied:
            return {"status": "FAILED", "error": "ACCESS_DENIED"}
        except Broken:
            return {"status": "FAILED", "error": "INTERNAL_SERVER_ERROR"}
        outcome = ending.of(end, found, grouped=body.get("grouped", False), seed=setup.shuffle_seed)
        lives = 0 if end == "GONE" else setup.result_seconds
        changed = {**outcome.about, "expires": int(self._now()) + lives}
        if outcome.content:
            name = f"{row['uuid']}.jsonl"
            self._storage.keep(name, outcome.content)
            changed |= {"file": name}
        return changed

    def _found(self, body: Json) -> tuple[End, Sequence[Family]]:
        """How a bulk query ends, and what it has found until then."""
        whole, most = families(*bulk_query(body["query"]), self._run), self._setup.bulk_largest
        end: End = body["end"] if most is None or len(whole) <= most else "TIMEOUT"
        return end, ending.reached(end, whole)

    def _written(self, body: Json) -> list[Family]:
        """The lines of a bulk mutation, carried out as far as it gets."""
        document = parse(body["query"])
        lines = (self._storage.read(body["path"]) or "").splitlines()
        answers = []
        for number, line in enumerate(ending.reached(body["end"], lines)):
            try:
                result = self._run(document, json.loads(line))
            except ValueError:
                answers.append({"errors": [{"message": "Invalid JSON"}], "__lineNumber": number})
                continue
            errors = [error.formatted for error in result.errors or ()]
            told = {"errors": errors} if errors else {"data": result.data}
            answers.append({**told, "__lineNumber": number})
        return [Family(answer, []) for answer in answers]

    def _now(self) -> float:
        return self._books.clock().timestamp()

    def _shown(self, row: Row) -> Json:
        body = row["body"]
        address = body.get("file") and self._storage.address(body["file"], body["expires"])
        whole = body["status"] == "COMPLETED"
        return {
            "__typename": "BulkOperation",
            "_id": int(row["uuid"]),
            "id": _gid(row),
            "type": body["type"],
            "status": body["status"],
            "query": body["query"],
            "errorCode": body.get("error"),
            "createdAt": utc(row["started_at"]),
            "completedAt": utc(body["completed_at"]) if "completed_at" in body else None,
            "objectCount": str(body["objects"]),
            "rootObjectCount": str(body["roots"]),
            "fileSize": str(body["bytes"]) if address else None,
            "url": address if whole else None,
            "partialDataUrl": address if body["status"] == "FAILED" else None,
        }


def _going(row: Row, type_: str | None = None) -> bool:
    return row["body"]["status"] in GOING_ON and type_ in (None, row["body"]["type"])


def _gid(row: Row) -> str:
    return gid("BulkOperation", int(row["uuid"]))


def _filters(query: str | None) -> dict[str, str]:
    names = {"status": "status", "operation_type": "type"}
    terms = (term.partition(":") for term in (query or "").replace(" AND ", " ").split())
    return {names[name]: value.strip("'\"").lower() for name, _, value in terms}


def _unfit(mutation: str) -> tuple[str | None, str, str | None] | None:
    """Why a mutation can't be run in bulk, as field, message and code."""
    try:
        document = parse(mutation)
    except GraphQLError as error:
        return None, f"Failed to parse the mutation - {error.message}", "INVALID_MUTATION"
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.MUTATION:
        return None, "The mutation must be a single mutation operation.", "INVALID_MUTATION"
    roots = {one.name.value for one in Walk(document).fields(operations[0].selection_set)}
    if roots & NOT_BULK:
        return "mutation", "You must use an allowed mutation name.", None
    errors = validate(schema(), document, RULES)
    return (None, errors[0].message, "INVALID_MUTATION") if errors else None


def _too_large(setup: Setup) -> str:
    largest = f"{setup.upload_largest / 2**20:g} MB"
    return f"The input file size exceeds the maximum allowed size of {largest}."


def _refused(*errors: tuple[str | None, str, str | None]) -> Json:
    return {"bulkOperation": None, "userErrors": [_error(*error) for error in errors]}


def _error(field: str | None, message: str, code: str | None) -> Json:
    return {"field": field and [field], "message": message, "code": code}
