<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Test\Unit\Domain;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Domain\Formats;
use ClvSync\CustomerClv\Domain\Sheet;
use PHPUnit\Framework\TestCase;

/**
 * @requires extension intl
 */
class SheetTest extends TestCase
{
    private const VALUES = [
        'clv_tier' => 'high',
        'clv_previous_tier' => 'middle',
        'clv_predicted_12m' => '1234.5000',
        'clv_historic_net' => '-12.0000',
        'clv_currency' => 'EUR',
        'clv_p_alive' => '0.8349',
        'clv_next_order_date' => '2026-12-01 00:00:00',
        'clv_reason' => 'Bought 12 times, last in October.',
        'clv_model' => 'BG/NBD',
        'clv_scored_at' => '2026-11-23 00:00:00',
    ];

    public function testReadsAsAnAmericanWrites(): void
    {
        self::assertSame([
            'clv_tier' => 'high',
            'clv_reason' => 'Bought 12 times, last in October.',
            'clv_predicted_12m' => '€1,234.50',
            'clv_historic_net' => '-€12.00',
            'clv_p_alive' => '83%',
            'clv_next_order_date' => 'Dec 1, 2026',
            'clv_previous_tier' => 'middle',
            'clv_model' => 'BG/NBD',
            'clv_scored_at' => 'Nov 23, 2026',
        ], $this->lines('en_US', self::VALUES));
    }

    public function testShowsTheSegmentBelowTheTierWhereThereIsOne(): void
    {
        $lines = $this->lines('en_US', ['clv_segment' => 'win-back'] + self::VALUES);

        self::assertSame(['clv_tier' => 'high', 'clv_segment' => 'win-back'], array_slice($lines, 0, 2));
        self::assertArrayNotHasKey('clv_segment', $this->lines('en_US', ['clv_segment' => ''] + self::VALUES));
    }

    public function testReadsAsASwedeWrites(): void
    {
        $lines = $this->lines('sv_SE', ['clv_currency' => 'SEK'] + self::VALUES);
        $spaces = static fn (string $text): string => str_replace(["\u{A0}", "\u{202F}"], ' ', $text);

        self::assertSame('1 234,50 kr', $spaces($lines['clv_predicted_12m']));
        self::assertSame('83 %', $spaces($lines['clv_p_alive']));
        self::assertSame('1 dec. 2026', $spaces($lines['clv_next_order_date']));
    }

    public function testShowsANumberWhereTheCurrencyIsUnknown(): void
    {
        $lines = $this->lines('en_US', ['clv_currency' => ''] + self::VALUES);

        self::assertSame('1,234.5', $lines['clv_predicted_12m']);
    }

    public function testIsEmptyForACustomerWhoWasNeverScored(): void
    {
        self::assertSame([], $this->lines('en_US', []));
        self::assertSame([], $this->lines('en_US', ['clv_tier' => '', 'clv_scored_at' => '']));
    }

    public function testLeavesOutWhatIsNotSet(): void
    {
        $lines = $this->lines('en_US', ['clv_tier' => 'new', 'clv_p_alive' => '0.5']);

        self::assertSame(['clv_tier' => 'new', 'clv_p_alive' => '50%'], $lines);
    }

    public function testHasALabelForEveryAttribute(): void
    {
        self::assertSame(array_keys(Attributes::TYPES), array_keys(Attributes::LABELS));
    }

    /**
     * @param array<string, string> $values
     * @return array<string, string>
     */
    private function lines(string $locale, array $values): array
    {
        return (new Sheet(new Formats($locale)))->lines($values);
    }
}
