<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Plugin;

use ClvSync\CustomerClv\Api\Data\PageInterface;
use Magento\Framework\Webapi\ServiceOutputProcessor;

/**
 * Sends a page's rows as they are. Magento would turn every row within an object into a string of
 * JSON, and an object for every row and item, read by reflection, would cost most of the time.
 */
class PlainPage
{
    /**
     * @param ServiceOutputProcessor $subject
     * @param callable $proceed
     * @param mixed $data
     * @param mixed[] $arguments
     * @return mixed
     * @SuppressWarnings(PHPMD.UnusedFormalParameter)
     */
    public function aroundProcess(ServiceOutputProcessor $subject, callable $proceed, $data, ...$arguments)
    {
        if ($data instanceof PageInterface) {
            return ['items' => $data->getItems(), 'last' => $data->getLast(), 'more' => $data->isMore()];
        }
        return $proceed($data, ...$arguments);
    }
}
