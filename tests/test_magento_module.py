"""The Magento module: what it promises the connector, and its own tests where PHP is at hand."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from connectors.identity import EmailHasher
from connectors.magento import wanted
from connectors.magento.parse import PAYMENTS
from connectors.schema import KINDS

MODULE = Path(__file__).resolve().parents[1] / "magento-module"
TYPES = {"money": "decimal", "number": "decimal", "date": "datetime", "text": "varchar"}
LOCALES = ("en_US", "sv_SE", "da_DK", "nb_NO", "pl_PL")

ROUTES = {
    ("GET", "/V1/clv/module"): "Magento_Customer::customer",
    ("GET", "/V1/clv/orders"): "Magento_Sales::actions_view",
    ("GET", "/V1/clv/orders/months"): "Magento_Sales::actions_view",
    ("GET", "/V1/clv/creditmemos"): "Magento_Sales::sales_creditmemo",
    ("GET", "/V1/clv/customers"): "Magento_Customer::customer",
    ("POST", "/V1/clv/customers"): "ClvSync_CustomerClv::write",
}

HASHES = """
require $argv[1];
$key = new ClvSync\\CustomerClv\\Domain\\EmailKey($argv[2]);
$emails = json_decode(stream_get_contents(STDIN));
$keys = array_map(fn ($email) => $key->personKey($email, '3'), $emails);
echo json_encode([$key->fingerprint(), $keys]);
"""


def text(path: str) -> str:
    return (MODULE / path).read_text(encoding="utf-8")


def xml(path: str) -> ElementTree.Element:
    return ElementTree.fromstring(text(path))  # noqa: S314  our own file


def constant(path: str, name: str) -> str:
    """The text of a PHP constant's value."""
    found = re.search(rf"const {name} = (.*?);", text(path), re.DOTALL)
    assert found, f"{path} has no {name}"
    return found.group(1)


def listed(path: str, name: str) -> list[str]:
    return re.findall(r"'(\w+)'", constant(path, name))


def sources(*endings: str) -> list[Path]:
    found = (path for path in MODULE.rglob("*") if path.suffix in endings)
    return sorted(path for path in found if "vendor" not in path.parts)


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed here: apt-get install php-cli php-xml phpunit")
    return found


def translations(locale: str) -> dict[str, str]:
    with (MODULE / f"i18n/{locale}.csv").open(encoding="utf-8", newline="") as file:
        return dict(csv.reader(file))


@pytest.mark.parametrize("path", sources(".xml"), ids=lambda path: str(path.relative_to(MODULE)))
def test_every_xml_file_is_well_formed(path: Path) -> None:
    ElementTree.parse(path)  # noqa: S314  our own file


def test_the_attributes_are_the_fields_that_we_write_with_their_types() -> None:
    pairs = re.findall(r"'(\w+)' => self::(\w+)", constant("Domain/Attributes.php", "TYPES"))
    names = {name: constant("Domain/Attributes.php", name).strip("'") for _, name in pairs}

    assert {code: names[name] for code, name in pairs} == {
        f"clv_{field}": TYPES[kind] for field, kind in KINDS.items()
    }


def test_the_routes_ask_for_the_rights_that_the_connector_counts_on() -> None:
    routes = {
        (route.get("method"), route.get("url")): [
            resource.get("ref") for resource in route.iter("resource")
        ]
        for route in xml("etc/webapi.xml").iter("route")
    }

    assert routes == {route: [right] for route, right in ROUTES.items()}


def test_every_right_of_our_own_is_declared() -> None:
    declared = {one.get("id") for one in xml("etc/acl.xml").iter("resource")}
    asked = {*ROUTES.values(), "ClvSync_CustomerClv::config"}

    assert {one for one in asked if one.startswith("ClvSync_")} <= declared


def test_the_services_behind_the_routes_are_there() -> None:
    for service in xml("etc/webapi.xml").iter("service"):
        name = str(service.get("class")).removeprefix("ClvSync\\CustomerClv\\")
        assert f"function {service.get('method')}(" in text(name.replace("\\", "/") + ".php")


@pytest.mark.parametrize("path", sources(".xml"), ids=lambda path: str(path.relative_to(MODULE)))
def test_every_class_of_ours_that_an_xml_file_names_is_there(path: Path) -> None:
    for name in re.findall(r"ClvSync\\CustomerClv\\([\w\\]+)", path.read_text(encoding="utf-8")):
        assert (MODULE / (name.replace("\\", "/") + ".php")).is_file(), name


