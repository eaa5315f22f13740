"""The list of variables: what each means when it isn't set, and where its value is to be found."""

from __future__ import annotations

from collections.abc import Mapping

#: Variable -> default. An empty default means: not set.
KEYS: Mapping[str, str] = {
    "CLV_SHOPS": "",
    "CLV_STORE": ".clv/store.duckdb",
    "CLV_EMAIL_KEY": "",
    "CLV_EMAIL_HASHES": "yes",
    "CLV_VALUE": "net",
    "CLV_HORIZON_DAYS": "365",
    "CLV_DISCOUNT_RATE": "0.10",
    "CLV_MARGIN": "",
    "CLV_CAC": "",
    "CLV_LIFESPAN_YEARS": "3",
    "CLV_MODEL": "auto",
    "CLV_TIERS": "high:0.5,medium:0.8,low:1",
    "CLV_NEW_DAYS": "30",
    "CLV_TOLERANCE": "0.02",
    "CLV_MAX_CHANGES": "",
    "CLV_MAX_TIER_MOVES": "0.3",
    "CLV_MAX_VALUE_JUMP": "0.5",
    "CLV_MAX_REFUSALS": "0.2",
    "CLV_MEMORY_MB": "1536",
    "CLV_METRICS": "",
    "CLV_SEGMENT_RULES": "",
    "CLV_CA_BUNDLE": "",
    "CLV_NOTIFY_WEBHOOK": "",
    "CLV_NOTIFY_PRIVATE": "no",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "OTEL_EXPORTER_OTLP_HEADERS": "",
}

#: What the names of variables end with whose values are secrets.
SECRETS = ("_TOKEN", "_SECRET", "_KEY", "_WEBHOOK", "_HEADERS")

#: Platform -> the ways to reach a shop of it: each a tuple of variables that belong together.
WAYS_IN: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "magento": (
        ("URL", "TOKEN"),
        ("URL", "CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"),
        ("URL", "CLIENT_ID", "CLIENT_SECRET", "IMS_ORG"),
    ),
    "shopify": (
        ("URL", "TOKEN"),
        ("URL", "CLIENT_ID", "CLIENT_SECRET"),
        ("URL", "REFRESH_TOKEN", "CLIENT_ID", "CLIENT_SECRET"),
    ),
    "file": (("PATH",),),
}

_INTEGRATION = "Magento: System > Integrations"
_APP = "Shopify: the app's settings in the Dev Dashboard; Adobe's cloud: the project's credential"

#: The end of CLV_<SHOP>_... -> where to get the value.
SHOP_KEYS: Mapping[str, str] = {
    "PLATFORM": "one of " + ", ".join(WAYS_IN),
    "URL": "the shop's base address, https://...",
    "TOKEN": f"{_INTEGRATION} > Access Token; Shopify: the app's Admin API token",
    "CONSUMER_KEY": _INTEGRATION,
    "CONSUMER_SECRET": _INTEGRATION,
    "ACCESS_TOKEN": _INTEGRATION,
    "ACCESS_TOKEN_SECRET": _INTEGRATION,
    "CLIENT_ID": _APP,
    "CLIENT_SECRET": _APP,
    "REFRESH_TOKEN": "Shopify, apps with expiring tokens: what came with the first one",
    "IMS_ORG": "Adobe's cloud: the organization's id, ...@AdobeOrg, in the Developer Console",
    "IMS_URL": "Adobe's sign-in; leave it out",
    "STORE_CODE": "Magento: Stores > All Stores > a store view's code, or all",
    "PATH": "a CSV or Parquet file of orders",
    "CURRENCY": "the ISO 4217 code to score in, where a shop has orders in several",
    "RATES": "a CSV file currency,from,rate of dated rates into CURRENCY",
    "ATTRIBUTE_PREFIX": "what the customer attributes' codes begin with",
    "WORKERS": "how many requests the shop is asked at a time",
    "WRITE": "auto, module, put or async",
    "READ": "auto, bulk, graphql or rest",
    "SEGMENTS": "yes or no",
    "SEGMENT_TAGS": "yes or no",
    "LOCALE": "language and country of the report, such as sv_SE",
    "GROUPS": "tier:group pairs; Magento: Customers > Customer Groups shows the ids",
}

#: The end of CLV_<SHOP>_... -> default, where there is one.
SHOP_DEFAULTS: Mapping[str, str] = {
    "STORE_CODE": "all",
    "ATTRIBUTE_PREFIX": "clv_",
    "WORKERS": "4",
    "WRITE": "auto",
    "READ": "auto",
    "SEGMENTS": "yes",
    "SEGMENT_TAGS": "no",
    "LOCALE": "en",
}
