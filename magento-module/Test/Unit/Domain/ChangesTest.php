<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Test\Unit\Domain;

use ClvSync\CustomerClv\Domain\Attributes;
use ClvSync\CustomerClv\Domain\Changes;
use ClvSync\CustomerClv\Domain\Request;
use PHPUnit\Framework\TestCase;

class ChangesTest extends TestCase
{
    private const ATTRIBUTES = [
        'clv_tier' => ['id' => 171, 'type' => Attributes::TEXT],
        'clv_p_alive' => ['id' => 176, 'type' => Attributes::DECIMAL],
    ];

    private const CURRENT = [7 => [
        'clv_tier' => ['value_id' => 31, 'value' => 'high'],
        'clv_p_alive' => ['value_id' => 5, 'value' => '0.8300'],
    ]];

    public function testLeavesAloneWhatIsThereAlready(): void
    {
        $changes = $this->changes([7 => ['clv_tier' => 'high', 'clv_p_alive' => 0.83]]);

        self::assertSame([[], [], [], []], $this->all($changes));
    }

    public function testUpdatesAValueByItsOwnIdSoThatNoneIsUsedUp(): void
    {
        $changes = $this->changes([7 => ['clv_tier' => 'low', 'clv_p_alive' => '0.83']]);

        $row = ['value_id' => 31, 'attribute_id' => 171, 'entity_id' => 7, 'value' => 'low'];
        self::assertSame([['varchar' => [$row]], [], [], [7 => true]], $this->all($changes));
    }

    public function testInsertsWhatWasNotThere(): void
    {
        $changes = $this->changes([8 => ['clv_p_alive' => '0.5']]);

        $row = ['attribute_id' => 176, 'entity_id' => 8, 'value' => '0.5000'];
        self::assertSame([[], ['decimal' => [$row]], [], [8 => true]], $this->all($changes));
    }

    public function testDeletesOnlyWhatIsThere(): void
    {
        $changes = $this->changes([7 => ['clv_p_alive' => ''], 8 => ['clv_p_alive' => '']]);

        self::assertSame([[], [], ['decimal' => [5]], [7 => true]], $this->all($changes));
    }

    /**
     * @param array<int, array<string, mixed>> $wanted
     */
    private function changes(array $wanted): Changes
    {
        $requests = [];
        foreach ($wanted as $customerId => $values) {
            $pairs = [];
            foreach ($values as $code => $value) {
                $pairs[] = ['code' => $code, 'value' => $value];
            }
            $requests[] = Request::of(['customer_id' => $customerId, 'values' => $pairs], Attributes::TYPES);
        }
        return new Changes($requests, self::ATTRIBUTES, self::CURRENT);
    }

    /**
     * @return list<mixed>
     */
    private function all(Changes $changes): array
    {
        return [$changes->updates, $changes->inserts, $changes->deletes, $changes->customers];
    }
}
