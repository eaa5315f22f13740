<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Test\Unit\Domain;

use ClvSync\CustomerClv\Domain\Shopper;
use PHPUnit\Framework\TestCase;

class ShopperTest extends TestCase
{
    /**
     * @dataProvider inputs
     * @param array<mixed> $input
     * @param array<mixed> $left
     */
    public function testMaySendAllButOurAttributes(array $input, array $left): void
    {
        self::assertSame($left, Shopper::without($input));
    }

    /**
     * @return array<string, array{array<mixed>, array<mixed>}>
     */
    public static function inputs(): array
    {
        $ours = ['attribute_code' => 'clv_tier', 'value' => 'top'];
        $other = ['attribute_code' => 'shoe_size', 'value' => '44'];
        $camel = ['attributeCode' => 'clv_tier', 'value' => 'top'];
        $plain = ['email' => 'eva@example.com', 'addresses' => [['street' => ['Main 1']]]];
        return [
            'nothing of the kind' => [['customer' => $plain], ['customer' => $plain]],
            'a list' => [
                ['customer' => ['custom_attributes' => [$ours, $other]]],
                ['customer' => ['custom_attributes' => [$other]]],
            ],
            'a map' => [
                ['customer' => ['custom_attributes' => ['clv_tier' => 'top', 'shoe_size' => '44']]],
                ['customer' => ['custom_attributes' => ['shoe_size' => '44']]],
            ],
            'pairs in a map' => [
                ['customer' => ['custom_attributes' => ['a' => $ours]]],
                ['customer' => ['custom_attributes' => []]],
            ],
            'camel case' => [
                ['customer' => ['customAttributes' => [$camel, $other]]],
                ['customer' => ['customAttributes' => [$other]]],
            ],
            'in a list of requests' => [
                [['customer' => ['custom_attributes' => [$ours]]], ['customer' => $plain]],
                [['customer' => ['custom_attributes' => []]], ['customer' => $plain]],
            ],
        ];
    }
}
