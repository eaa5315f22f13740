"""What every customer shows today against what they should show: the plan, and its file.

Everything here is pure but the two functions at the end, which write and read the plan file: one
JSON line for the header, one for each change, sealed with a digest.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from connectors.drift import Drift
from connectors.errors import ConfigurationError, StalePlan
from connectors.files import written_whole
from connectors.schema import FIELDS, GROUP, LEFT_ALONE, TAG, Change, Shown, tier_tag

#: `=` stays, `+` shows nothing of ours yet, `*` changes, `-` loses what we wrote, `!` is scored but
#: no longer in the shop, `~` is left alone because the shop's owner wants it so.
SYMBOLS = "=+*-!~"

#: These follow from the other fields; alone they are no reason to write.
FOLLOWERS = frozenset({"reason", "scored_at", "previous_tier"})

FORMAT = 3

#: What a plan's content is sealed with.
Seal = Callable[[bytes], str]


def unkeyed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Drawn(NamedTuple):
    """What one shop's plan holds: its changes, everybody counted by symbol, how far it moves."""

    changes: Sequence[Change]
    counts: Mapping[str, int]
    drift: Drift


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of one or more shops, and the count of everybody by symbol.

    `based_on` names for each shop the state that the plan was made from (the scores and the last
    write-back); where it has moved on, the plan is stale. `drift`: how far each shop moves.
    """

    made_at: str
    based_on: Mapping[str, str]
    counts: Mapping[str, int]
    drift: Mapping[str, Drift]
    changes: Sequence[Change]

    def of(self, shop: str) -> Sequence[Change]:
        return [change for change in self.changes if change.shop == shop]


def draw(
    shop: str,
    shown: Mapping[str, Shown],
    scored: Mapping[str, Shown],
    shows: Iterable[str],
    tolerance: Decimal,
) -> tuple[list[Change], Counter[str]]:
    """The changes that bring a shop from `shown` to `scored`, and everybody counted by symbol.

    `shown` holds every customer of the shop, `scored` the fields of those who have a score.
    """
    fields = tuple(shows)
    changes: list[Change] = []
    counts: Counter[str] = Counter(dict.fromkeys(SYMBOLS, 0))
    counts["!"] = len(scored.keys() - shown.keys())
    for customer_id, today in shown.items():
        if LEFT_ALONE in today:
            counts["~"] += 1
            continue
        score = scored.get(customer_id)
        wanted = target(score, today, fields) if score else group_of(today)
        if worth_writing(today, wanted, tolerance):
            changes.append(Change(shop, customer_id, before=today, after=wanted))
            counts[symbol(changes[-1])] += 1
        else:
            counts["="] += 1
    return changes, counts


def target(score: Shown, today: Shown, shows: Sequence[str]) -> Shown:
    """What a customer should show: the score, the tier they had before, the tag of the tier.

    A score may bring tags of its own, such as that of a segment.
    """
    wanted = dict(score)
    moved = "tier" in today and today["tier"] != score["tier"]
    previous = today.get("tier" if moved else "previous_tier")
    if previous:
        wanted["previous_tier"] = previous
    tags = {tier_tag(score["tier"]), *filter(None, score.get(TAG, "").split(","))}
    wanted[TAG] = ",".join(sorted(tags))
    wanted = {**group_of(today), **wanted}
    return {field: wanted[field] for field in shows if field in wanted}


def with_groups(
    scored: Mapping[str, Shown], shown: Mapping[str, Shown], groups: Mapping[str, str]
) -> Mapping[str, Shown]:
    """The scores, with the customer group that each tier is to have (tier -> group).

    Customers move between the named groups only: one whom the shop keeps in another group
    (wholesale, say) stays there, and so does one whose tier has none.
    """
    ours = set(groups.values())
    return {
        customer: {**score, GROUP: groups[score["tier"]]}
        if score["tier"] in groups and shown.get(customer, {}).get(GROUP) in ours
        else score
        for customer, score in scored.items()
    }


def group_of(today: Shown) -> Shown:
    """Everybody is in a group, scored or not, and stays there unless a score says otherwise."""
    return {GROUP: today[GROUP]} if GROUP in today else {}


def ours(shown: Shown) -> Shown:
    """What is there only because we wrote it: all but the group."""
    return {field: text for field, text in shown.items() if field not in (GROUP, LEFT_ALONE)}


def moves(changes: Iterable[Change]) -> int:
    """How many customers would be moved to another group."""
    return sum(change.before.get(GROUP) != change.after.get(GROUP) for change in changes)


def worth_writing(before: Shown, after: Shown, tolerance: Decimal) -> bool:
    """Whether any field differs by more than its daily drift. If one does, all are written."""
    return any(
        _differs(field, before.get(field), after.get(field), tolerance)
        for field in before.keys() | after.keys()
    )


def _differs(field: str, before: str | None, after: str | None, tolerance: Decimal) -> bool:
    """A prediction moves a little every day, by itself: that alone is not worth a write.

    Within `tolerance` count as the same: predicted money (relative), probabilities (absolute) and
    dates (one day for each hundredth). Facts are compared exactly, and so is all at tolerance 0.
    """
    if before is None or after is None or before == after:
        return before != after
    if field in FOLLOWERS:
        return False
    if field == "predicted_12m":
        return abs(Decimal(after) - Decimal(before)) > tolerance * abs(Decimal(before))
    if field == "p_alive":
        return abs(Decimal(after) - Decimal(before)) > tolerance
    if FIELDS.get(field) == "date":
        days = date.fromisoformat(after) - date.fromisoformat(before)
        return abs(days.days) > 100 * tolerance
    return True


def symbol(change: Change) -> str:
    if not ours(change.before):
        return "+"
    return "*" if ours(change.after) else "-"


def weight(change: Change) -> Decimal:
    """How much a change moves, in money: for the table of the biggest ones."""
    after, before = (Decimal(s.get("predicted_12m", 0)) for s in (change.after, change.before))
    return abs(after - before)


def write_plan(plan: Plan, path: Path, seal: Seal = unkeyed) -> None:
    """The plan as a file, 0600, sealed: with a key, nobody without it can make another."""
    lines = [_line(asdict(change)) for change in plan.changes]
    header = {
        "clv_sync_plan": FORMAT,
        "made_at": plan.made_at,
        "based_on": dict(plan.based_on),
        "counts": dict(plan.counts),
        "drift": {shop: found.told() for shop, found in plan.drift.items()},
    }
    sealed = {**header, "digest": seal(_whole([_line(header), *lines]))}
    with written_whole(path) as fresh:
        fresh.write_text("\n".join([_line(sealed), *lines]) + "\n", encoding="utf-8")


def read_plan(path: Path, seal: Seal = unkeyed) -> Plan:
    """A plan file read back. ConfigurationError if it is none, StalePlan if it was changed."""
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines()
        header = json.loads(first)
        digest = header.pop("digest")
        if header["clv_sync_plan"] != FORMAT:
            raise KeyError("clv_sync_plan")
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is no plan of this version", mend="Make one with `plan --out`."
        ) from error
    if digest != seal(_whole([_line(header), *lines])):
        raise StalePlan(f"{path} was changed after it was made", mend="Plan anew.")
    changes = [Change(**json.loads(line)) for line in lines]
    drift = {shop: Drift.read(told) for shop, told in header["drift"].items()}
    return Plan(header["made_at"], header["based_on"], header["counts"], drift, changes)


def _line(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _whole(lines: Iterable[str]) -> bytes:
    return "\n".join(lines).encode()
