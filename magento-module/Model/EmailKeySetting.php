<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model;

use ClvSync\CustomerClv\Domain\EmailKey;
use InvalidArgumentException;
use Magento\Framework\App\Config\ScopeConfigInterface;
use Magento\Framework\Exception\LocalizedException;

/**
 * The e-mail key that the shop has set. etc/config.xml names its backend model: it comes decrypted.
 */
class EmailKeySetting
{
    public const PATH = 'clv_sync/privacy/email_key';

    /**
     * @param ScopeConfigInterface $config
     */
    public function __construct(private readonly ScopeConfigInterface $config)
    {
    }

    /**
     * The key, or null where none is set.
     *
     * @throws LocalizedException for a key that is too short: e-mails then don't leave the shop at all
     */
    public function key(): ?EmailKey
    {
        $key = (string)$this->config->getValue(self::PATH);
        try {
            return $key === '' ? null : new EmailKey($key);
        } catch (InvalidArgumentException $error) {
            throw new LocalizedException(__($error->getMessage()), $error);
        }
    }
}
