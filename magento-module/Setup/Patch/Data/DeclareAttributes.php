<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Setup\Patch\Data;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Setup\CustomerAttributes;
use Magento\Framework\Setup\ModuleDataSetupInterface;
use Magento\Framework\Setup\Patch\DataPatchInterface;
use Magento\Framework\Setup\Patch\PatchRevertableInterface;

/**
 * Declares the customer attributes.
 */
class DeclareAttributes implements DataPatchInterface, PatchRevertableInterface
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
    public static function getDependencies(): array
    {
        return [];
    }

    /**
     * @inheritDoc
     */
    public function getAliases(): array
    {
        return [];
    }

    /**
     * @inheritDoc
     */
    public function apply(): self
    {
        $this->attributes->declare($this->moduleDataSetup, array_keys(Attributes::TYPES));
        return $this;
    }

    /**
     * @inheritDoc
     */
    public function revert(): void
    {
        $this->attributes->remove($this->moduleDataSetup);
    }
}
