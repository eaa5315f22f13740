<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

/**
 * What shoppers may send.
 */
final class Shopper
{
    private const LISTS = ['customattributes', 'customattributesv2'];

    /**
     * The input without our attributes, wherever a list of custom attributes stands in it.
     *
     * @param array<int|string, mixed> $input
     * @return array<int|string, mixed>
     */
    public static function without(array $input): array
    {
        foreach ($input as $name => $value) {
            if (!is_array($value)) {
                continue;
            }
            $isList = in_array(strtolower(str_replace('_', '', (string)$name)), self::LISTS, true);
            $input[$name] = self::without($isList ? self::filtered($value) : $value);
        }
        return $input;
    }

    /**
     * Magento takes a list of codes with values, and a map of values by code.
     *
     * @param array<int|string, mixed> $attributes
     * @return array<int|string, mixed>
     */
    private static function filtered(array $attributes): array
    {
        $kept = array_filter($attributes, static function (mixed $attribute, int|string $name): bool {
            $pair = is_array($attribute) ? $attribute : [];
            $code = $pair['attribute_code'] ?? $pair['attributeCode'] ?? $name;
            return !Attributes::has(is_string($code) ? $code : '');
        }, ARRAY_FILTER_USE_BOTH);
        return array_is_list($attributes) ? array_values($kept) : $kept;
    }
}
