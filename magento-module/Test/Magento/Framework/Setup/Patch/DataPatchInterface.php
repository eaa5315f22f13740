<?php

declare(strict_types=1);

namespace Magento\Framework\Setup\Patch;

/**
 * Stands in for Magento's own.
 */
interface DataPatchInterface
{
}
