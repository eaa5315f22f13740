<?php

declare(strict_types=1);

/**
 * Magento's phrase, as text.
 */
function __(string $text, string ...$arguments): string
{
    foreach ($arguments as $at => $argument) {
        $text = str_replace('%' . ($at + 1), $argument, $text);
    }
    return $text;
}
