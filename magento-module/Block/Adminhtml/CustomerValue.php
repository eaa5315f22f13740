<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Block\Adminhtml;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Domain\Formats;
use ClvSync\CustomerClv\Domain\Sheet;
use ClvSync\CustomerClv\Model\ValueTables;
use Magento\Backend\Block\Template;
use Magento\Backend\Block\Template\Context;
use Magento\Framework\Locale\ResolverInterface;
use Magento\Framework\Phrase;
use Magento\Ui\Component\Layout\Tabs\TabInterface;

/**
 * The tab "Customer Value" on a customer's page in the admin.
 */
class CustomerValue extends Template implements TabInterface
{
    /**
     * @var string
     */
    protected $_template = 'ClvSync_CustomerClv::customer_value.phtml';

    /**
     * @param Context $context
     * @param ResolverInterface $locale
     * @param ValueTables $tables
     * @param mixed[] $data
     */
    public function __construct(
        Context $context,
        private readonly ResolverInterface $locale,
        private readonly ValueTables $tables,
        array $data = []
    ) {
        parent::__construct($context, $data);
    }

    /**
     * What there is to read, by label; empty for a customer who was never scored.
     *
     * @return array<string, string>
     */
    public function getLines(): array
    {
        $sheet = new Sheet(new Formats($this->locale->getLocale()));
        $lines = [];
        foreach ($sheet->lines($this->values()) as $code => $text) {
            $lines[(string)__(Attributes::LABELS[$code])] = $text;
        }
        return $lines;
    }

    /**
     * @inheritDoc
     */
    public function getTabLabel(): Phrase
    {
        return __('Customer Value');
    }

    /**
     * @inheritDoc
     */
    public function getTabTitle(): Phrase
    {
        return __('Customer Value');
    }

    /**
     * @inheritDoc
     */
    public function getTabClass(): string
    {
        return '';
    }

    /**
     * @inheritDoc
     */
    public function getTabUrl(): string
    {
        return '';
    }

    /**
     * @inheritDoc
     */
    public function isAjaxLoaded(): bool
    {
        return false;
    }

    /**
     * @inheritDoc
     */
    public function canShowTab(): bool
    {
        return $this->customerId() > 0;
    }

    /**
     * @inheritDoc
     */
    public function isHidden(): bool
    {
        return !$this->canShowTab();
    }

    private function customerId(): int
    {
        return (int)$this->getRequest()->getParam('id');
    }

    /**
     * @return array<string, string> by attribute code
     */
    private function values(): array
    {
        $stored = $this->tables->values([$this->customerId()], $this->tables->attributes());
        return array_map(
            static fn (array $value): string => $value['value'],
            $stored[$this->customerId()] ?? []
        );
    }
}
