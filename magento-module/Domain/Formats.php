<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

use DateTimeImmutable;
use DateTimeZone;
use IntlDateFormatter;
use NumberFormatter;

/**
 * Amounts, percentages and dates as an administrator writes them.
 */
final class Formats
{
    public function __construct(private readonly string $locale)
    {
    }

    /**
     * Money with its currency, or a plain number where none is known.
     */
    public function money(string $amount, string $currency): string
    {
        $style = $currency === '' ? NumberFormatter::DECIMAL : NumberFormatter::CURRENCY;
        $formatter = new NumberFormatter($this->locale, $style);
        $text = $currency === ''
            ? $formatter->format((float)$amount)
            : $formatter->formatCurrency((float)$amount, $currency);
        return $text === false ? trim("$amount $currency") : $text;
    }

    /**
     * A chance between 0 and 1 in whole percent.
     */
    public function percent(string $chance): string
    {
        $formatter = new NumberFormatter($this->locale, NumberFormatter::PERCENT);
        $text = $formatter->format((float)$chance);
        return $text === false ? $chance : $text;
    }

    /**
     * The day alone: it has no time zone, so none may move it.
     */
    public function day(string $value): string
    {
        $utc = new DateTimeZone('UTC');
        $day = DateTimeImmutable::createFromFormat('!Y-m-d', substr($value, 0, 10), $utc);
        $formatter = new IntlDateFormatter($this->locale, IntlDateFormatter::MEDIUM, IntlDateFormatter::NONE, 'UTC');
        $text = $day ? $formatter->format($day) : false;
        return $text === false ? $value : $text;
    }
}
