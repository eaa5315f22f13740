<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use ClvSync\CustomerClv\Api\Data\ModuleInfoInterface;
use ClvSync\CustomerClv\Api\ModuleInterface;

/**
 * What this module offers in this shop.
 */
class Module implements ModuleInterface
{
    /**
     * @param EmailKeySetting $setting
     * @param ValueTables $tables
     */
    public function __construct(
        private readonly EmailKeySetting $setting,
        private readonly ValueTables $tables
    ) {
    }

    /**
     * @inheritDoc
     */
    public function describe(): ModuleInfoInterface
    {
        return new ModuleInfo((string)$this->setting->key()?->fingerprint(), array_keys($this->tables->attributes()));
    }
}
