<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Test\Unit\Domain;

use ClvSync\CustomerClv\Domain\EmailKey;
use InvalidArgumentException;
use PHPUnit\Framework\TestCase;

/**
 * The expected hashes come from clv-sync itself; tests/test_magento_module.py compares many more.
 */
class EmailKeyTest extends TestCase
{
    private const SECRET = 'a key for the tests of the module';

    public function testHashesAsClvSyncDoes(): void
    {
        $key = new EmailKey(self::SECRET);

        self::assertSame('guest-82dcbc7d5d092a35ea56b07ace6305fc', $key->personKey('eva@example.com', '1'));
        self::assertSame('c776a60f7816d816', $key->fingerprint());
    }

    public function testIgnoresCaseAndSpaceAround(): void
    {
        $key = new EmailKey(self::SECRET);

        self::assertSame($key->personKey('åsa@example.com', '1'), $key->personKey(" ÅSA@Example.COM\u{A0}\n", '1'));
    }

    public function testKnowsTheSameEmailInTwoWebsitesAsTwoPersons(): void
    {
        $key = new EmailKey(self::SECRET);

        self::assertNotSame($key->personKey('eva@example.com', '1'), $key->personKey('eva@example.com', '2'));
    }

    public function testKnowsNobodyWithoutAnEmail(): void
    {
        $key = new EmailKey(self::SECRET);

        self::assertNull($key->personKey(null, '1'));
        self::assertNull($key->personKey(" \u{3000}", '1'));
    }

    public function testRefusesAKeyThatCouldBeGuessed(): void
    {
        $this->expectException(InvalidArgumentException::class);
        new EmailKey('fifteen letters');
    }
}
