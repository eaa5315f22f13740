<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use ClvSync\CustomerClv\Api\Data\PageInterface;

/**
 * A page of an export.
 */
class Page implements PageInterface
{
    /**
     * @param mixed[] $items
     * @param int $last
     * @param bool $more
     */
    public function __construct(
        private readonly array $items = [],
        private readonly int $last = 0,
        private readonly bool $more = false
    ) {
    }

    /**
     * @inheritDoc
     */
    public function getItems(): array
    {
        return $this->items;
    }

    /**
     * @inheritDoc
     */
    public function getLast(): int
    {
        return $this->last;
    }

    /**
     * @inheritDoc
     */
    public function isMore(): bool
    {
        return $this->more;
    }
}
