<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Plugin;

use ClvSync\CustomerClv\Domain\Attributes;
use Magento\Customer\Ui\Component\ColumnFactory;
use Magento\Framework\View\Element\UiComponentInterface;

/**
 * Our columns of the customer grid: not to be edited in place, amounts filtered from and to, and days
 * by the day that they name, which Magento would first move from the shop's time zone to UTC.
 */
class GridColumn
{
    /** To be had under "Columns"; with all eleven in sight the grid would be too wide to read. */
    private const OUT_OF_SIGHT = ['clv_previous_tier', 'clv_currency', 'clv_model', 'clv_scored_at'];

    /**
     * @param ColumnFactory $subject
     * @param UiComponentInterface $result
     * @param array<string, mixed> $attributeData
     * @param string $columnName
     * @SuppressWarnings(PHPMD.UnusedFormalParameter)
     */
    public function afterCreate(
        ColumnFactory $subject,
        UiComponentInterface $result,
        array $attributeData,
        $columnName
    ): UiComponentInterface {
        $type = Attributes::TYPES[$columnName] ?? null;
        if ($type === null) {
            return $result;
        }
        $config = (array)$result->getData('config');
        unset($config['editor']);
        if (in_array($columnName, self::OUT_OF_SIGHT, true)) {
            $config['visible'] = false;
        }
        if ($type === Attributes::DECIMAL) {
            $config['filter'] = 'textRange';
        }
        if ($type === Attributes::DATE) {
            $config['skipTimeZoneConversion'] = true;
        }
        $result->setData('config', $config);
        return $result;
    }
}
