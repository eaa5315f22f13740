<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Domain\Changes;
use Magento\Customer\Model\Customer;
use Magento\Framework\App\ResourceConnection;
use Magento\Framework\DB\Adapter\AdapterInterface;

/**
 * The tables that keep our attributes' values.
 */
class ValueTables
{
    /**
     * @param ResourceConnection $resource
     */
    public function __construct(private readonly ResourceConnection $resource)
    {
    }

    /**
     * The attributes that are there with the type that we gave them, in the order of their declaration.
     *
     * @return array<string, array{id: int, type: string}> by code
     */
    public function attributes(): array
    {
        $connection = $this->connection();
        $select = $connection->select()
            ->from(['a' => $this->table('eav_attribute')], ['attribute_code', 'attribute_id', 'backend_type'])
            ->join(['t' => $this->table('eav_entity_type')], 't.entity_type_id = a.entity_type_id', [])
            ->where('t.entity_type_code = ?', Customer::ENTITY)
            ->where('a.attribute_code IN (?)', array_keys(Attributes::TYPES));
        $found = $connection->fetchAssoc($select);
        $attributes = [];
        foreach (Attributes::TYPES as $code => $type) {
            if (($found[$code]['backend_type'] ?? '') === $type) {
                $attributes[$code] = ['id' => (int)$found[$code]['attribute_id'], 'type' => $type];
            }
        }
        return $attributes;
    }

    /**
     * What these customers show.
     *
     * @param int[] $customerIds
     * @param array<string, array{id: int, type: string}> $attributes by code
     * @return array<int, array<string, array{value_id: int, value: string}>> by customer id and code
     */
    public function values(array $customerIds, array $attributes): array
    {
        $values = [];
        foreach ($this->byType($attributes) as $type => $codes) {
            foreach ($this->rows($type, $customerIds, array_keys($codes)) as $row) {
                $stored = ['value_id' => (int)$row['value_id'], 'value' => (string)$row['value']];
                $values[(int)$row['entity_id']][$codes[$row['attribute_id']]] = $stored;
            }
        }
        return $values;
    }

    /**
     * Make the changes; the caller holds the transaction.
     */
    public function write(Changes $changes): void
    {
        foreach ($changes->deletes as $type => $ids) {
            $this->connection()->delete($this->valueTable($type), ['value_id IN (?)' => $ids]);
        }
        foreach ([$changes->updates, $changes->inserts] as $changed) {
            foreach ($changed as $type => $rows) {
                $this->connection()->insertOnDuplicate($this->valueTable($type), $rows, ['value']);
            }
        }
    }

    /**
     * @param array<string, array{id: int, type: string}> $attributes by code
     * @return array<string, array<int, string>> code by type and attribute id
     */
    private function byType(array $attributes): array
    {
        $codes = [];
        foreach ($attributes as $code => $attribute) {
            $codes[$attribute['type']][$attribute['id']] = $code;
        }
        return $codes;
    }

    /**
     * @param string $type
     * @param int[] $customerIds
     * @param int[] $attributeIds
     * @return iterable<array<string, mixed>>
     */
    private function rows(string $type, array $customerIds, array $attributeIds): iterable
    {
        foreach (array_chunk($customerIds, Keyset::CHUNK) as $chunk) {
            $select = $this->connection()->select()
                ->from($this->valueTable($type), ['value_id', 'attribute_id', 'entity_id', 'value'])
                ->where('entity_id IN (?)', $chunk, \Zend_Db::INT_TYPE)
                ->where('attribute_id IN (?)', $attributeIds, \Zend_Db::INT_TYPE);
            yield from $this->connection()->fetchAll($select);
        }
    }

    private function valueTable(string $type): string
    {
        return $this->table('customer_entity_' . $type);
    }

    private function table(string $name): string
    {
        return $this->resource->getTableName($name);
    }

    private function connection(): AdapterInterface
    {
        return $this->resource->getConnection();
    }
}
