<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Plugin;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Model\Caller;
use Magento\Customer\Api\CustomerMetadataInterface;
use Magento\Framework\Api\MetadataObjectInterface;

/**
 * Keeps our attributes from shoppers, in both directions.
 *
 * A customer's data object takes and shows only the custom attributes named here; what it doesn't
 * name, a save leaves alone in the database. So GET and PUT of /V1/customers/me, a new account,
 * the customer in a cart, GraphQL and the checkout's page know nothing of them.
 */
class ShopperAttributes
{
    /**
     * @param Caller $caller
     */
    public function __construct(private readonly Caller $caller)
    {
    }

    /**
     * Leave ours out, unless the shop's own people or integrations ask.
     *
     * @param CustomerMetadataInterface $subject
     * @param MetadataObjectInterface[] $result
     * @return MetadataObjectInterface[]
     * @SuppressWarnings(PHPMD.UnusedFormalParameter)
     */
    public function afterGetCustomAttributesMetadata(CustomerMetadataInterface $subject, array $result): array
    {
        if ($this->caller->isStaff()) {
            return $result;
        }
        return array_values(array_filter(
            $result,
            static fn (MetadataObjectInterface $attribute): bool => !Attributes::has($attribute->getAttributeCode())
        ));
    }
}
