<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Domain;

use InvalidArgumentException;

/**
 * Turns e-mail addresses into keyed hashes, exactly as clv-sync does.
 */
final class EmailKey
{
    public const SHORTEST = 16;

    /** What Python's str.strip() takes for white space. */
    private const SPACE = '[\x09-\x0D\x1C-\x20\x85\xA0\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}'
        . '\x{202F}\x{205F}\x{3000}]+';

    /** The sigma that ends a word, by Unicode's rule; PHP itself knows it from 8.3 on. */
    private const FINAL_SIGMA = '/[\p{Lu}\p{Ll}\p{Lt}]' . self::BETWEEN . '\K\x{3A3}'
        . '(?!' . self::BETWEEN . '[\p{Lu}\p{Ll}\p{Lt}])/u';

    private const BETWEEN = '[\p{M}\p{Cf}\p{Lm}\p{Sk}\'.:\x{B7}\x{2019}]*';

    /**
     * @throws InvalidArgumentException for a key that is too short
     */
    public function __construct(private readonly string $key)
    {
        if (strlen($key) < self::SHORTEST) {
            throw new InvalidArgumentException('The e-mail key must have at least ' . self::SHORTEST . ' bytes.');
        }
    }

    /**
     * Tells two keys apart and gives neither away.
     */
    public function fingerprint(): string
    {
        return substr($this->hashed('fingerprint'), 0, 16);
    }

    /**
     * Who the e-mail belongs to in this website; null for an empty one.
     */
    public function personKey(?string $email, string $website): ?string
    {
        $normalised = self::normalised((string)$email);
        if ($normalised === '') {
            return null;
        }
        return 'guest-' . substr($this->hashed("$website\0$normalised"), 0, 32);
    }

    /**
     * Trimmed and in lower case, as Python does it.
     */
    private static function normalised(string $email): string
    {
        $trimmed = preg_replace('/^' . self::SPACE . '|' . self::SPACE . '$/Du', '', $email) ?? trim($email);
        return mb_strtolower(preg_replace(self::FINAL_SIGMA, 'ς', $trimmed) ?? $trimmed, 'UTF-8');
    }

    private function hashed(string $message): string
    {
        return hash_hmac('sha256', $message, $this->key);
    }
}
