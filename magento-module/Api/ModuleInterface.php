<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Api;

/**
 * What this module offers in this shop.
 *
 * @api
 */
interface ModuleInterface
{
    /**
     * The version, the limits, the e-mail key's fingerprint and the attributes that are there.
     *
     * @return \ClvSync\CustomerClv\Api\Data\ModuleInfoInterface
     * @throws \Magento\Framework\Exception\LocalizedException
     */
    public function describe(): Data\ModuleInfoInterface;
}
