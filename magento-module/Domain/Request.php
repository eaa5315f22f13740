<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

use InvalidArgumentException;

/**
 * What one customer should show: a row of a write that could be read.
 */
final class Request
{
    /**
     * @param int $customerId
     * @param array<string, string> $values stored text by attribute code; "" deletes
     */
    private function __construct(public readonly int $customerId, public readonly array $values)
    {
    }

    /**
     * Reads one row of the body; `$types` are the types of the attributes that exist.
     *
     * @param mixed $row
     * @param array<string, string> $types
     * @throws InvalidArgumentException with what is wrong
     */
    public static function of(mixed $row, array $types): self
    {
        $values = is_array($row) ? ($row['values'] ?? null) : null;
        $customerId = self::customerId($row);
        if ($customerId === 0) {
            throw new InvalidArgumentException('customer_id is no id');
        }
        if (!is_array($values) || !array_is_list($values)) {
            throw new InvalidArgumentException('values is no list');
        }
        return new self($customerId, self::read($values, $types));
    }

    /**
     * The row's customer, or 0 where it names none.
     */
    public static function customerId(mixed $row): int
    {
        $text = is_array($row) ? ($row['customer_id'] ?? null) : null;
        $text = is_int($text) ? (string)$text : $text;
        return is_string($text) && preg_match('/^[1-9]\d{0,9}$/D', $text) ? (int)$text : 0;
    }

    /**
     * @param list<mixed> $values
     * @param array<string, string> $types
     * @return array<string, string>
     */
    private static function read(array $values, array $types): array
    {
        $read = [];
        foreach ($values as $pair) {
            [$code, $value] = self::pair($pair);
            if (!isset($types[$code])) {
                throw new InvalidArgumentException(self::shortened($code) . ' is none of the attributes');
            }
            if (isset($read[$code])) {
                throw new InvalidArgumentException("$code is there twice");
            }
            $read[$code] = self::stored($code, $types[$code], $value);
        }
        return $read;
    }

    /**
     * @return array{string, mixed}
     */
    private static function pair(mixed $pair): array
    {
        if (!is_array($pair) || !is_string($pair['code'] ?? null) || !array_key_exists('value', $pair)) {
            throw new InvalidArgumentException('each of values needs a code and a value');
        }
        return [$pair['code'], $pair['value']];
    }

    private static function stored(string $code, string $type, mixed $value): string
    {
        try {
            return Value::stored($type, $value);
        } catch (InvalidArgumentException $error) {
            throw new InvalidArgumentException("$code " . $error->getMessage(), 0, $error);
        }
    }

    /**
     * A code fit for an answer, however odd it was.
     */
    private static function shortened(string $code): string
    {
        return substr((string)preg_replace('/\W/', '?', $code), 0, 60);
    }
}
