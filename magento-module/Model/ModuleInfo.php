<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use ClvSync\CustomerClv\Api\Data\ModuleInfoInterface;
use ClvSync\CustomerClv\Domain\Batch;
use ClvSync\CustomerClv\Domain\Window;

/**
 * What this module offers in this shop.
 */
class ModuleInfo implements ModuleInfoInterface
{
    public const VERSION = '1.1.0';

    /**
     * @param string $emailKeyFingerprint
     * @param string[] $attributes
     */
    public function __construct(
        private readonly string $emailKeyFingerprint = '',
        private readonly array $attributes = []
    ) {
    }

    /**
     * @inheritDoc
     */
    public function getVersion(): string
    {
        return self::VERSION;
    }

    /**
     * @inheritDoc
     */
    public function getMaxLimit(): int
    {
        return Window::MAX_LIMIT;
    }

    /**
     * @inheritDoc
     */
    public function getMaxRows(): int
    {
        return Batch::MAX_ROWS;
    }

    /**
     * @inheritDoc
     */
    public function getEmailKeyFingerprint(): string
    {
        return $this->emailKeyFingerprint;
    }

    /**
     * @inheritDoc
     */
    public function getAttributes(): array
    {
        return $this->attributes;
    }
}
