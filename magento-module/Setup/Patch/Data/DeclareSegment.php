<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Setup\Patch\Data;

use ClvSync\CustomerClv\Setup\CustomerAttributes;
use Magento\Framework\Setup\ModuleDataSetupInterface;
use Magento\Framework\Setup\Patch\DataPatchInterface;

/**
 * Declares the segment in shops that have had the other attributes since version 1.0.
 */
class DeclareSegment implements DataPatchInterface
{
    private const SEGMENT = 'clv_segment';

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
        return [DeclareAttributes::class];
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
        $this->attributes->declare($this->moduleDataSetup, [self::SEGMENT]);
        return $this;
    }
}
