<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Test\Unit\Domain;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Domain\Batch;
use InvalidArgumentException;
use PHPUnit\Framework\TestCase;

class BatchTest extends TestCase
{
    public function testAnswersEveryRowInItsPlace(): void
    {
        $batch = $this->batch([
            $this->row(7, ['clv_tier' => 'high']),
            $this->row(8, ['clv_p_alive' => 'abc']),
            $this->row(9, ['clv_tier' => 'low']),
            $this->row(10, ['clv_tier' => 'low']),
        ]);
        $batch->keep([7, 10]);

        self::assertSame([
            ['customer_id' => 7, 'status' => 'written', 'reason' => ''],
            [
                'customer_id' => 8,
                'status' => 'rejected',
                'reason' => 'clv_p_alive is no decimal of at most 8 digits and 4 decimals',
            ],
            ['customer_id' => 9, 'status' => 'rejected', 'reason' => 'the shop has no such customer'],
            ['customer_id' => 10, 'status' => 'unchanged', 'reason' => ''],
        ], $batch->answers([7 => true]));
    }

    public function testWritesTheFirstRowOfACustomerAlone(): void
    {
        $batch = $this->batch([$this->row(7, ['clv_tier' => 'high']), $this->row('7', ['clv_tier' => 'low'])]);
        $batch->keep([7]);

        self::assertSame(['clv_tier' => 'high'], $batch->requests()[0]->values);
        self::assertSame(['written', 'rejected'], array_column($batch->answers([7 => true]), 'status'));
    }

    public function testWritesAGoodRowBehindARefusedOneOfTheSameCustomer(): void
    {
        $batch = $this->batch([$this->row(7, ['clv_p_alive' => 'abc']), $this->row(7, ['clv_tier' => 'low'])]);
        $batch->keep([7]);

        self::assertSame([1], array_keys($batch->requests()));
    }

    /**
     * @dataProvider oddRows
     */
    public function testRefusesARowThatCannotBeReadAndNoOther(mixed $odd, string $reason): void
    {
        $batch = $this->batch([$odd, $this->row(8, ['clv_tier' => ''])]);

        self::assertSame([1], array_keys($batch->requests()));
        self::assertSame($reason, $batch->answers([])[0]['reason']);
    }

    /**
     * @return array<string, array{mixed, string}>
     */
    public static function oddRows(): array
    {
        $values = static fn (mixed ...$pairs): array => ['customer_id' => 7, 'values' => $pairs];
        $tier = ['code' => 'clv_tier', 'value' => 'x'];
        return [
            'no row' => [8, 'customer_id is no id'],
            'no customer' => [['values' => []], 'customer_id is no id'],
            'customer zero' => [['customer_id' => 0, 'values' => []], 'customer_id is no id'],
            'a customer with a tail' => [['customer_id' => '7 or 1', 'values' => []], 'customer_id is no id'],
            'yes for a customer' => [['customer_id' => true, 'values' => []], 'customer_id is no id'],
            'no values' => [['customer_id' => 7], 'values is no list'],
            'a map of values' => [['customer_id' => 7, 'values' => ['clv_tier' => 'x']], 'values is no list'],
            'a pair without value' => [$values(['code' => 'clv_tier']), 'each of values needs a code and a value'],
            'a pair without code' => [$values(['value' => 'x']), 'each of values needs a code and a value'],
            'no pair' => [$values('clv_tier'), 'each of values needs a code and a value'],
            'a foreign code' => [$values(['code' => 'taxvat', 'value' => 'x']), 'taxvat is none of the attributes'],
            'an odd code' => [$values(['code' => "a'b", 'value' => 'x']), 'a?b is none of the attributes'],
            'a code twice' => [$values($tier, $tier), 'clv_tier is there twice'],
        ];
    }

    /**
     * @dataProvider noBatches
     */
    public function testIsRefusedAsAWhole(mixed $rows): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->batch($rows);
    }

    /**
     * @return array<string, array{mixed}>
     */
    public static function noBatches(): array
    {
        return [
            'nothing' => [null],
            'text' => ['rows'],
            'a single row' => [['customer_id' => 7, 'values' => []]],
            'no rows' => [[]],
            'too many rows' => [array_fill(0, 1001, [])],
        ];
    }

    public function testTakesAThousandRows(): void
    {
        $rows = array_map(fn (int $id): array => $this->row($id, ['clv_tier' => 'low']), range(1, 1000));

        self::assertCount(1000, $this->batch($rows)->requests());
    }

    public function testKnowsOnlyTheAttributesThatAreThere(): void
    {
        $batch = new Batch([$this->row(7, ['clv_tier' => 'low'])], ['clv_model' => Attributes::TEXT]);

        self::assertSame('clv_tier is none of the attributes', $batch->answers([])[0]['reason']);
    }

    private function batch(mixed $rows): Batch
    {
        return new Batch($rows, Attributes::TYPES);
    }

    /**
     * @param array<string, mixed> $values
     * @return array<string, mixed>
     */
    private function row(mixed $customerId, array $values): array
    {
        $pairs = [];
        foreach ($values as $code => $value) {
            $pairs[] = ['code' => $code, 'value' => $value];
        }
        return ['customer_id' => $customerId, 'values' => $pairs];
    }
}
