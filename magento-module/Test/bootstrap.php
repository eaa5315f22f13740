<?php

/**
 * The classes in Domain need no Magento, so their tests need none either; what else is tested has the
 * few classes of Magento that it asks in Test/Magento.
 */

declare(strict_types=1);

error_reporting(E_ALL);

spl_autoload_register(static function (string $class): void {
    $folders = ['ClvSync\\CustomerClv\\' => dirname(__DIR__), 'Magento\\' => __DIR__ . '/Magento'];
    foreach ($folders as $prefix => $folder) {
        $path = $folder . '/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
        if (str_starts_with($class, $prefix) && is_file($path)) {
            require $path;
        }
    }
});

require __DIR__ . '/Magento/phrase.php';
