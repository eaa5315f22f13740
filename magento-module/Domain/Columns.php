<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

/**
 * The columns that the exports read. Their names are those of the stock routes' fields.
 *
 * No names, addresses, telephones or IP addresses: what is not read can't leave the shop. Of an
 * order's addresses only the country is.
 */
final class Columns
{
    /** Ids and flags; served as integers. */
    public const INTEGERS = [
        'entity_id',
        'store_id',
        'customer_id',
        'customer_is_guest',
        'order_id',
        'item_id',
        'parent_item_id',
        'product_id',
        'website_id',
        'group_id',
    ];

    public const ORDER = [
        'entity_id',
        'increment_id',
        'state',
        'status',
        'store_id',
        'created_at',
        'updated_at',
        'customer_id',
        'customer_is_guest',
        'customer_email',
        'coupon_code',
        'base_currency_code',
        'base_to_global_rate',
        'base_subtotal',
        'base_discount_amount',
        'base_discount_tax_compensation_amount',
        'base_shipping_discount_tax_compensation_amnt',
        'base_tax_amount',
        'base_shipping_amount',
        'base_grand_total',
        'base_total_paid',
        'base_total_canceled',
        'base_total_refunded',
        'base_subtotal_invoiced',
        'base_discount_invoiced',
        'base_discount_tax_compensation_invoiced',
        'base_tax_invoiced',
        'base_shipping_invoiced',
        'base_total_invoiced',
        'base_subtotal_canceled',
        'base_discount_canceled',
        'base_tax_canceled',
        'base_shipping_canceled',
        'base_subtotal_refunded',
        'base_discount_refunded',
        'base_discount_tax_compensation_refunded',
        'base_tax_refunded',
        'base_shipping_refunded',
        'base_adjustment_positive',
        'base_adjustment_negative',
    ];

    /** Of an order's addresses, by which `parent_id` and `address_type` tell whose and which. */
    public const ADDRESS = ['parent_id', 'address_type', 'country_id'];

    public const ITEM = [
        'order_id',
        'item_id',
        'parent_item_id',
        'sku',
        'product_id',
        'product_type',
        'qty_ordered',
        'base_row_total',
        'base_row_total_incl_tax',
        'base_tax_amount',
        'base_discount_amount',
        'base_discount_tax_compensation_amount',
        'base_cost',
    ];

    public const CREDIT_MEMO = [
        'entity_id',
        'order_id',
        'created_at',
        'updated_at',
        'base_currency_code',
        'base_subtotal',
        'base_discount_amount',
        'base_discount_tax_compensation_amount',
        'base_shipping_discount_tax_compensation_amnt',
        'base_tax_amount',
        'base_shipping_amount',
        'base_adjustment_positive',
        'base_adjustment_negative',
        'base_grand_total',
    ];

    /** Adobe Commerce alone has these, on orders and some on credit memos; served as extension attributes. */
    public const COMMERCE = [
        'base_gift_cards_amount',
        'base_gift_cards_refunded',
        'base_customer_balance_amount',
        'base_customer_balance_refunded',
        'base_reward_currency_amount',
        'gw_base_price',
        'gw_items_base_price',
        'gw_card_base_price',
    ];

    /** Those of them that Commerce takes off an order's grand total, though they paid for it. */
    public const PAYMENTS = [
        'base_gift_cards_amount',
        'base_customer_balance_amount',
        'base_reward_currency_amount',
    ];

    public const CUSTOMER = ['entity_id', 'website_id', 'group_id', 'created_at', 'updated_at', 'email'];
}
