<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use ClvSync\CustomerClv\Api\Data\PageInterface;
use ClvSync\CustomerClv\Domain\Window;
use InvalidArgumentException;
use Magento\Framework\DB\Adapter\AdapterInterface;
use Magento\Framework\Exception\InputException;

/**
 * Pages through a table by its id.
 *
 * First the ids alone, which any of Magento's indexes on a date holds as well; then what belongs to
 * them, by `IN` on an indexed column. One statement for both would let the database choose between
 * reading the whole table in the order of the ids and sorting wide rows.
 */
class Keyset
{
    /** Ids in one `IN`: from 1000 on MariaDB would turn it into a temporary table. */
    public const CHUNK = 900;

    /**
     * The window that a request asks for.
     *
     * @param int $after
     * @param int $limit
     * @param int|null $to
     * @param array<string, string|null> $dates
     * @throws InputException
     */
    public function window(int $after, int $limit, ?int $to = null, array $dates = []): Window
    {
        try {
            return new Window($after, $limit, $to, $dates);
        } catch (InvalidArgumentException $error) {
            throw new InputException(__($error->getMessage()), $error);
        }
    }

    /**
     * A page of the window; `$render` gives the rows of some ids, in their order.
     *
     * @param AdapterInterface $connection
     * @param string $table
     * @param Window $window
     * @param callable(int[]): array<int, array<string, mixed>> $render
     */
    public function page(AdapterInterface $connection, string $table, Window $window, callable $render): PageInterface
    {
        $ids = $this->ids($connection, $table, $window);
        $more = count($ids) > $window->limit;
        $ids = array_slice($ids, 0, $window->limit);
        $items = [];
        foreach (array_chunk($ids, self::CHUNK) as $chunk) {
            array_push($items, ...array_values($render($chunk)));
        }
        return new Page($items, $ids ? end($ids) : $window->after, $more);
    }

    /**
     * The ids of a page, and one more where there is one.
     *
     * @return int[]
     */
    private function ids(AdapterInterface $connection, string $table, Window $window): array
    {
        $select = $connection->select()->from($table, ['entity_id'])->order('entity_id')->limit($window->limit + 1);
        foreach ($window->conditions() as [$condition, $value]) {
            $select->where($condition, $value);
        }
        return array_map('intval', $connection->fetchCol($select));
    }
}
