"""Made-up people: names from many alphabets, e-mails at example.com, addresses that don't exist."""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

FIRST = ("Anna", "Søren", "Zoë", "Łukasz", "María", "Olivia", "李", "Ömer", "Chloé", "Jonas",
         "Amara", "Noah", "Ingrid", "Mateo", "Priya", "Yuki", "Siân", "D'Arcy")  # fmt: skip
LAST = ("Müller", "García", "Nguyễn", "van der Berg", "O'Brien", "Åkesson", "Smith", "Groß",
        "Kowalska", "Rossi", "Tanaka", "Okafor", "Silva", "Dubois", "Novák", "Lee")  # fmt: skip
PLACES = {
    "DE": ("Hauptstraße", "50667", "Köln", "+49 221 1234567"),
    "FR": ("Rue de la Paix", "75002", "Paris", "+33 1 23 45 67 89"),
    "US": ("Main St", "78701", "Austin", "512-555-0100"),
}


class Person(NamedTuple):
    number: int
    email: str
    first_name: str
    last_name: str


def person(rng: Random, number: int, mailbox: str = "customer") -> Person:
    return Person(number, f"{mailbox}{number:05d}@example.com", rng.choice(FIRST), rng.choice(LAST))


def address(rng: Random, address_id: int, country: str) -> dict[str, Any]:
    """One address; its telephone may be emptied by whoever wants an old, broken one."""
    street, postcode, city, telephone = PLACES[country]
    return {
        "id": address_id, "street": [f"{street} {rng.randint(1, 99)}"], "city": city,
        "postcode": postcode, "country_id": country, "telephone": telephone,
    }  # fmt: skip
