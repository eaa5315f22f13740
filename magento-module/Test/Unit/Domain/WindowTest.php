<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Test\Unit\Domain;

use ClvSync\CustomerClv\Domain\Window;
use InvalidArgumentException;
use PHPUnit\Framework\TestCase;

class WindowTest extends TestCase
{
    public function testGoesOnAboveAnId(): void
    {
        self::assertSame([['entity_id > ?', 40]], (new Window(40, 5000))->conditions());
    }

    public function testIncludesBothEndsOfEveryRange(): void
    {
        $window = new Window(40, 10, 90, [
            'created_from' => '2026-01-01 00:00:00',
            'updated_from' => '2026-11-22 08:15:00',
            'updated_to' => '2026-11-22 08:45:59',
        ]);

        self::assertSame([
            ['entity_id > ?', 40],
            ['entity_id <= ?', 90],
            ['created_at >= ?', '2026-01-01 00:00:00'],
            ['updated_at >= ?', '2026-11-22 08:15:00'],
            ['updated_at <= ?', '2026-11-22 08:45:59'],
        ], $window->conditions());
    }

    public function testStopsAtIdZeroWhereThatIsAsked(): void
    {
        self::assertSame([['entity_id > ?', 0], ['entity_id <= ?', 0]], (new Window(0, 1, 0))->conditions());
    }

    public function testTakesDatesThatAreNotGivenForNone(): void
    {
        self::assertCount(1, (new Window(0, 1, null, ['updated_from' => null]))->conditions());
    }

    /**
     * @dataProvider outOfBounds
     */
    public function testNamesWhatIsOutOfBounds(int $after, int $limit, string $name): void
    {
        $this->expectExceptionMessage($name);
        new Window($after, $limit);
    }

    /**
     * @return list<array{int, int, string}>
     */
    public static function outOfBounds(): array
    {
        return [[-1, 10, 'after'], [0, 0, 'limit'], [0, -5, 'limit'], [0, 5001, 'limit']];
    }

    /**
     * @dataProvider garbage
     */
    public function testRefusesADateThatTheDatabaseWouldNotUnderstand(string $date): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage('updated_to');
        new Window(0, 1, null, ['updated_to' => $date]);
    }

    /**
     * @return list<array{string}>
     */
    public static function garbage(): array
    {
        return [
            [''], ['yesterday'], ['2026-11-22'], ['2026-11-22T08:15:00'], ['2026-11-22 08:15:00+01:00'],
            ['2026-02-30 00:00:00'], ['2026-11-22 24:00:00'], ['2026-11-22 08:15:00 '], ['2026-1-2 08:15:00'],
        ];
    }
}
