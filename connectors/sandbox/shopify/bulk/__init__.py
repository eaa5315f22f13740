"""Bulk operations of the sandbox's Shopify: what may be asked, how it runs, what it leaves."""
