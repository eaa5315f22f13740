<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Plugin;

use ClvSync\CustomerClv\Domain\Shopper;
use ClvSync\CustomerClv\Model\Caller;
use Magento\WebapiAsync\Controller\Rest\Asynchronous\InputParamsResolver;

/**
 * Takes our attributes out of what shoppers send to be done later: whoever does it then doesn't
 * know for whom, and `ShopperAttributes` would not be asked.
 */
class ShopperInput
{
    /**
     * @param Caller $caller
     */
    public function __construct(private readonly Caller $caller)
    {
    }

    /**
     * The input as the shop's own people and integrations gave it; without ours from anybody else.
     *
     * @param InputParamsResolver $subject
     * @param mixed $result
     * @return mixed
     * @SuppressWarnings(PHPMD.UnusedFormalParameter)
     */
    public function afterGetInputData(InputParamsResolver $subject, $result)
    {
        return is_array($result) && !$this->caller->isStaff() ? Shopper::without($result) : $result;
    }
}
