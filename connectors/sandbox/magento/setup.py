"""How one Magento of the sandbox is set up: its version, its limits, and what is wrong with it.

Kept in the shop's settings, so that every request sees the newest; `configure` changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.setups import Setups


@dataclass(frozen=True, slots=True)
class Setup:
    """The switches of a shop; the defaults are a plain 2.4.7 without our module.

    version               2.3 repeats the last page, 2.4.8 shows other row totals and wipes `dob`
    module, email_key     whether our module is installed, and the e-mail key set in it
    attribute_prefix      what the codes of the module's attributes begin with
    page_limit            input limiting of the web API: {"on": bool, "max": int, "default": int}
    resources             what the role may; None: everything
    bearer                whether integration tokens are taken as Bearer
    maintenance           every answer is the maintenance page
    clock_offset_seconds  how far the shop's Date header is off
    refuse_percent        of the customers refuse every write, always the same ones
    vat_resets_group      saving addresses resets the group, as automatic group assignment does
    required_attributes   visible required attributes, which a customer's save has to bring along
    bulk_after_polls      the consumer runs once a bulk was asked about so often; None: never
    bulk_ends             customer id -> the status its operation ends with, unwritten
    broken_orders         orders that break every stock page they are on
    currencies            website id -> base currency and its rate to the shop's own
    accs                  Adobe Commerce as a Cloud Service
    ims_token_uses        there: a token dies after so many requests; 0: never
    """

    version: str = "2.4.7"
    module: bool = False
    email_key: str = field(default="", repr=False)
    attribute_prefix: str = "clv_"
    page_limit: Mapping[str, Any] = field(
        default_factory=lambda: {"on": False, "max": 300, "default": 20}
    )
    resources: list[str] | None = None
    bearer: bool = True
    maintenance: bool = False
    clock_offset_seconds: int = 0
    refuse_percent: int = 0
    vat_resets_group: bool = False
    required_attributes: tuple[str, ...] = ()
    bulk_after_polls: int | None = 1
    bulk_ends: Mapping[str, int] = field(default_factory=dict)
    broken_orders: tuple[int, ...] = ()
    currencies: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    accs: bool = False
    ims_token_uses: int = 0

    @property
    def repeats_last_page(self) -> bool:
        """Behind its last page, until 2.4.0."""
        return self._release < (2, 4)

    @property
    def wipes_dob(self) -> bool:
        """The consumer of the asynchronous API, seen on 2.4.8-p2 and not on 2.4.7-p3."""
        return self._release >= (2, 4, 8)

    @property
    def row_totals(self) -> str:
        """Whose odd row totals the stock routes show."""
        return "2.4.8" if self._release >= (2, 4, 8) else "2.4.7"

    @property
    def _release(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.partition("-")[0].split("."))

    def refuses(self, customer_id: int) -> bool:
        """Whether this customer refuses every write: spread evenly over the ids."""
        return customer_id * 2_654_435_761 % 2**32 * 100 < self.refuse_percent * 2**32


_setups = Setups(Setup)
setup_of, configure = _setups.of, _setups.configure
