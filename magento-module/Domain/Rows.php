<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

/**
 * Renders database rows as the stock routes' fields: no nulls, whole numbers as numbers, amounts
 * as the text that the database gives, so that not a cent is lost on the way.
 */
final class Rows
{
    /**
     * @param EmailKey|null $emailKey where set, no e-mail address is rendered
     */
    public function __construct(private readonly ?EmailKey $emailKey)
    {
    }

    /**
     * An order without its items. Who has an account is known by it; only guests need their e-mail.
     *
     * @param array<string, mixed> $row
     * @param string $website
     * @param string|null $country where it was sent, else billed to
     * @return array<string, mixed>
     */
    public function order(array $row, string $website, ?string $country): array
    {
        $order = $this->plain($this->nested($row) + ['country_id' => $country]);
        if (isset($order['customer_id'])) {
            unset($order['customer_email']);
        }
        return $this->unnamed($order, 'customer_email', $website) + ['items' => []];
    }

    /**
     * The country of each order: that of its shipping address, else of its billing address.
     *
     * @param iterable<array<string, mixed>> $addresses
     * @return array<int, string> by order id
     */
    public static function countries(iterable $addresses): array
    {
        $countries = [];
        foreach ($addresses as $address) {
            $order = (int)$address['parent_id'];
            $country = (string)$address['country_id'];
            if ($country !== '' && ($address['address_type'] === 'shipping' || !isset($countries[$order]))) {
                $countries[$order] = $country;
            }
        }
        return $countries;
    }

    /**
     * @param array<string, mixed> $row
     * @return array<string, mixed>
     */
    public function item(array $row): array
    {
        unset($row['order_id']);
        return $this->plain($row);
    }

    /**
     * @param array<string, mixed> $row
     * @return array<string, mixed>
     */
    public function creditMemo(array $row): array
    {
        return $this->plain($this->nested($row));
    }

    /**
     * @param array<string, mixed> $row
     * @param array<string, array{value_id: int, value: string}> $shown by attribute code
     * @return array<string, mixed>
     */
    public function customer(array $row, array $shown): array
    {
        $customer = $this->plain($row);
        $customer = ['id' => $customer['entity_id']] + $customer;
        unset($customer['entity_id']);
        $customer = $this->unnamed($customer, 'email', (string)($customer['website_id'] ?? ''));
        foreach ($shown as $code => $stored) {
            $customer['custom_attributes'][] = ['attribute_code' => $code, 'value' => $stored['value']];
        }
        return $customer;
    }

    /**
     * @param array<string, mixed> $row
     * @return array<string, mixed>
     */
    private function plain(array $row): array
    {
        $row = array_filter($row, static fn (mixed $value): bool => $value !== null);
        foreach (Columns::INTEGERS as $name) {
            if (isset($row[$name])) {
                $row[$name] = (int)$row[$name];
            }
        }
        return $row;
    }

    /**
     * The Commerce columns go where the stock routes have them.
     *
     * @param array<string, mixed> $row
     * @return array<string, mixed>
     */
    private function nested(array $row): array
    {
        $commerce = array_intersect_key($row, array_flip(Columns::COMMERCE));
        $row = array_diff_key($row, $commerce);
        $commerce = array_filter($commerce, static fn (mixed $value): bool => $value !== null);
        return $commerce ? $row + ['extension_attributes' => $commerce] : $row;
    }

    /**
     * The e-mail's keyed hash in place of the e-mail, where the shop has set a key.
     *
     * @param array<string, mixed> $row
     * @return array<string, mixed>
     */
    private function unnamed(array $row, string $name, string $website): array
    {
        if ($this->emailKey === null || !isset($row[$name])) {
            return $row;
        }
        $key = $this->emailKey->personKey((string)$row[$name], $website);
        unset($row[$name]);
        return $key === null ? $row : $row + [$name . '_key' => $key];
    }
}
