<?php

declare(strict_types=1);

namespace Magento\Customer\Setup;

/**
 * Stands in for what Magento generates.
 */
class CustomerSetupFactory
{
    public function __construct(private readonly CustomerSetup $setup)
    {
    }

    /**
     * @param array<string, mixed> $arguments
     */
    public function create(array $arguments): CustomerSetup
    {
        return $this->setup;
    }
}
