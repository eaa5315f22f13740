"""How a run went and what to do about it, in a few lines: for Slack, and for programs.

It holds counts and money, and no customer. A shop that failed tells why and nothing else: numbers
that may be wrong are worse than none.
https://docs.slack.dev/reference/block-kit/blocks/section-block (read 2026-11-29)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from connectors.report.spoken import Spoken

#: So many things to do are told of each shop.
MOST_ACTIONS = 3
#: What Slack takes: signs of a header and of a section, blocks of a message.
HEADER_SIGNS, SECTION_SIGNS, MOST_BLOCKS = 150, 3000, 50

DONE, PARTLY, FAILED = "done", "partly", "failed"


@dataclass(frozen=True)
class ShopTold:
    """One shop's part. `failure` says why there is nothing to tell, `caveat` why nothing to do."""

    shop: str
    spoken: Spoken
    counts: Mapping[str, int] = field(default_factory=dict)
    failure: str = ""
    caveat: bool = False
    actions: Sequence[Mapping[str, Any]] = ()

    @property
    def put_aside(self) -> int:
        return self.counts.get("rejected", 0) + self.counts.get("refused", 0)

    @property
    def outcome(self) -> str:
        return FAILED if self.failure else PARTLY if self.put_aside else DONE

    @property
    def to_do(self) -> Sequence[Mapping[str, Any]]:
        return () if self.failure or self.caveat else self.actions[:MOST_ACTIONS]

    def lines(self) -> list[str]:
        """What went on, then what to do."""
        say, number = self.spoken.text, self.spoken.number
        if self.failure:
            return [say("message_failed_why", why=self.failure)]
        done = {name: number(self.counts.get(name, 0)) for name in ("scored", "applied")}
        told = [say("message_counts", **done)] if self.counts else []
        if self.put_aside:
            told.append(say("message_put_aside", n=number(self.put_aside)))
        if self.caveat:
            return [*told, say("message_caveat")]
        return [*told, *(map(self._action, self.to_do) if self.to_do else [say("monday_empty")])]

    def _action(self, action: Mapping[str, Any]) -> str:
        return f"{self.spoken.money(action['money'])}: {self._to_do(action)}"

    def _to_do(self, action: Mapping[str, Any]) -> str:
        return self.spoken.text(f"action_{action['kind']}", n=action["customers"])

    def plain(self) -> dict[str, Any]:
        return {
            "shop": self.shop,
            "outcome": self.outcome,
            "failure": self.failure or None,
            "counts": dict(self.counts),
            "currency": self.spoken.currency or None,
            "actions": [
                {
                    "kind": action["kind"],
                    "customers": action["customers"],
                    "money": str(_cents(action["money"])),
                    "text": self._to_do(action),
                }
                for action in self.to_do
            ],
        }


@dataclass(frozen=True)
class RunTold:
    """The whole message. `failure` is of a run that came to no shop."""

    run_id: str
    exit_code: int
    shops: Sequence[ShopTold]
    failure: str = ""

    @property
    def outcome(self) -> str:
        found = {shop.outcome for shop in self.shops}
        if self.failure or self.exit_code not in (0, 3) or FAILED in found:
            return FAILED
        return PARTLY if self.exit_code or PARTLY in found else DONE

    @property
    def title(self) -> str:
        return self._spoken.text(f"message_{self.outcome}")

    @property
    def _spoken(self) -> Spoken:
        return self.shops[0].spoken if self.shops else Spoken.of("en", "")

    def text(self) -> str:
        """As it reads, line by line."""
        told = [self.title, *([self.failure] if self.failure else [])]
        for shop in self.shops:
            told += [f"{shop.shop}:", *(f"  {line}" for line in shop.lines())]
        return "\n".join(told)

    def plain(self) -> dict[str, Any]:
        return {
            "source": "clv-sync",
            "run_id": self.run_id,
            "exit_code": self.exit_code,
            "outcome": self.outcome,
            "failure": self.failure or None,
            "text": self.text(),
            "shops": [shop.plain() for shop in self.shops],
        }

    def slack(self) -> dict[str, Any]:
        """Slack's blocks, with the text for where blocks don't show."""
        header = {"type": "plain_text", "text": self.title[:HEADER_SIGNS]}
        sections = [_section("", [self.failure])] if self.failure else []
        sections += [_section(f"*{shop.shop}*", shop.lines()) for shop in self.shops]
        blocks = [{"type": "header", "text": header}, *sections[: MOST_BLOCKS - 2]]
        told = {"type": "mrkdwn", "text": f"clv-sync {self.run_id}, {self.exit_code}"}
        return {
            "text": _escaped(self.text()[:SECTION_SIGNS]),
            "blocks": [*blocks, {"type": "context", "elements": [told]}],
        }


def _section(head: str, lines: Sequence[str]) -> dict[str, Any]:
    told = [head, *(f"\u2022 {_escaped(line)}" for line in lines)]
    text = "\n".join(line for line in told if line)
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION_SIGNS]}}


def _escaped(text: str) -> str:
    """Slack's three signs that could be markup, a link or a call to a whole channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cents(amount: float | Decimal) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
