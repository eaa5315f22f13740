<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Plugin;

use ClvSync\CustomerClv\Domain\Attributes;
use Magento\Customer\Model\Customer\DataProviderWithDefaultAddresses;

/**
 * Takes our attributes out of the fields of the customer's edit form: they have a tab of their own,
 * to be read. As data of the form they would be sent back and overwrite what was written meanwhile.
 */
class EditForm
{
    /**
     * @param DataProviderWithDefaultAddresses $subject
     * @param array<string, mixed> $result
     * @return array<string, mixed>
     * @SuppressWarnings(PHPMD.UnusedFormalParameter)
     */
    public function afterGetMeta(DataProviderWithDefaultAddresses $subject, array $result): array
    {
        if (isset($result['customer']['children'])) {
            $result['customer']['children'] = array_diff_key($result['customer']['children'], Attributes::TYPES);
        }
        return $result;
    }

    /**
     * @param DataProviderWithDefaultAddresses $subject
     * @param array<int|string, mixed> $result
     * @return array<int|string, mixed>
     * @SuppressWarnings(PHPMD.UnusedFormalParameter)
     */
    public function afterGetData(DataProviderWithDefaultAddresses $subject, array $result): array
    {
        foreach ($result as $id => $data) {
            if (isset($data['customer']) && is_array($data['customer'])) {
                $result[$id]['customer'] = array_diff_key($data['customer'], Attributes::TYPES);
            }
        }
        return $result;
    }
}
