<?php

declare(strict_types=1);

namespace Magento\Framework\Setup;

/**
 * Stands in for Magento's own.
 */
interface ModuleDataSetupInterface
{
    public function getTable(string $name): string;

    public function getConnection(): \Magento\Framework\DB\Adapter\AdapterInterface;
}
