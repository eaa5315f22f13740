<?php

declare(strict_types=1);

namespace Magento\Customer\Model;

/**
 * Stands in for Magento's own.
 */
class Customer
{
    public const ENTITY = 'customer';
}
