"""`clv-sync serve`: takes Shopify's webhooks in and keeps what they are about. Needs its extra.

app.py      the ASGI app: one delivery, from its first byte to the answer
keeping.py  many hints at a time onto the disk
server.py   the port, and an end without losses
"""