def test_the_export_reads_every_column_that_is_asked_of_the_stock_routes() -> None:
    file = "Domain/Columns.php"
    commerce = listed(file, "COMMERCE")
    order = {*listed(file, "ORDER"), *listed(file, "ITEM"), *listed(file, "ADDRESS"), *commerce}
    memo = {*listed(file, "CREDIT_MEMO"), *commerce}
    customer = {*listed(file, "CUSTOMER"), "id", "attribute_code", "value"}

    for asked, served in ((wanted.ORDER, order), (wanted.MEMO, memo), (wanted.CUSTOMER, customer)):
        names = set(re.findall(r"\w+(?!\w*\[)", asked))  # but for what holds others
        assert names <= served


def test_composer_and_the_module_route_tell_one_version() -> None:
    package = json.loads(text("composer.json"))

    assert package["name"] == "clv-sync/module-customer-clv"
    assert package["type"] == "magento2-module"
    assert package["autoload"]["psr-4"] == {"ClvSync\\CustomerClv\\": ""}
    assert package["version"] == constant("Model/ModuleInfo.php", "VERSION").strip("'")


def test_the_module_has_one_name() -> None:
    module = xml("etc/module.xml").find("module")

    assert module is not None
    assert module.get("name") == "ClvSync_CustomerClv"
    assert "'ClvSync_CustomerClv'" in text("registration.php")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_that_an_administrator_reads_is_translated(locale: str) -> None:
    php = "\n".join(path.read_text(encoding="utf-8") for path in sources(".php", ".phtml"))
    said = {*re.findall(r"__\(\s*'((?:[^'\\]|\\.)*)'", php)}
    said |= {*re.findall(r"=> '([^']+)'", constant("Domain/Attributes.php", "LABELS"))}
    for path in ("etc/adminhtml/system.xml", "etc/acl.xml"):
        for node in xml(path).iter():
            said |= {str(node.get("title"))} if node.get("title") else set()
            said |= {str(node.text)} if node.tag in ("label", "comment") else set()

    translated = translations(locale)

    assert said <= set(translated), said - set(translated)
    for original, words in translated.items():
        assert words.strip()
        assert re.findall(r"%\d", words) == re.findall(r"%\d", original)


@pytest.mark.parametrize("path", sources(".php"), ids=lambda path: str(path.relative_to(MODULE)))
def test_nothing_is_written_in_a_php_newer_than_8_1(path: Path) -> None:
    """What Debian's PHP 8.2 would let pass."""
    code = path.read_text(encoding="utf-8")

    assert not re.search(
        r"readonly class|#\[\\?Override|const (string|int|array|\??[A-Z]\w*) [A-Z]", code
    )
    assert not re.search(
        r"(?<![?\w|])(?:int|string|array|[A-Z]\w+) \$\w+ = null", code
    )  # 8.4: implicit null


def test_phpunit_passes() -> None:
    done = subprocess.run(
        [tool("phpunit"), "--configuration", str(MODULE / "phpunit.xml")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_php_hashes_every_email_as_we_do() -> None:
    secret, chance = "a key for the tests of the module", random.Random(20261122)  # noqa: S311
    letters = "aZ.'+_@0 \t\n\xa0\u3000\x00\x1cÅÉøßİıŻŁñΣΑςσЯ\u200b\u1e9eǅ-"  # noqa: RUF001
    emails = ["".join(chance.choices(letters, k=chance.randint(0, 12))) for _ in range(3000)]
    done = subprocess.run(
        [tool("php"), "-r", HASHES, str(MODULE / "Domain/EmailKey.php"), secret],
        input=json.dumps(emails),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    fingerprint, keys = json.loads(done.stdout)
    hasher = EmailHasher(secret.encode())

    assert fingerprint == hasher.fingerprint
    odd = [
        email
        for email, key in zip(emails, keys, strict=True)
        if key != hasher.person_key(email, "3")
    ]
    assert not odd, f"{len(odd)} differ, {odd[:5]}"


def test_a_months_sum_counts_what_was_paid_in_other_ways_as_the_connector_does() -> None:
    """Gift cards, store credit and points, where the shop is an Adobe Commerce."""
    assert listed("Domain/Columns.php", "PAYMENTS") == list(PAYMENTS)
    assert set(PAYMENTS) <= set(listed("Domain/Columns.php", "COMMERCE"))
    assert "Columns::PAYMENTS" in text("Model/SalesExport.php")


def test_a_shop_that_has_an_older_version_gets_the_attribute_that_it_lacks() -> None:
    """A patch runs once in a shop: what came later needs one of its own, behind the first."""
    patch = text("Setup/Patch/Data/DeclareSegment.php")
    assert "[DeclareAttributes::class]" in patch
    assert "const SEGMENT = 'clv_segment'" in patch
