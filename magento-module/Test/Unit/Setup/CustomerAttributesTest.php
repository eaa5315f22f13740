<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Test\Unit\Setup;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Model\Grid;
use ClvSync\CustomerClv\Setup\CustomerAttributes;
use ClvSync\CustomerClv\Setup\Patch\Data\DeclareAttributes;
use ClvSync\CustomerClv\Setup\Patch\Data\DeclareSegment;
use Magento\Customer\Setup\CustomerSetup;
use Magento\Customer\Setup\CustomerSetupFactory;
use Magento\Framework\Exception\LocalizedException;
use Magento\Framework\Setup\ModuleDataSetupInterface;
use PHPUnit\Framework\TestCase;

class CustomerAttributesTest extends TestCase
{
    private CustomerSetup $shop;

    protected function setUp(): void
    {
        $this->shop = new CustomerSetup();
    }

    public function testDeclaresEveryAttributeInItsOrder(): void
    {
        $this->apply(DeclareAttributes::class, DeclareSegment::class);

        self::assertSame(array_keys(Attributes::TYPES), array_keys($this->shop->attributes));
        self::assertSame(Attributes::TYPES, array_column($this->declared(), 'backend_type', 'code'));
        self::assertSame(range(900, 910), array_column($this->declared(), 'position'));
    }

    public function testAnUpgradeLeavesWhatTheOwnerHasSetSince(): void
    {
        $this->apply(DeclareAttributes::class);
        unset($this->shop->attributes['clv_segment']); // as version 1.0 left it
        $this->shop->attributes['clv_tier']['frontend_label'] = 'Customer class';
        $this->shop->attributes['clv_model']['is_visible_in_grid'] = 0;

        $this->apply(DeclareSegment::class);

        self::assertSame('Customer class', $this->shop->attributes['clv_tier']['frontend_label']);
        self::assertSame(0, $this->shop->attributes['clv_model']['is_visible_in_grid']);
        self::assertSame(910, $this->shop->attributes['clv_segment']['position']);
    }

    public function testAnUpgradeStopsWhereTheShopHasASegmentOfAnotherType(): void
    {
        $this->apply(DeclareAttributes::class);
        $this->shop->attributes['clv_segment'] = ['attribute_id' => 147, 'backend_type' => 'int'];

        $this->expectException(LocalizedException::class);
        $this->expectExceptionMessage('clv_segment is int and not varchar: remove or rename it first.');

        $this->apply(DeclareSegment::class);
    }

    /**
     * @param class-string ...$patches
     */
    private function apply(string ...$patches): void
    {
        $attributes = new CustomerAttributes(new CustomerSetupFactory($this->shop), $this->createMock(Grid::class));
        foreach ($patches as $patch) {
            (new $patch($this->createMock(ModuleDataSetupInterface::class), $attributes))->apply();
        }
    }

    /**
     * @return array<int, array<string, mixed>>
     */
    private function declared(): array
    {
        $codes = array_keys($this->shop->attributes);
        return array_map(fn (string $code): array => ['code' => $code] + $this->shop->attributes[$code], $codes);
    }
}
