<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use Magento\Authorization\Model\UserContextInterface;

/**
 * Who is asking.
 */
class Caller
{
    /**
     * @param UserContextInterface $user
     */
    public function __construct(private readonly UserContextInterface $user)
    {
    }

    /**
     * Whether it is one of the shop's own people or integrations; anybody else is a shopper.
     */
    public function isStaff(): bool
    {
        $staff = [UserContextInterface::USER_TYPE_ADMIN, UserContextInterface::USER_TYPE_INTEGRATION];
        return in_array((int)$this->user->getUserType(), $staff, true);
    }
}
