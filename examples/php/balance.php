<?php
// Prints the credit balance of an API key: balance.php [URL [KEY]]

$base = $argv[1] ?? (getenv('COFFER_URL') ?: 'http://127.0.0.1:8080');
$apiKey = $argv[2] ?? (string) getenv('COFFER_API_KEY');
if (!preg_match('/^[!-~]+$/D', $apiKey)) {
    fwrite(STDERR, "No usable API key: give it as second argument or in COFFER_API_KEY.\n");
    exit(2);
}

$curl = curl_init();
curl_setopt_array($curl, [
    CURLOPT_URL => rtrim($base, '/') . '/api/unwatermark/api/v1/get-credits-balance',
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_POST => true,
    CURLOPT_HTTPHEADER => ["ZF-API-KEY: {$apiKey}"],
]);
$body = curl_exec($curl);
if ($body === false) {
    fwrite(STDERR, 'Request failed: ' . curl_error($curl) . "\n");
    exit(1);
}
$data = json_decode($body, true);
if ($data === null) {
    fwrite(STDERR, "Request failed: the answer is not JSON\n");
    exit(1);
}
print_r($data);
