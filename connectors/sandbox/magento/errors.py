"""Magento's way of saying no: status, message with placeholders, parameters. From 2.4.7-p3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MAINTENANCE = (
    '<!doctype html>\n<html xmlns="http://www.w3.org/1999/xhtml" >\n<head>\n'
    "    <title>Error 503: Service Unavailable</title>\n</head>\n<body>\n"
    "<h1>Service Temporarily Unavailable</h1>\n<p>\n"
    "    The server is temporarily unable to service your request due to maintenance downtime "
    "or capacity problems.\n"
    "    Please try again later.\n</p>\n</body>\n</html>\n"
)


class MagentoError(Exception):
    """An answer that is not 2xx; its body is plain text where Magento itself broke down."""

    def __init__(
        self,
        status: int,
        message: str,
        parameters: Mapping[str, object] | Sequence[object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] | str = {"message": message}
        if parameters is not None:
            self.body = {"message": message, "parameters": parameters}

    @classmethod
    def plain(cls, status: int, text: str) -> MagentoError:
        """One that is no JSON at all."""
        error = cls(status, text)
        error.body = text
        return error


def required(field: str) -> MagentoError:
    return MagentoError(400, '"%fieldName" is required. Enter and try again.', {"fieldName": field})


def unsupported(field: str) -> MagentoError:
    """Named as PHP's setter would be: `page_size` becomes `PageSize`."""
    camel = "".join(part[:1].upper() + part[1:] for part in field.split("_"))
    message = '"%fieldName" is not supported. Correct the field name and try again.'
    return MagentoError(400, message, {"fieldName": camel})


def not_found(field: str, value: object) -> MagentoError:
    message = "No such entity with %fieldName = %fieldValue"
    return MagentoError(404, message, {"fieldName": field, "fieldValue": value})


def no_route() -> MagentoError:
    return MagentoError(404, "Request does not match any route.")


def unauthorised(resource: str) -> MagentoError:
    """The same for a missing, a bad and an under-privileged token."""
    message = "The consumer isn't authorized to access %resources."
    return MagentoError(401, message, {"resources": resource})


def internal(field: str) -> MagentoError:
    """A database error; the real report id is random, this one depends on the field alone."""
    report = f"webapi-{sum(field.encode()) * 0x9E3779B1 & 0xFFFFFFFFFFFFF:013x}"
    message = f"Internal Error. Details are available in Magento log file. Report ID: {report}"
    return MagentoError(500, message)
