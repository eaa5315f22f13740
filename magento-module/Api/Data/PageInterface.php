<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Api\Data;

/**
 * A page of an export.
 *
 * @api
 */
interface PageInterface
{
    /**
     * The rows, by rising id.
     *
     * @return mixed[]
     */
    public function getItems(): array;

    /**
     * The highest id that was served; the given `after` where nothing was.
     *
     * @return int
     */
    public function getLast(): int;

    /**
     * Whether there are rows with a higher id.
     *
     * @return bool
     */
    public function isMore(): bool;
}
