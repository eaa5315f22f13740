<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use Magento\Customer\Model\Customer;
use Magento\Framework\App\ResourceConnection;
use Magento\Framework\Indexer\IndexerRegistry;
use Psr\Log\LoggerInterface;

/**
 * The customer grid in the admin, which reads from an index of its own.
 */
class Grid
{
    /**
     * @param IndexerRegistry $indexers
     * @param ResourceConnection $resource
     * @param LoggerInterface $logger
     */
    public function __construct(
        private readonly IndexerRegistry $indexers,
        private readonly ResourceConnection $resource,
        private readonly LoggerInterface $logger
    ) {
    }

    /**
     * Show these customers' new values, whether the index is updated on save or by schedule.
     *
     * The values are written already: where the grid can't be brought up to date, it is left to
     * Magento's cron to build it anew.
     *
     * @param int[] $customerIds
     */
    public function refresh(array $customerIds): void
    {
        $indexer = $this->indexers->get(Customer::CUSTOMER_GRID_INDEXER_ID);
        if (!$customerIds || $indexer->isInvalid()) {
            return;
        }
        sort($customerIds); // whoever locks in the same order can't lock us out
        $connection = $this->resource->getConnection();
        $connection->beginTransaction(); // it deletes the rows before it writes them
        try {
            $indexer->reindexList($customerIds);
            $connection->commit();
        } catch (\Throwable $error) {
            $connection->rollBack();
            $this->rebuild();
            $this->logger->warning('clv-sync: the customer grid will be built anew', ['exception' => $error]);
        }
    }

    /**
     * Let Magento's cron build the whole grid anew.
     */
    public function rebuild(): void
    {
        $this->indexers->get(Customer::CUSTOMER_GRID_INDEXER_ID)->invalidate();
    }
}
