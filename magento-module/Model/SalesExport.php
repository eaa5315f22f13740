<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use ClvSync\CustomerClv\Api\Data\PageInterface;
use ClvSync\CustomerClv\Api\SalesExportInterface;
use ClvSync\CustomerClv\Domain\Columns;
use ClvSync\CustomerClv\Domain\Rows;
use ClvSync\CustomerClv\Domain\Window;
use Magento\Framework\App\ResourceConnection;
use Magento\Framework\DB\Adapter\AdapterInterface;
use Magento\Framework\DB\Select;

/**
 * Orders and credit memos straight from their tables, which some shops keep in a database of their own.
 */
class SalesExport implements SalesExportInterface
{
    private const CONNECTION = 'sales';

    /**
     * @param ResourceConnection $resource
     * @param Keyset $keyset
     * @param EmailKeySetting $setting
     */
    public function __construct(
        private readonly ResourceConnection $resource,
        private readonly Keyset $keyset,
        private readonly EmailKeySetting $setting
    ) {
    }

    /**
     * @inheritDoc
     */
    public function orders(
        int $after = 0,
        int $limit = 1000,
        ?int $to = null,
        ?string $createdFrom = null,
        ?string $updatedFrom = null,
        ?string $updatedTo = null
    ): PageInterface {
        $window = $this->keyset->window($after, $limit, $to, [
            'created_from' => $createdFrom,
            'updated_from' => $updatedFrom,
            'updated_to' => $updatedTo,
        ]);
        $rows = new Rows($this->setting->key());
        $websites = $this->websites();
        return $this->page('sales_order', $window, function (array $ids) use ($rows, $websites): array {
            $orders = [];
            $countries = Rows::countries($this->addresses($ids));
            foreach ($this->rows('sales_order', Columns::ORDER, $ids) as $row) {
                $website = (string)($websites[$row['store_id']] ?? '');
                $country = $countries[(int)$row['entity_id']] ?? null;
                $orders[$row['entity_id']] = $rows->order($row, $website, $country);
            }
            return $this->withItems($orders, $rows);
        });
    }

    /**
     * @inheritDoc
     */
    public function creditmemos(
        int $after = 0,
        int $limit = 1000,
        ?int $to = null,
        ?string $createdFrom = null,
        ?string $updatedFrom = null,
        ?string $updatedTo = null
    ): PageInterface {
        $window = $this->keyset->window($after, $limit, $to, [
            'created_from' => $createdFrom,
            'updated_from' => $updatedFrom,
            'updated_to' => $updatedTo,
        ]);
        $rows = new Rows(null);
        return $this->page('sales_creditmemo', $window, fn (array $ids): array => array_map(
            $rows->creditMemo(...),
            iterator_to_array($this->rows('sales_creditmemo', Columns::CREDIT_MEMO, $ids), false)
        ));
    }

    /**
     * @inheritDoc
     */
    public function months(): array
    {
        $month = new \Zend_Db_Expr("DATE_FORMAT(created_at, '%Y-%m')");
        $select = $this->select('sales_order', [
            'month' => $month,
            'orders' => new \Zend_Db_Expr('COUNT(*)'),
            'base_total_value' => new \Zend_Db_Expr(sprintf('COALESCE(SUM(%s), 0)', $this->totalValue())),
            'base_grand_total' => new \Zend_Db_Expr('COALESCE(SUM(base_grand_total), 0)'),
            'base_total_refunded' => new \Zend_Db_Expr('COALESCE(SUM(base_total_refunded), 0)'),
            'base_currency_code' => 'base_currency_code',
        ]);
        $select->group([$month, 'base_currency_code'])->order([$month, 'base_currency_code']);
        return array_map(
            static fn (array $row): array => ['orders' => (int)$row['orders']] + $row,
            $this->connection()->fetchAll($select)
        );
    }

    /**
     * What an order comes to, however it was paid, as SQL: with what Adobe Commerce takes off its grand total.
     */
    private function totalValue(): string
    {
        $there = array_keys($this->connection()->describeTable($this->table('sales_order')));
        $payments = array_intersect(Columns::PAYMENTS, $there);
        return implode(' + ', array_map(
            static fn (string $column): string => "COALESCE($column, 0)",
            ['base_grand_total', ...$payments]
        ));
    }

    /**
     * @param string $table
     * @param Window $window
     * @param callable(int[]): array<int, array<string, mixed>> $render
     */
    private function page(string $table, Window $window, callable $render): PageInterface
    {
        return $this->keyset->page($this->connection(), $this->table($table), $window, $render);
    }

    /**
     * The orders with their items, which go into their orders as they come.
     *
     * @param array<int, array<string, mixed>> $orders by id
     * @param Rows $rows
     * @return array<int, array<string, mixed>>
     */
    private function withItems(array $orders, Rows $rows): array
    {
        $select = $this->select('sales_order_item', Columns::ITEM)
            ->where('order_id IN (?)', array_keys($orders), \Zend_Db::INT_TYPE)
            ->order(['order_id', 'item_id']);
        $statement = $this->connection()->query($select);
        while ($row = $statement->fetch()) {
            $orders[$row['order_id']]['items'][] = $rows->item($row);
        }
        return $orders;
    }

    /**
     * The rows of these ids, by id, with the columns that Adobe Commerce adds.
     *
     * @param string $table
     * @param string[] $columns
     * @param int[] $ids
     * @return iterable<array<string, mixed>>
     */
    private function rows(string $table, array $columns, array $ids): iterable
    {
        $there = array_keys($this->connection()->describeTable($this->table($table)));
        $columns = [...$columns, ...array_intersect(Columns::COMMERCE, $there)];
        $select = $this->select($table, $columns)
            ->where('entity_id IN (?)', $ids, \Zend_Db::INT_TYPE)
            ->order('entity_id');
        $statement = $this->connection()->query($select);
        while ($row = $statement->fetch()) {
            yield $row;
        }
    }

    /**
     * What is read of these orders' addresses.
     *
     * @param int[] $orderIds
     * @return iterable<array<string, mixed>>
     */
    private function addresses(array $orderIds): iterable
    {
        $select = $this->select('sales_order_address', Columns::ADDRESS)
            ->where('parent_id IN (?)', $orderIds, \Zend_Db::INT_TYPE)
            ->where('address_type IN (?)', ['shipping', 'billing']);
        $statement = $this->connection()->query($select);
        while ($row = $statement->fetch()) {
            yield $row;
        }
    }

    /**
     * The website of each store view.
     *
     * @return array<int|string, string>
     */
    private function websites(): array
    {
        $connection = $this->resource->getConnection();
        $table = $this->resource->getTableName('store');
        return $connection->fetchPairs($connection->select()->from($table, ['store_id', 'website_id']));
    }

    /**
     * @param string $table
     * @param array<int|string, mixed> $columns
     */
    private function select(string $table, array $columns): Select
    {
        return $this->connection()->select()->from($this->table($table), $columns);
    }

    private function table(string $name): string
    {
        return $this->resource->getTableName($name, self::CONNECTION);
    }

    private function connection(): AdapterInterface
    {
        return $this->resource->getConnection(self::CONNECTION);
    }
}
