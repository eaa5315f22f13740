"""Tokens that hold an hour, and the refresh token that brings the next pair: kept on the disk.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens
(2026-11-29): each renewal gives a new pair. Since 2026-08-28 the refresh token before it stays good
until the new one is used (https://shopify.dev/changelog/
more-resilient-refreshes-for-expiring-offline-access-tokens): so a pair is used only once it is on
the disk, and one that was lost on the way, or couldn't be written, is asked for again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from connectors.config import ShopSettings
from connectors.errors import AuthenticationError, ConfigurationError, ShopUnavailable, StoreError
from connectors.files import private_folder, written_whole
from connectors.http import AuthBase, Http, PreparedRequest
from connectors.shopify.grants import HEADER, RENEWED_BEFORE, granted, lifetime

HOUR = 3600.0
OTHERS_RENEWAL = 60  # seconds to wait for another process that is at it


@dataclass(frozen=True, slots=True)
class Pair:
    """`begun_with` tells from which of the owner's refresh tokens it has come, by a digest."""

    begun_with: str
    refresh_token: str = field(repr=False)
    access_token: str = field(default="", repr=False)
    ends_at: float = 0.0


class RefreshedTokens(AuthBase):
    """Signs requests with the pair that is kept, renewed before it ends by one process at a time.

    `clock` gives seconds since 1970: the pair outlives the process.
    """

    def __init__(
        self, settings: ShopSettings, http: Http, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._path = settings.state / f"{settings.shop}.tokens.json"
        self._pair = Pair("", "")
        self._refused = ""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if not self._holds(self._pair):
            self._pair = self._newest()
        request.headers[HEADER] = self._pair.access_token
        return request

    def dropped(self) -> Mapping[str, str]:
        """Forgets a token that the shop no longer takes; the next request brings a new one."""
        self._refused = self._pair.access_token
        return {}

    def _holds(self, pair: Pair) -> bool:
        good = pair.access_token not in ("", self._refused)
        return good and self._clock() < pair.ends_at - RENEWED_BEFORE

    def _newest(self) -> Pair:
        """What another process has got meanwhile, or else a new pair."""
        with self._alone():
            pair = self._kept()
            return pair if self._holds(pair) else self._renewed(pair)

    def _renewed(self, pair: Pair) -> Pair:
        answer = granted(
            self._http,
            self._settings,
            grant_type="refresh_token",
            refresh_token=pair.refresh_token,
        )
        if not isinstance(answer.get("refresh_token"), str):
            raise AuthenticationError(
                "the shop gave a token without another refresh token", shop=self._settings.shop
            )
        fresh = replace(
            pair,
            refresh_token=answer["refresh_token"],
            access_token=answer["access_token"],
            ends_at=self._clock() + lifetime(answer, HOUR),
        )
        self._keep(fresh)
        return fresh

    def _kept(self) -> Pair:
        """The pair on the disk, as long as it has come from the refresh token of the settings."""
        digest = hashlib.sha256(self._settings.refresh_token.encode()).hexdigest()[:16]
        given = Pair(digest, self._settings.refresh_token)
        try:
            kept = Pair(**json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return given
        except (OSError, ValueError, TypeError) as error:
            raise ConfigurationError(
                f"the tokens in {self._path} can't be read",
                mend="Let the app be authorized anew, put the new refresh token into "
                f"CLV_{self._settings.shop.upper()}_REFRESH_TOKEN, and delete the file.",
            ) from error
        return kept if kept.begun_with == digest else given

    def _keep(self, pair: Pair) -> None:
        try:
            with written_whole(self._path) as fresh:
                fresh.write_text(json.dumps(asdict(pair)), encoding="utf-8")
        except OSError as error:
            raise StoreError(
                f"the new tokens can't be kept: {error.strerror}",
                mend="Check the rights and the free space; the next run asks for them anew.",
                path=self._path,
            ) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        private_folder(self._path.parent)
        lock = FileLock(_beside(self._path), timeout=OTHERS_RENEWAL, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            told = "another process has been renewing the tokens for long"
            raise ShopUnavailable(told, mend="Try again later.", shop=self._settings.shop) from None
        try:
            yield
        finally:
            lock.release()


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".lock")
