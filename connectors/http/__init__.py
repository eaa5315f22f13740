"""The way to a shop: signed, patient, bounded. Only this room imports requests, only it sleeps.

What it promises: no credential leaves for another host, scheme or port; no request is sent in clear
except on loopback; certificates are always verified; a failure that may pass is tried again within
a budget of time, any other is told at once. A request may reach the shop twice (an answer can get
lost), so only such requests belong here as may be repeated. Any number of threads may share a door.

door.py      `Http`, one shop's door: addresses, renewal
patience.py  what is tried again, when, and for how long
wire.py      one request: signed, sent, read
reach.py     whom a connection may reach
answers.py   what a status and a body mean
download.py  a file that the shop laid down at another host
upload.py    a file that the shop wants laid down at another host
post.py      a message to somebody who is no shop
"""

from __future__ import annotations

from requests import PreparedRequest
from requests.auth import AuthBase

from connectors.http.answers import Answer, AnswerDenied, AnswerRefused, masked
from connectors.http.door import Http
from connectors.http.patience import Retry
from connectors.http.post import post
from connectors.http.reach import Trust

__all__ = [
    "Answer",
    "AnswerDenied",
    "AnswerRefused",
    "AuthBase",
    "Http",
    "PreparedRequest",
    "Retry",
    "Trust",
    "masked",
    "post",
]
