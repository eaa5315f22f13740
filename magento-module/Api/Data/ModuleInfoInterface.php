<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Api\Data;

/**
 * What this module offers in this shop.
 *
 * @api
 */
interface ModuleInfoInterface
{
    /**
     * The module's version.
     *
     * @return string
     */
    public function getVersion(): string;

    /**
     * The most rows that a page of an export may have.
     *
     * @return int
     */
    public function getMaxLimit(): int;

    /**
     * The most customers that one write may name.
     *
     * @return int
     */
    public function getMaxRows(): int;

    /**
     * Tells which e-mail key is set; empty without one.
     *
     * @return string
     */
    public function getEmailKeyFingerprint(): string;

    /**
     * The codes of the attributes that are there.
     *
     * @return string[]
     */
    public function getAttributes(): array;
}
