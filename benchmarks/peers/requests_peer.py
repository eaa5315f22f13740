"""What reading the same bytes costs at least: `requests`, `json`, and nothing else.

`side.py <address> <orders> rest|file`: the pages of REST, or one bulk result, a line at a time.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

import requests
from seen import Seen

START = "2020-01-01T00:00:00Z"


def rest(session: requests.Session, address: str) -> Iterator[int]:
    url = f"{address}/admin/api/2026-10/orders.json?status=any&limit=250&order=updated_at%20asc"
    while url:
        answer = session.get(url)
        if answer.status_code == requests.codes.too_many_requests:
            time.sleep(float(answer.headers["Retry-After"]))
            continue
        yield from (order["id"] for order in answer.json()["orders"])
        url = answer.links.get("next", {}).get("url", "")


def file(session: requests.Session, address: str) -> Iterator[int]:
    def asked(document: str, **variables: str) -> dict[str, dict[str, str]]:
        body = {"query": document, "variables": variables}
        data: dict[str, dict[str, str]] = session.post(
            f"{address}/admin/api/2026-10/graphql.json", json=body
        ).json()["data"]
        return data

    asked("bulkOperationRunQuery(", query=f"created_at:>={START}")
    operation = {"status": ""}
    while operation["status"] != "COMPLETED":
        time.sleep(0.1)
        operation = asked("bulkOperation(", id="gid://shopify/BulkOperation/0")["bulkOperation"]
    with session.get(operation["url"], stream=True) as answer:
        for line in answer.iter_lines(2**16):
            found = json.loads(line)
            if "__parentId" not in found:
                yield int(found["id"].rpartition("/")[2])


def main(address: str, orders: str, way: str) -> None:
    seen = Seen(int(orders))
    begun = time.perf_counter()
    with requests.Session() as session:
        for order_id in (rest if way == "rest" else file)(session, address):
            seen.add([order_id])
    seen.report(time.perf_counter() - begun)


if __name__ == "__main__":
    main(*sys.argv[1:4])
