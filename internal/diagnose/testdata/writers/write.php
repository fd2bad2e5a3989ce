<?php
// Reads documents in base64, one a line, and writes for each a line of its spellings in base64.
ini_set('serialize_precision', '-1');
while (($line = fgets(STDIN)) !== false) {
    $out = [];
    foreach ([false, true] as $arrays) {
        $value = json_decode(base64_decode($line), $arrays);
        if (json_last_error() !== JSON_ERROR_NONE) {
            continue;
        }
        foreach ([0, JSON_PRETTY_PRINT] as $layout) {
            foreach ([0, JSON_UNESCAPED_SLASHES] as $slashes) {
                foreach ([0, JSON_UNESCAPED_UNICODE] as $unicode) {
                    foreach ([0, JSON_PRESERVE_ZERO_FRACTION] as $fraction) {
                        $text = json_encode($value, $layout | $slashes | $unicode | $fraction);
                        if ($text !== false) {
                            $out[] = base64_encode($text);
                        }
                    }
                }
            }
        }
    }
    echo implode(' ', $out), "\n";
}
