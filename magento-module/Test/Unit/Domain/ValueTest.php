<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Test\Unit\Domain;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Domain\Value;
use InvalidArgumentException;
use PHPUnit\Framework\TestCase;

class ValueTest extends TestCase
{
    /**
     * @dataProvider kept
     */
    public function testIsKeptAsTheColumnShowsIt(string $type, mixed $given, string $stored): void
    {
        self::assertSame($stored, Value::stored($type, $given));
    }

    /**
     * @return array<string, array{string, mixed, string}>
     */
    public static function kept(): array
    {
        return [
            'text' => [Attributes::TEXT, 'hög, kjøper ofte', 'hög, kjøper ofte'],
            'a number as text' => [Attributes::TEXT, 7, '7'],
            'a long text' => [Attributes::TEXT, str_repeat('ż', 255), str_repeat('ż', 255)],
            'money' => [Attributes::DECIMAL, '77.25', '77.2500'],
            'a whole number' => [Attributes::DECIMAL, 0, '0.0000'],
            'a JSON number' => [Attributes::DECIMAL, 0.83, '0.8300'],
            'a JSON number of many digits' => [Attributes::DECIMAL, 99999999.9999, '99999999.9999'],
            'a negative amount' => [Attributes::DECIMAL, '-0.5', '-0.5000'],
            'minus nothing' => [Attributes::DECIMAL, '-0.00', '0.0000'],
            'leading zeros' => [Attributes::DECIMAL, '007.10', '7.1000'],
            'zeros beyond the scale' => [Attributes::DECIMAL, '1.500000', '1.5000'],
            'a hundred' => [Attributes::DECIMAL, 100.0, '100.0000'],
            'a day' => [Attributes::DATE, '2028-02-29', '2028-02-29 00:00:00'],
            'nothing, which deletes' => [Attributes::DATE, '', ''],
        ];
    }

    /**
     * @dataProvider refused
     */
    public function testIsRefusedWhereMagentoWouldKeepSomethingElse(string $type, mixed $given): void
    {
        $this->expectException(InvalidArgumentException::class);
        Value::stored($type, $given);
    }

    /**
     * @return array<string, array{string, mixed}>
     */
    public static function refused(): array
    {
        return [
            'text for a number' => [Attributes::DECIMAL, 'abc'],
            'a comma' => [Attributes::DECIMAL, '77,25'],
            'an exponent' => [Attributes::DECIMAL, '1e3'],
            'a line behind' => [Attributes::DECIMAL, "1\n"],
            'more decimals than the column' => [Attributes::DECIMAL, '0.12345'],
            'more digits than the column' => [Attributes::DECIMAL, '123456789'],
            'a day that is not' => [Attributes::DATE, '2026-02-29'],
            'a date and time' => [Attributes::DATE, '2026-02-27 00:00:00'],
            'a day of another country' => [Attributes::DATE, '27.02.2026'],
            'no day' => [Attributes::DATE, '0000-00-00'],
            'a text too long' => [Attributes::TEXT, str_repeat('ż', 256)],
            'an emoji' => [Attributes::TEXT, 'top 😀'],
            'broken text' => [Attributes::TEXT, "\xC3\x28"],
            'nothing at all' => [Attributes::TEXT, null],
            'yes' => [Attributes::TEXT, true],
            'a list' => [Attributes::TEXT, ['high']],
        ];
    }
}
