<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Api;

/**
 * Writes what customers show, and nothing else about them.
 *
 * @api
 */
interface CustomerValuesInterface
{
    /**
     * Write the values of 1 to 1000 customers in one transaction; "" deletes a value.
     *
     * Each row is {"customer_id": 7, "values": [{"code": "clv_tier", "value": "high"}]}. The answer
     * has one row for each, in their order: {"customer_id", "status", "reason"}, where the status is
     * written, unchanged or rejected.
     *
     * @param mixed $rows
     * @return mixed[]
     * @throws \Magento\Framework\Exception\LocalizedException
     */
    public function write(mixed $rows): array;
}
