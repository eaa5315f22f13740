"""Adobe Commerce as a Cloud Service in the sandbox: its routes, its token, its refusals."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from connectors.sandbox import ACCS_CLIENT_ID, ACCS_CLIENT_SECRET, ACCS_ORG, MAGENTO_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.magento.setup import configure

ORDERS = "/eu/V1/orders?searchCriteria[pageSize]=1"
GRANT = {
    "grant_type": "client_credentials",
    "client_id": ACCS_CLIENT_ID,
    "client_secret": ACCS_CLIENT_SECRET,
    "scope": "openid,AdobeID,commerce.accs",
}


@pytest.fixture(autouse=True)
def _cloud(books: Books) -> None:
    configure(books, "eu", accs=True)


def token(ask: Any, **changed: str) -> Any:
    form = urlencode({**GRANT, **changed}).encode()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return ask("/eu/ims/token/v3", "POST", kind, form)


@pytest.fixture
def headers(ask: Any) -> dict[str, str]:
    return {
        "authorization": f"Bearer {token(ask).json()['access_token']}",
        "x-api-key": ACCS_CLIENT_ID, "x-gw-ims-org-id": ACCS_ORG, "store": "all",
        "content-type": "application/json",
    }  # fmt: skip


def test_a_token_opens_the_routes_below_v1(ask: Any, headers: dict[str, str]) -> None:
    assert ask(ORDERS, headers=headers).json()["total_count"] > 0
    assert ask("/eu/rest/all/V1/orders", headers=headers).status == 404
    path = "/eu/V1/async/bulk/customers/byCustomerId"
    told = ask(path, "PUT", headers, [{"customer": {}}])
    assert told.status == 202
    bulk = told.json()["bulk_uuid"]
    assert ask(f"/eu/V1/bulk/{bulk}/detailed-status", headers=headers).status == 200


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("authorization", "", 401), ("authorization", f"Bearer {MAGENTO_TOKEN}", 401),
        ("x-api-key", "", 403), ("x-api-key", "other", 403), ("x-gw-ims-org-id", "", 403),
        ("store", "", 400), ("store", "nowhere", 400),
    ],
)  # fmt: skip
def test_each_header_is_needed(
    name: str, value: str, status: int, ask: Any, headers: dict[str, str]
) -> None:
    assert ask(ORDERS, headers={**headers, name: value}).status == status


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"), ({"client_id": "x"}, "invalid_client"),
        ({"scope": "openid"}, "invalid_scope"), ({"grant_type": "x"}, "unsupported_grant_type"),
    ],
)  # fmt: skip
def test_the_token_endpoint_says_what_is_wrong(
    changed: dict[str, str], error: str, ask: Any
) -> None:
    answer = token(ask, **changed)
    assert (answer.status, answer.json()) == (400, {"error": error})


def test_a_token_dies_and_another_one_lives(
    ask: Any, headers: dict[str, str], books: Books
) -> None:
    configure(books, "eu", ims_token_uses=2)
    assert [ask(ORDERS, headers=headers).status for _ in range(3)] == [200, 200, 401]
    fresh = {**headers, "authorization": f"Bearer {token(ask).json()['access_token']}"}
    assert ask(ORDERS, headers=fresh).status == 200


def test_a_narrow_role_is_narrow_here_too(ask: Any, headers: dict[str, str], books: Books) -> None:
    configure(books, "eu", resources=["Magento_Backend::store"])
    assert ask(ORDERS, headers=headers).status == 401
    assert ask("/eu/V1/store/storeViews", headers=headers).status == 200


def test_on_a_server_of_one_s_own_there_is_no_such_door(ask: Any, books: Books) -> None:
    configure(books, "eu", accs=False)
    assert token(ask).status == 404
    assert ask(ORDERS, headers={"authorization": f"Bearer {MAGENTO_TOKEN}"}).status == 404
