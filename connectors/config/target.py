"""Where the order store is: a DuckDB file, or a Spark cluster with a warehouse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

#: What a target begins with -> what Spark calls it.
SCHEMES = {"spark": "spark://", "spark-connect": "sc://", "spark-local": "local"}
EXPECTED = (
    "a path, or spark://master:7077?warehouse=/folder, spark-connect://host:15002?warehouse=/folder"
    " or spark-local://2?warehouse=/folder"
)
BOOKS = "books.duckdb"


@dataclass(frozen=True, slots=True)
class SparkTarget:
    """A cluster, and the folder that it and we both see under the same path.

    `master` is as Spark names it. `addresses` are those to be reached beforehand, host and port.
    `settings` are Spark's own (`spark.executor.memory`).
    """

    master: str
    warehouse: Path
    addresses: tuple[tuple[str, int], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def books(self) -> Path:
        return self.warehouse / BOOKS

    @property
    def staged(self) -> Path:
        """What is worked out meanwhile; it goes when the store is closed."""
        return self.warehouse.absolute() / "staged"

    @property
    def is_connect(self) -> bool:
        return self.master.startswith(SCHEMES["spark-connect"])


Target = Path | SparkTarget


def target(text: str) -> Target:
    """A path, or what `EXPECTED` tells."""
    scheme, found, _ = text.partition("://")
    if not found:
        return Path(text)
    if scheme not in SCHEMES:
        raise ValueError(f"{EXPECTED}, please")
    parts = urlsplit(text)
    if parts.path not in ("", "/") or not parts.netloc or "@" in parts.netloc or parts.fragment:
        raise ValueError(f"{EXPECTED}, please")
    told = dict(parse_qsl(parts.query, keep_blank_values=True))
    master, addresses = _master(scheme, parts.netloc)
    return SparkTarget(master, _warehouse(told), addresses, _settings(told))


def _master(scheme: str, place: str) -> tuple[str, tuple[tuple[str, int], ...]]:
    if scheme == "spark-local":
        if not re.fullmatch(r"[1-9]\d{0,3}|\*", place):
            raise ValueError("spark-local:// is followed by how many cores to use, like 2")
        return f"local[{place}]", ()
    each = [re.fullmatch(r"([\w.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", one) for one in place.split(",")]
    addresses = tuple((one[1].strip("[]"), int(one[2])) for one in each if one)
    if len(addresses) < len(each) or (scheme == "spark-connect" and len(each) > 1):
        raise ValueError(f"{scheme}:// is followed by host:port")
    return SCHEMES[scheme] + place, addresses


def _warehouse(told: Mapping[str, str]) -> Path:
    place = told.get("warehouse", "").removeprefix("file://")
    if not place:
        raise ValueError("?warehouse=/folder is missing: a folder that all of the cluster sees")
    if "://" in place:
        raise ValueError("the warehouse is a folder that all of the cluster sees (a mounted share)")
    return Path(place)


def _settings(told: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    strange = [name for name in told if name != "warehouse" and not name.startswith("spark.")]
    if strange:
        raise ValueError(f"{', '.join(strange)}: only warehouse and Spark's own spark.… are known")
    return tuple((name, value) for name, value in told.items() if name != "warehouse")
