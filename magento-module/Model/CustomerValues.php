<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use ClvSync\CustomerClv\Api\CustomerValuesInterface;
use ClvSync\CustomerClv\Domain\Batch;
use ClvSync\CustomerClv\Domain\Changes;
use InvalidArgumentException;
use Magento\Framework\App\ResourceConnection;
use Magento\Framework\DB\Adapter\AdapterInterface;
use Magento\Framework\Exception\InputException;

/**
 * Writes values past the customer's own save: no e-mails, no address validation, no group changes,
 * and `customer_entity` with its `updated_at` stays as it is.
 */
class CustomerValues implements CustomerValuesInterface
{
    /**
     * @param ResourceConnection $resource
     * @param ValueTables $tables
     * @param Grid $grid
     */
    public function __construct(
        private readonly ResourceConnection $resource,
        private readonly ValueTables $tables,
        private readonly Grid $grid
    ) {
    }

    /**
     * @inheritDoc
     */
    public function write(mixed $rows): array
    {
        $attributes = $this->tables->attributes();
        $types = array_map(static fn (array $attribute): string => $attribute['type'], $attributes);
        try {
            $batch = new Batch($rows, $types);
        } catch (InvalidArgumentException $error) {
            throw new InputException(__($error->getMessage()), $error);
        }
        $changed = $this->written($batch, $attributes);
        $this->grid->refresh(array_keys($changed));
        return $batch->answers($changed);
    }

    /**
     * Write what differs, all of it or nothing.
     *
     * @param Batch $batch
     * @param array<string, array{id: int, type: string}> $attributes
     * @return array<int, true> by customer id
     */
    private function written(Batch $batch, array $attributes): array
    {
        $connection = $this->resource->getConnection();
        $connection->beginTransaction();
        try {
            $batch->keep($this->locked($connection, $batch));
            $ids = array_column($batch->requests(), 'customerId');
            $changes = new Changes($batch->requests(), $attributes, $this->tables->values($ids, $attributes));
            $this->tables->write($changes);
            $connection->commit();
        } catch (\Throwable $error) {
            $connection->rollBack();
            throw $error;
        }
        return $changes->customers;
    }

    /**
     * Which of the customers are there; until the commit nobody deletes them or saves them.
     *
     * @return int[]
     */
    private function locked(AdapterInterface $connection, Batch $batch): array
    {
        $ids = array_column($batch->requests(), 'customerId');
        sort($ids); // whoever locks in the same order can't lock us out
        $there = [];
        foreach (array_chunk($ids, Keyset::CHUNK) as $chunk) {
            $select = $connection->select()
                ->from($this->resource->getTableName('customer_entity'), ['entity_id'])
                ->where('entity_id IN (?)', $chunk, \Zend_Db::INT_TYPE)
                ->order('entity_id')
                ->forUpdate();
            array_push($there, ...array_map('intval', $connection->fetchCol($select)));
        }
        return $there;
    }
}
