<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

use InvalidArgumentException;

/**
 * The rows of one write: what was asked for, and why a row cannot be written.
 */
final class Batch
{
    public const MAX_ROWS = 1000;

    public const WRITTEN = 'written';
    public const UNCHANGED = 'unchanged';
    public const REJECTED = 'rejected';

    /** @var list<int> the customer of each row; 0 where a row names none */
    private array $customers = [];

    /** @var array<int, true> by customer id */
    private array $seen = [];

    /** @var array<int, string> reason by row */
    private array $rejected = [];

    /** @var array<int, Request> request by row */
    private array $requests = [];

    /**
     * @param mixed $rows the body's rows
     * @param array<string, string> $types the types of the attributes that exist
     * @throws InvalidArgumentException where that is no batch at all
     */
    public function __construct(mixed $rows, array $types)
    {
        if (!is_array($rows) || !array_is_list($rows)) {
            throw new InvalidArgumentException('rows is no list');
        }
        if ($rows === [] || count($rows) > self::MAX_ROWS) {
            throw new InvalidArgumentException('rows needs 1 to ' . self::MAX_ROWS . ' rows');
        }
        foreach ($rows as $at => $row) {
            $this->customers[$at] = Request::customerId($row);
            $this->read($at, $row, $types);
        }
    }

    /**
     * The rows that could be read.
     *
     * @return array<int, Request>
     */
    public function requests(): array
    {
        return $this->requests;
    }

    /**
     * Leave out the rows whose customer is not in the shop.
     *
     * @param list<int> $known
     */
    public function keep(array $known): void
    {
        $known = array_flip($known);
        foreach ($this->requests as $at => $request) {
            if (!isset($known[$request->customerId])) {
                $this->reject($at, 'the shop has no such customer');
            }
        }
    }

    /**
     * An answer for each row, in the rows' order.
     *
     * @param array<int, true> $changed by customer id: those for whom something was written
     * @return list<array{customer_id: int, status: string, reason: string}>
     */
    public function answers(array $changed): array
    {
        $answers = [];
        foreach ($this->customers as $at => $customerId) {
            $status = isset($changed[$customerId]) ? self::WRITTEN : self::UNCHANGED;
            $answers[] = [
                'customer_id' => $customerId,
                'status' => isset($this->rejected[$at]) ? self::REJECTED : $status,
                'reason' => $this->rejected[$at] ?? '',
            ];
        }
        return $answers;
    }

    /**
     * @param array<string, string> $types
     */
    private function read(int $at, mixed $row, array $types): void
    {
        try {
            $request = Request::of($row, $types);
        } catch (InvalidArgumentException $error) {
            $this->reject($at, $error->getMessage());
            return;
        }
        if (isset($this->seen[$request->customerId])) {
            $this->reject($at, 'the customer is there twice');
            return;
        }
        $this->seen[$request->customerId] = true;
        $this->requests[$at] = $request;
    }

    private function reject(int $at, string $reason): void
    {
        $this->rejected[$at] = $reason;
        unset($this->requests[$at]);
    }
}
