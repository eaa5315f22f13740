<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Api;

/**
 * Customers and the values that they show.
 *
 * @api
 */
interface CustomerExportInterface
{
    /**
     * Customers by id, without names and addresses.
     *
     * @param int $after only ids above this one
     * @param int $limit at most so many, 1 to 5000
     * @return \ClvSync\CustomerClv\Api\Data\PageInterface
     * @throws \Magento\Framework\Exception\LocalizedException
     */
    public function customers(int $after = 0, int $limit = 1000): Data\PageInterface;
}
