<?php

declare(strict_types=1);

namespace Magento\Framework\DB\Adapter;

/**
 * Stands in for Magento's own.
 */
interface AdapterInterface
{
    /**
     * @param string $table
     * @param array<int, array<string, mixed>> $rows
     */
    public function insertOnDuplicate(string $table, array $rows): int;
}
