<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

use DateTimeImmutable;
use InvalidArgumentException;

/**
 * Which rows of a table a page may show: ids above `after`, at most `limit` of them, within dates.
 */
final class Window
{
    public const MAX_LIMIT = 5000;

    private const DATES = [
        'created_from' => 'created_at >= ?',
        'updated_from' => 'updated_at >= ?',
        'updated_to' => 'updated_at <= ?',
    ];

    /**
     * @param int $after
     * @param int $limit
     * @param int|null $to the highest id, inclusive
     * @param array<string, string|null> $dates UTC by name: created_from, updated_from, updated_to
     * @throws InvalidArgumentException naming what is out of bounds
     */
    public function __construct(
        public readonly int $after,
        public readonly int $limit,
        private readonly ?int $to = null,
        private readonly array $dates = []
    ) {
        if ($after < 0) {
            throw new InvalidArgumentException('after must be 0 or more');
        }
        if ($limit < 1 || $limit > self::MAX_LIMIT) {
            throw new InvalidArgumentException('limit must be 1 to ' . self::MAX_LIMIT);
        }
        foreach (array_filter($dates, 'is_string') as $name => $date) {
            self::check($name, $date);
        }
    }

    /**
     * The conditions with the value of their one question mark.
     *
     * @return list<array{string, int|string}>
     */
    public function conditions(): array
    {
        $conditions = [['entity_id > ?', $this->after]];
        if ($this->to !== null) {
            $conditions[] = ['entity_id <= ?', $this->to];
        }
        foreach (self::DATES as $name => $condition) {
            if (isset($this->dates[$name])) {
                $conditions[] = [$condition, $this->dates[$name]];
            }
        }
        return $conditions;
    }

    /**
     * MySQL would take a date that it can't read for "no limit"; we don't.
     */
    private static function check(string $name, string $date): void
    {
        $read = DateTimeImmutable::createFromFormat('!Y-m-d H:i:s', $date);
        if (!$read || $read->format('Y-m-d H:i:s') !== $date) {
            throw new InvalidArgumentException("$name must be a date and time like 2026-11-22 08:15:00, in UTC");
        }
    }
}
