<?php

declare(strict_types=1);

namespace Magento\Customer\Setup;

/**
 * Stands in for Magento's own: what is declared, in memory.
 */
class CustomerSetup
{
    /** @var array<string, array<string, mixed>> by code */
    public array $attributes = [];

    /**
     * @return mixed
     */
    public function getAttribute(string $entity, string $code, string $field)
    {
        return $this->attributes[$code][$field] ?? false;
    }

    public function getAttributeId(string $entity, string $code): int
    {
        return $this->attributes[$code]['attribute_id'];
    }

    /**
     * @param string $entity
     * @param string $code
     * @param array<string, mixed> $definition
     */
    public function addAttribute(string $entity, string $code, array $definition): void
    {
        $this->attributes[$code] = [
            'attribute_id' => $this->attributes[$code]['attribute_id'] ?? 1 + count($this->attributes),
            'backend_type' => $definition['type'],
            'frontend_label' => $definition['label'],
        ] + $definition;
    }

    public function updateAttribute(string $entity, string $code, string $field, int $value): void
    {
        $this->attributes[$code][$field] = $value;
    }
}
