"""What every customer shows today against what they should show: the plan, and its file.

Everything here is pure but the two functions at the end, which write and read the plan file: one
JSON line for the header, one for each change, sealed with a digest. A plan may be of more customers
than there is memory for: it is drawn for some of them at a time, and its changes stand in a file.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path

from connectors.drift import Drift
from connectors.errors import ConfigurationError, StalePlan
from connectors.files import written_whole
from connectors.kept import Kept, found_in, line_of
from connectors.schema import FIELDS, GROUP, LEFT_ALONE, TAG, Change, Shown, tier_tag
from connectors.store.scratch import Scratch

#: `=` stays, `+` shows nothing of ours yet, `*` changes, `-` loses what we wrote, `!` is scored but
#: no longer in the shop, `~` is left alone because the shop's owner wants it so.
SYMBOLS = "=+*-!~"

#: These follow from the other fields; alone they are no reason to write.
FOLLOWERS = frozenset({"reason", "scored_at", "previous_tier"})

FORMAT = 3

#: So many of the biggest changes are told.
BIGGEST = 10

#: What a plan's content is sealed with, piece by piece.
Seal = Callable[[Iterable[bytes]], str]


def unkeyed(content: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in content:
        digest.update(piece)
    return digest.hexdigest()


def nobody() -> Counter[str]:
    return Counter(dict.fromkeys(SYMBOLS, 0))


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one shop's plan holds: its changes, everybody counted by symbol, how far it moves.

    Those of some customers, and of others who come after them, add up to those of all. `biggest`
    are the changes of most weight, `moving` how many move to another group. `bearing` are
    customers who show anything of ours, `scored` those of them all with a score.
    """

    changes: Kept = field(default_factory=Kept)
    counts: Counter[str] = field(default_factory=nobody)
    drift: Drift = field(default_factory=Drift)
    biggest: Sequence[Change] = ()
    moving: int = 0
    bearing: int = 0
    scored: int = 0

    def __add__(self, other: Drawn) -> Drawn:
        counts = nobody()
        for one in (self, other):
            counts.update(one.counts)
        return Drawn(
            self.changes + other.changes,
            counts,
            self.drift + other.drift,
            biggest((*self.biggest, *other.biggest)),
            self.moving + other.moving,
            self.bearing + other.bearing,
            self.scored + other.scored,
        )


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
    changes: Kept


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
    counts = nobody()
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


def biggest(changes: Iterable[Change]) -> list[Change]:
    """The changes that move the most, of equal ones the first."""
    return heapq.nlargest(BIGGEST, changes, key=weight)


def write_plan(plan: Plan, path: Path, seal: Seal = unkeyed) -> None:
    """The plan as a file, 0600, sealed: with a key, nobody without it can make another."""
    header = {
        "clv_sync_plan": FORMAT,
        "made_at": plan.made_at,
        "based_on": dict(plan.based_on),
        "counts": dict(plan.counts),
        "drift": {shop: found.told() for shop, found in plan.drift.items()},
    }
    sealed = {**header, "digest": seal(_whole(header, plan.changes.lines()))}
    with written_whole(path) as fresh, fresh.open("wb") as file:
        file.writelines(_whole(sealed, plan.changes.lines()))
        file.write(b"\n")


def read_plan(path: Path, seal: Seal = unkeyed, scratch: Scratch | None = None) -> Plan:
    """A plan file read back. ConfigurationError if it is none, StalePlan if it was changed.

    What is read is a copy in `scratch`: nobody can change it once it has been looked at.
    """
    copy = scratch or Scratch()
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
            digest = header.pop("digest")
            if header["clv_sync_plan"] != FORMAT:
                raise KeyError("clv_sync_plan")
            shutil.copyfileobj(file, copy)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is no plan of this version", mend="Make one with `plan --out`."
        ) from error
    if digest != seal(_whole(header, copy.lines())):
        raise StalePlan(f"{path} was changed after it was made", mend="Plan anew.")
    drift = {shop: Drift.read(told) for shop, told in header["drift"].items()}
    based_on, counts = header["based_on"], header["counts"]
    return Plan(header["made_at"], based_on, counts, drift, found_in(copy))


def _whole(header: Mapping[str, object], lines: Iterable[bytes]) -> Iterator[bytes]:
    """A plan's content, but for the last line's end."""
    return chain([line_of(header).encode()], (b"\n" + line for line in lines))
