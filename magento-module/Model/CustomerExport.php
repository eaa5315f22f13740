<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use ClvSync\CustomerClv\Api\CustomerExportInterface;
use ClvSync\CustomerClv\Api\Data\PageInterface;
use ClvSync\CustomerClv\Domain\Columns;
use ClvSync\CustomerClv\Domain\Rows;
use Magento\Framework\App\ResourceConnection;

/**
 * Customers straight from their tables.
 */
class CustomerExport implements CustomerExportInterface
{
    /**
     * @param ResourceConnection $resource
     * @param Keyset $keyset
     * @param ValueTables $tables
     * @param EmailKeySetting $setting
     */
    public function __construct(
        private readonly ResourceConnection $resource,
        private readonly Keyset $keyset,
        private readonly ValueTables $tables,
        private readonly EmailKeySetting $setting
    ) {
    }

    /**
     * @inheritDoc
     */
    public function customers(int $after = 0, int $limit = 1000): PageInterface
    {
        $window = $this->keyset->window($after, $limit);
        $connection = $this->resource->getConnection();
        $table = $this->resource->getTableName('customer_entity');
        $attributes = $this->tables->attributes();
        $rows = new Rows($this->setting->key());
        return $this->keyset->page(
            $connection,
            $table,
            $window,
            function (array $ids) use ($connection, $table, $attributes, $rows): array {
                $shown = $this->tables->values($ids, $attributes);
                $select = $connection->select()
                    ->from($table, Columns::CUSTOMER)
                    ->where('entity_id IN (?)', $ids, \Zend_Db::INT_TYPE)
                    ->order('entity_id');
                return array_map(
                    static fn (array $row): array => $rows->customer($row, $shown[$row['entity_id']] ?? []),
                    $connection->fetchAll($select)
                );
            }
        );
    }
}
