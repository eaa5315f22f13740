"""The store's tables, in numbered steps that every store takes once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import ibis
from duckdb import DuckDBPyConnection

from connectors import summary
from connectors.errors import StoreError
from connectors.store.connection import transaction
from connectors.store.rows import TABLES, columns
