<?php

declare(strict_types=1);

namespace ClvSync\CustomerClv\Model\Config\Backend;

use ClvSync\CustomerClv\Domain\EmailKey as Key;
use Magento\Config\Model\Config\Backend\Encrypted;
use Magento\Framework\Exception\LocalizedException;

/**
 * The e-mail key in the configuration: encrypted, and refused where it is too short.
 */
class EmailKey extends Encrypted
{
    /**
     * @inheritDoc
     */
    public function beforeSave()
    {
        $value = (string)$this->getValue();
        $untouched = preg_match('/^\**$/', $value); // the form shows a key that is set as asterisks
        if (!$untouched && strlen($value) < Key::SHORTEST) {
            throw new LocalizedException(__('The e-mail key must have at least %1 characters.', Key::SHORTEST));
        }
        return parent::beforeSave();
    }
}
