<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

/**
 * What has to change in the value tables, so that customers show what was asked for.
 *
 * Values that are there already are told apart from new ones by their `value_id`: a row of
 * INSERT ... ON DUPLICATE KEY UPDATE without it uses up one number of the table's 31-bit counter
 * even where it updates, and a large shop that is scored every night would run out within a year.
 */
final class Changes
{
    /** @var array<string, list<array{value_id: int, attribute_id: int, entity_id: int, value: string}>> */
    public array $updates = [];

    /** @var array<string, list<array{attribute_id: int, entity_id: int, value: string}>> */
    public array $inserts = [];

    /** @var array<string, list<int>> value ids by type */
    public array $deletes = [];

    /** @var array<int, true> by customer id */
    public array $customers = [];

    /**
     * @param iterable<Request> $requests
     * @param array<string, array{id: int, type: string}> $attributes by code
     * @param array<int, array<string, array{value_id: int, value: string}>> $current by customer id, code
     */
    public function __construct(iterable $requests, array $attributes, array $current)
    {
        foreach ($requests as $request) {
            foreach ($request->values as $code => $value) {
                $stored = $current[$request->customerId][$code] ?? null;
                if ($value === ($stored['value'] ?? '')) {
                    continue;
                }
                $this->customers[$request->customerId] = true;
                $this->add($attributes[$code], $request->customerId, $value, $stored['value_id'] ?? null);
            }
        }
    }

    /**
     * @param array{id: int, type: string} $attribute
     */
    private function add(array $attribute, int $customerId, string $value, ?int $valueId): void
    {
        $type = $attribute['type'];
        $row = ['attribute_id' => $attribute['id'], 'entity_id' => $customerId, 'value' => $value];
        if ($valueId === null) {
            $this->inserts[$type][] = $row;
        } elseif ($value === '') {
            $this->deletes[$type][] = $valueId;
        } else {
            $this->updates[$type][] = ['value_id' => $valueId] + $row;
        }
    }
}
