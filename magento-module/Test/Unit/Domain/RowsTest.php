<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Test\Unit\Domain;

use ClvSync\CustomerClv\Domain\Columns;
use ClvSync\CustomerClv\Domain\EmailKey;
use ClvSync\CustomerClv\Domain\Rows;
use PHPUnit\Framework\TestCase;

class RowsTest extends TestCase
{
    private const ORDER = [
        'entity_id' => '12',
        'increment_id' => '000000012',
        'store_id' => '1',
        'customer_id' => null,
        'customer_is_guest' => '1',
        'customer_email' => 'Eva@example.com',
        'coupon_code' => null,
        'base_grand_total' => '104.7800',
    ];

    public function testServesNoNullsAndKeepsAmountsAsTheyAre(): void
    {
        self::assertSame([
            'entity_id' => 12,
            'increment_id' => '000000012',
            'store_id' => 1,
            'customer_is_guest' => 1,
            'customer_email' => 'Eva@example.com',
            'base_grand_total' => '104.7800',
            'items' => [],
        ], (new Rows(null))->order(self::ORDER, '1', null));
    }

    public function testServesTheKeyedHashInsteadOfTheEmailWhereAKeyIsSet(): void
    {
        $key = new EmailKey('a key for the tests of the module');
        $order = (new Rows($key))->order(self::ORDER, '2', null);

        self::assertArrayNotHasKey('customer_email', $order);
        self::assertSame($key->personKey('eva@example.com', '2'), $order['customer_email_key']);
    }

    public function testSaysWhereAnOrderWasSentElseWhereItWasBilled(): void
    {
        $address = static fn (int $order, string $type, ?string $country): array
            => ['parent_id' => (string)$order, 'address_type' => $type, 'country_id' => $country];
        $countries = Rows::countries([
            $address(1, 'shipping', 'SE'),
            $address(1, 'billing', 'DE'),
            $address(2, 'billing', 'DE'),
            $address(2, 'shipping', 'NO'),
            $address(3, 'billing', 'FR'),
            $address(4, 'shipping', null),
            $address(4, 'billing', 'PL'),
            $address(5, 'billing', ''),
        ]);

        self::assertSame([1 => 'SE', 2 => 'NO', 3 => 'FR', 4 => 'PL'], $countries);
        self::assertSame('SE', (new Rows(null))->order(self::ORDER, '1', $countries[1])['country_id']);
        self::assertArrayNotHasKey('country_id', (new Rows(null))->order(self::ORDER, '1', null));
    }

    /**
     * @dataProvider keys
     */
    public function testServesNoEmailOfWhoHasAnAccount(?EmailKey $key): void
    {
        $order = (new Rows($key))->order(['customer_id' => '60'] + self::ORDER, '1', null);

        self::assertSame(60, $order['customer_id']);
        self::assertSame([], preg_grep('/email/', array_keys($order)));
    }

    /**
     * @return list<array{EmailKey|null}>
     */
    public static function keys(): array
    {
        return [[null], [new EmailKey('a key for the tests of the module')]];
    }

    public function testPutsCommerceColumnsAmongTheExtensionAttributes(): void
    {
        $row = self::ORDER + ['base_gift_cards_amount' => '5.0000', 'gw_base_price' => null];
        $order = (new Rows(null))->order($row, '1', null);

        self::assertSame(['base_gift_cards_amount' => '5.0000'], $order['extension_attributes']);
        self::assertArrayNotHasKey('base_gift_cards_amount', $order);
    }

    public function testServesNoExtensionAttributesWhereNoneIsSet(): void
    {
        $memo = (new Rows(null))->creditMemo(['entity_id' => '3', 'order_id' => '12', 'gw_base_price' => null]);

        self::assertSame(['entity_id' => 3, 'order_id' => 12], $memo);
    }

    public function testLeavesTheOrderOutOfAnItem(): void
    {
        $item = (new Rows(null))->item(['order_id' => '12', 'item_id' => '40', 'parent_item_id' => null, 'sku' => '7']);

        self::assertSame(['item_id' => 40, 'sku' => '7'], $item);
    }

    public function testServesACustomerUnderTheStockRoutesNames(): void
    {
        $row = ['entity_id' => '7', 'website_id' => '2', 'group_id' => '1', 'email' => 'eva@example.com'];
        $shown = ['clv_tier' => ['value_id' => 31, 'value' => 'high']];

        self::assertSame([
            'id' => 7,
            'website_id' => 2,
            'group_id' => 1,
            'email' => 'eva@example.com',
            'custom_attributes' => [['attribute_code' => 'clv_tier', 'value' => 'high']],
        ], (new Rows(null))->customer($row, $shown));
    }

    public function testHashesACustomersEmailForTheirWebsite(): void
    {
        $key = new EmailKey('a key for the tests of the module');
        $customer = (new Rows($key))->customer(['entity_id' => '7', 'website_id' => '2', 'email' => 'eva@x.se'], []);

        self::assertSame(['id' => 7, 'website_id' => 2, 'email_key' => $key->personKey('eva@x.se', '2')], $customer);
    }

    public function testReadsNothingThatNamesAPerson(): void
    {
        $columns = [
            ...Columns::ORDER, ...Columns::ITEM, ...Columns::CREDIT_MEMO, ...Columns::CUSTOMER, ...Columns::COMMERCE,
        ];
        $naming = preg_grep('/name|dob|gender|taxvat|_ip|forwarded|address|phone|note|street|city/', $columns);

        self::assertSame([], array_values($naming));
    }
}
