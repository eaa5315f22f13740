<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Setup;

use Magento\Framework\Setup\ModuleContextInterface;
use Magento\Framework\Setup\ModuleDataSetupInterface;
use Magento\Framework\Setup\SchemaSetupInterface;
use Magento\Framework\Setup\UninstallInterface;

/**
 * Runs on `bin/magento module:uninstall --remove-data`.
 */
class Uninstall implements UninstallInterface
{
    /**
     * @param ModuleDataSetupInterface $moduleDataSetup
     * @param CustomerAttributes $attributes
     */
    public function __construct(
        private readonly ModuleDataSetupInterface $moduleDataSetup,
        private readonly CustomerAttributes $attributes
    ) {
    }

    /**
     * @inheritDoc
     */
    public function uninstall(SchemaSetupInterface $setup, ModuleContextInterface $context): void
    {
        $this->attributes->remove($this->moduleDataSetup);
    }
}
