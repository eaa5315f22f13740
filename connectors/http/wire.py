"""One request: signed, sent, read. A failure that may pass is a `Passing`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLCertVerificationError, SSLContext
from typing import NamedTuple, TypeVar

from requests import PreparedRequest, Request, Response, Session
from requests.auth import AuthBase
from requests.exceptions import RequestException, SSLError
from urllib3.exceptions import HTTPError, NameResolutionError

from connectors import tracing
from connectors.errors import ConfigurationError, RequestRefused
from connectors.http.patience import Passing
from connectors.http.reach import Reach, Trust
from connectors.origin import Origin

USUAL = Trust()
TIMEOUTS = (10, 90)  # seconds: to connect, and between two bytes
LARGEST_ANSWER = 256 * 2**20  # bytes, unpacked
CHUNK = 2**18
NAME_LOOKUPS = 2  # an unknown host is a typo far more often than a passing failure

T = TypeVar("T")


class Message(NamedTuple):
    """What is asked: a JSON body, a form, a file behind the fields of a form, or nothing."""

    method: str
    url: str
    json: object = None
    form: Mapping[str, str] | None = None
    file: bytes | None = None


class Unsigned(AuthBase):
    """Adds nothing. Without it requests would take credentials from a .netrc."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


class Wire:
    """The connections to one origin: a session for each thread, since a session is for one alone.

    https://github.com/psf/requests/issues/2766 (read 2026-11-23)
    """

    def __init__(
        self,
        shop: str,
        setting: str,
        origin: Origin,
        *,
        budget: float,
        trust: Trust = USUAL,
        named: str = "the shop",
    ) -> None:
        self._shop = shop
        self._named = named
        self._trust = trust
        self._setting = setting
        self._origin = origin
        self._budget = budget
        self._own = threading.local()

    def signed(
        self, message: Message, auth: AuthBase, headers: Mapping[str, str]
    ) -> PreparedRequest:
        """The request as it will be sent; ConfigurationError where no header can carry it."""
        asked = Request(
            message.method,
            message.url,
            headers=dict(headers),
            json=message.json,
            data=message.form,
            files=None if message.file is None else {"file": message.file},
            auth=auth,
        )
        try:
            request = self._session.prepare_request(asked)
        except (RequestException, UnicodeError):
            request = None  # requests' own message would quote the header
        if request is None or not all(_plain(value) for value in request.headers.values()):
            raise ConfigurationError(
                "the URL or a credential holds a character that can't be sent",
                mend=f"Check CLV_{self._shop.upper()}_* for spaces and line ends.",
                shop=self._shop,
            )
        return request

    def sent(self, request: PreparedRequest) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the answer."""
        return self.received(request, self._whole)

    def received(self, request: PreparedRequest, read: Callable[[Response], T]) -> T:
        """What `read` makes of the answer. Certificates are verified, nothing is followed."""
        session = self._session
        settings = session.merge_environment_settings(request.url, {}, True, None, None)
        settings["verify"] = self._authorities(settings["verify"])
        sends = tracing.request(request.method or "", self._origin.host, self._shop)
        try:
            with (
                sends as tell,
                session.send(
                    request, timeout=self._timeouts, allow_redirects=False, **settings
                ) as response,
            ):
                tell(response.status_code)
                return read(response)
        except SSLError as error:
            raise self._insecure(error) from None
        except (RequestException, HTTPError) as error:
            raise self._unreached(error) from None

    @property
    def _timeouts(self) -> tuple[float, float]:
        """No byte is waited for longer than a whole answer may take."""
        connecting, reading = TIMEOUTS
        return min(connecting, self._budget), min(reading, self._budget)

    def _authorities(self, told: object) -> bool | str:
        """Whose certificates are trusted: the owner's bundle, or else the environment's, or all.

        Never none: what is told is a bundle or it isn't heard.
        """
        bundle = self._trust.bundle or (told if isinstance(told, str) and told else None)
        if bundle is None:
            return True
        if not _holds_certificates(Path(bundle)):
            raise ConfigurationError(
                f"there are no certificates in {bundle}",
                mend="Check CLV_CA_BUNDLE (or REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE).",
            )
        return str(bundle)

    @property
    def _session(self) -> Session:
        session: Session | None = getattr(self._own, "session", None)
        if session is None:
            # what is sent in clear to loopback must not go to a proxy
            session = self._own.session = _session(proxies=self._origin.scheme == "https")
            reach = Reach(self._origin, self._setting, public=self._trust.public)
            session.mount(f"{self._origin.scheme}://", reach)
        return session

    def _whole(self, response: Response) -> tuple[int, Mapping[str, str], bytes]:
        body = b"".join(self.pieces(response, LARGEST_ANSWER))
        return response.status_code, response.headers, body

    def pieces(self, response: Response, largest: int) -> Iterator[bytes]:
        """The body, however slowly it drips, within the budget and the largest size."""
        ends_at = time.monotonic() + self._budget
        size = 0
        while chunk := response.raw.read1(CHUNK, decode_content=True):
            size += len(chunk)
            if size > largest:
                told = f"{largest // 2**20} MB" if largest >= 2**20 else f"{largest:,} bytes"
                raise RequestRefused(f"the answer is larger than {told}", shop=self._shop)
            if time.monotonic() > ends_at:
                raise Passing("the shop answers too slowly", status=response.status_code)
            yield chunk

    def _unreached(self, error: Exception) -> Passing:
        if _caused_by(error, NameResolutionError):
            mend = f"Check {self._setting} for a typo, or the network."
            return Passing(
                f"no host named {self._origin.host} is known", mend=mend, tries=NAME_LOOKUPS
            )
        mend = f"Check {self._setting} if this stays, else try again later."
        return Passing(f"{self._named} can't be reached", mend=mend, reason=type(error).__name__)

    def _insecure(self, error: SSLError) -> ConfigurationError | Passing:
        if not _caused_by(error, SSLCertVerificationError):
            return self._unreached(error)
        return ConfigurationError(
            f"the certificate of {self._origin.host} is not valid",
            mend="Mend the certificate; for an authority of your own set CLV_CA_BUNDLE.",
            shop=self._shop,
        )


@cache
def _holds_certificates(bundle: Path) -> bool:
    """Whether it is a file, or a folder, of certificates that can be read."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    try:
        if bundle.is_dir():
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except OSError:  # ssl's own errors are among these
        return False
    return True


def _session(*, proxies: bool) -> Session:
    session = Session()
    session.trust_env = proxies
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers.update({"User-Agent": "clv-sync", "Accept": "application/json"})
    return session


def _plain(header: str | bytes) -> bool:
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    return text.isascii() and text.isprintable()


def _caused_by(error: object, kind: type[Exception]) -> bool:
    """Whether an error of this kind lies below: requests wraps urllib3's, in layers."""
    if isinstance(error, kind):
        return True
    below = (*error.args, getattr(error, "reason", None)) if isinstance(error, Exception) else ()
    return any(_caused_by(one, kind) for one in below)
