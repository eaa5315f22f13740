<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Setup;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Model\EmailKeySetting;
use ClvSync\CustomerClv\Model\Grid;
use Magento\Customer\Model\Customer;
use Magento\Customer\Setup\CustomerSetup;
use Magento\Customer\Setup\CustomerSetupFactory;
use Magento\Framework\Exception\LocalizedException;
use Magento\Framework\Setup\ModuleDataSetupInterface;

/**
 * Declares the attributes, and removes all that this module has added to the database.
 */
class CustomerAttributes
{
    private const FORM = 'adminhtml_customer';
    private const FIRST_POSITION = 900;

    /**
     * @param CustomerSetupFactory $setups
     * @param Grid $grid
     */
    public function __construct(private readonly CustomerSetupFactory $setups, private readonly Grid $grid)
    {
    }

    /**
     * Declare these attributes; the others stay as the shop's people have set them since.
     *
     * The grid's index gets its new columns when it is built anew. Until then it counts as invalid,
     * and Magento doesn't try to write columns that are not there yet when customers are saved.
     *
     * @param ModuleDataSetupInterface $database
     * @param string[] $codes
     * @throws LocalizedException where the shop has an attribute of this name and another type
     */
    public function declare(ModuleDataSetupInterface $database, array $codes): void
    {
        $setup = $this->setups->create(['setup' => $database]);
        foreach ($codes as $code) {
            $this->add($setup, $code);
        }
        $this->assign($setup, $database, $codes);
        $this->grid->rebuild();
    }

    /**
     * Remove the attributes, with them their values, and the e-mail key.
     */
    public function remove(ModuleDataSetupInterface $database): void
    {
        $setup = $this->setups->create(['setup' => $database]);
        foreach (Attributes::TYPES as $code => $type) {
            if ($setup->getAttribute(Customer::ENTITY, $code, 'backend_type') === $type) {
                $setup->removeAttribute(Customer::ENTITY, $code);
            }
        }
        $settings = $database->getTable('core_config_data');
        $database->getConnection()->delete($settings, ['path = ?' => EmailKeySetting::PATH]);
        $this->grid->rebuild();
    }

    private function add(CustomerSetup $setup, string $code): void
    {
        $type = Attributes::TYPES[$code];
        $there = $setup->getAttribute(Customer::ENTITY, $code, 'backend_type');
        if ($there && $there !== $type) {
            throw new LocalizedException(
                __('The customer attribute %1 is %2 and not %3: remove or rename it first.', $code, $there, $type)
            );
        }
        $setup->addAttribute(Customer::ENTITY, $code, $this->definition($code));
        // A column of Commerce, where segments may use the attribute; passed over where it is missing.
        $setup->updateAttribute(Customer::ENTITY, $code, 'is_used_for_customer_segment', 1);
    }

    /**
     * @return array<string, mixed>
     */
    private function definition(string $code): array
    {
        $position = self::FIRST_POSITION + (int)array_search($code, array_keys(Attributes::TYPES), true);
        $isDate = Attributes::TYPES[$code] === Attributes::DATE;
        return [
            'type' => Attributes::TYPES[$code],
            'label' => Attributes::LABELS[$code],
            'input' => $isDate ? 'date' : 'text',
            'backend' => $isDate ? \Magento\Eav\Model\Entity\Attribute\Backend\Datetime::class : null,
            'frontend' => $isDate ? \Magento\Eav\Model\Entity\Attribute\Frontend\Datetime::class : null,
            'required' => false,
            'visible' => true,
            'system' => 0, // REST leaves system attributes out
            'user_defined' => false, // so that nobody deletes them in the admin
            'position' => $position,
            'sort_order' => $position,
            'is_used_in_grid' => 1,
            'is_visible_in_grid' => 1,
            'is_filterable_in_grid' => 1,
            'is_searchable_in_grid' => 0, // the grid's full-text index takes 16 columns, Magento has most of them
        ];
    }

    /**
     * Put the attributes on the admin's form alone: no page that shoppers see takes them.
     *
     * @param CustomerSetup $setup
     * @param ModuleDataSetupInterface $database
     * @param string[] $codes
     */
    private function assign(CustomerSetup $setup, ModuleDataSetupInterface $database, array $codes): void
    {
        $rows = [];
        foreach ($codes as $code) {
            $id = (int)$setup->getAttributeId(Customer::ENTITY, $code);
            $rows[] = ['form_code' => self::FORM, 'attribute_id' => $id];
        }
        $forms = $database->getTable('customer_form_attribute');
        $database->getConnection()->insertOnDuplicate($forms, $rows);
    }
}
