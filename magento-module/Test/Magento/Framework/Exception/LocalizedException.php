<?php

declare(strict_types=1);

namespace Magento\Framework\Exception;

/**
 * Stands in for Magento's own.
 */
class LocalizedException extends \Exception
{
}
