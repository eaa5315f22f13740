<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Api;

/**
 * Orders and credit memos with the columns that customer values need, and none that name a person.
 *
 * Dates are UTC like 2026-11-22 08:15:00, both ends inclusive.
 *
 * @api
 */
interface SalesExportInterface
{
    /**
     * Orders with their items, by id.
     *
     * @param int $after only ids above this one
     * @param int $limit at most so many, 1 to 5000
     * @param int|null $to only ids up to this one
     * @param string|null $createdFrom
     * @param string|null $updatedFrom
     * @param string|null $updatedTo
     * @return \ClvSync\CustomerClv\Api\Data\PageInterface
     * @throws \Magento\Framework\Exception\LocalizedException
     */
    public function orders(
        int $after = 0,
        int $limit = 1000,
        ?int $to = null,
        ?string $createdFrom = null,
        ?string $updatedFrom = null,
        ?string $updatedTo = null
    ): Data\PageInterface;

    /**
     * Credit memos, by id.
     *
     * @param int $after only ids above this one
     * @param int $limit at most so many, 1 to 5000
     * @param int|null $to only ids up to this one
     * @param string|null $createdFrom
     * @param string|null $updatedFrom
     * @param string|null $updatedTo
     * @return \ClvSync\CustomerClv\Api\Data\PageInterface
     * @throws \Magento\Framework\Exception\LocalizedException
     */
    public function creditmemos(
        int $after = 0,
        int $limit = 1000,
        ?int $to = null,
        ?string $createdFrom = null,
        ?string $updatedFrom = null,
        ?string $updatedTo = null
    ): Data\PageInterface;

    /**
     * Counts and sums of the orders by month of creation (UTC) and base currency.
     *
     * @return mixed[]
     */
    public function months(): array;
}
