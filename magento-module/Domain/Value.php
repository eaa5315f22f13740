<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

use DateTimeImmutable;
use InvalidArgumentException;

/**
 * One value for one attribute, as the database keeps it. Magento itself would turn "abc" into 0,
 * cut a long text and store emoji as question marks, each without a word.
 */
final class Value
{
    private const LONGEST = 255;

    /**
     * The text that the column will show for `$value`; "" deletes.
     *
     * @throws InvalidArgumentException where the value is not of the type
     */
    public static function stored(string $type, mixed $value): string
    {
        if (!is_string($value) && !is_int($value) && !is_float($value)) {
            throw new InvalidArgumentException('is neither text nor number');
        }
        $text = is_float($value) ? self::written($value) : (string)$value;
        if ($text === '') {
            return '';
        }
        return match ($type) {
            Attributes::DECIMAL => self::decimal($text),
            Attributes::DATE => self::date($text),
            default => self::text($text),
        };
    }

    /**
     * A JSON number without its binary tail and without an exponent.
     */
    private static function written(float $value): string
    {
        return rtrim(rtrim(sprintf('%.8F', $value), '0'), '.');
    }

    /**
     * The column is DECIMAL(12,4).
     */
    private static function decimal(string $text): string
    {
        if (!preg_match('/^(-?)0*(\d{1,8})(?:\.(\d{1,4})0*)?$/D', $text, $found)) {
            throw new InvalidArgumentException('is no decimal of at most 8 digits and 4 decimals');
        }
        $digits = $found[2] . '.' . str_pad($found[3] ?? '', 4, '0');
        return (trim($digits, '0.') === '' ? '' : $found[1]) . $digits;
    }

    private static function date(string $text): string
    {
        $date = DateTimeImmutable::createFromFormat('!Y-m-d', $text);
        if (!$date || $date->format('Y-m-d') !== $text || $text < '1000') {
            throw new InvalidArgumentException('is no date like 2026-11-22');
        }
        return $text . ' 00:00:00';
    }

    private static function text(string $text): string
    {
        if (!mb_check_encoding($text, 'UTF-8') || preg_match('/[^\x{0}-\x{FFFF}]/u', $text)) {
            throw new InvalidArgumentException('has characters that the column cannot keep');
        }
        if (mb_strlen($text, 'UTF-8') > self::LONGEST) {
            throw new InvalidArgumentException('has more than ' . self::LONGEST . ' characters');
        }
        return $text;
    }
}
