"""Shopify's bulk operations: a whole history as files, worked out at Shopify's own pace.

waiting.py    until something has come, or nothing will
operation.py  one operation: begun, asked about, given up
shards.py     which windows of time are still to be read, and how large each is
jsonl.py      a result's lines in shares, in whatever order they come, in little memory
shares.py     a share becomes rows: what is usual by usual.py, all else by families.py
refunded.py   what no bulk query reaches
backfill.py   all of it: pages for the store
"""

from __future__ import annotations

from connectors.shopify.bulk.backfill import Backfill
from connectors.shopify.bulk.shards import is_bulk, without_bulk

__all__ = ["Backfill", "is_bulk", "without_bulk"]
