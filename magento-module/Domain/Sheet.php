<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

/**
 * What an administrator reads about one customer's value: labels with their text, in reading order.
 */
final class Sheet
{
    public function __construct(private readonly Formats $formats)
    {
    }

    /**
     * @param array<string, string> $values by attribute code; those that are not set are absent
     * @return array<string, string> text by attribute code; empty for a customer who was never scored
     */
    public function lines(array $values): array
    {
        $values = array_filter($values, static fn (string $value): bool => $value !== '');
        $currency = $values['clv_currency'] ?? '';
        $lines = [];
        foreach ($this->order() as $code => $format) {
            if (isset($values[$code])) {
                $lines[$code] = $format($values[$code], $currency);
            }
        }
        return $lines;
    }

    /**
     * @return array<string, callable(string, string): string> format by attribute code
     */
    private function order(): array
    {
        $text = static fn (string $value): string => $value;
        return [
            'clv_tier' => $text,
            'clv_segment' => $text,
            'clv_reason' => $text,
            'clv_predicted_12m' => $this->formats->money(...),
            'clv_historic_net' => $this->formats->money(...),
            'clv_p_alive' => $this->formats->percent(...),
            'clv_next_order_date' => $this->formats->day(...),
            'clv_previous_tier' => $text,
            'clv_model' => $text,
            'clv_scored_at' => $this->formats->day(...),
        ];
    }
}
