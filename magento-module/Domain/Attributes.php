<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

/**
 * The attributes that this module declares, and what their values look like.
 */
final class Attributes
{
    public const TEXT = 'varchar';
    public const DECIMAL = 'decimal';
    public const DATE = 'datetime';

    /** Backend type by attribute code; each type has its own table. */
    public const TYPES = [
        'clv_tier' => self::TEXT,
        'clv_previous_tier' => self::TEXT,
        'clv_predicted_12m' => self::DECIMAL,
        'clv_historic_net' => self::DECIMAL,
        'clv_currency' => self::TEXT,
        'clv_p_alive' => self::DECIMAL,
        'clv_next_order_date' => self::DATE,
        'clv_reason' => self::TEXT,
        'clv_model' => self::TEXT,
        'clv_scored_at' => self::DATE,
        'clv_segment' => self::TEXT,
    ];

    /** What administrators read above them; translated by the i18n files. */
    public const LABELS = [
        'clv_tier' => 'Value Tier',
        'clv_previous_tier' => 'Previous Value Tier',
        'clv_predicted_12m' => 'Predicted Value, Next 12 Months',
        'clv_historic_net' => 'Net Value So Far',
        'clv_currency' => 'Value Currency',
        'clv_p_alive' => 'Chance of Return',
        'clv_next_order_date' => 'Next Order Expected',
        'clv_reason' => 'Reason for the Tier',
        'clv_model' => 'Value Model',
        'clv_scored_at' => 'Value Scored On',
        'clv_segment' => 'Value Segment',
    ];

    /**
     * Whether this attribute is one of ours.
     */
    public static function has(string $code): bool
    {
        return isset(self::TYPES[$code]);
    }
}
