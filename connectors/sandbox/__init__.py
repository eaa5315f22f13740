"""The sandbox: two shops on loopback, made-up people with real purchases, to try things on.

These credentials open the sandbox and nothing else.
"""

from __future__ import annotations

MAGENTO_SHOP = "eu"
SHOPIFY_SHOP = "us"

MAGENTO_TOKEN = "sandboxmagentointegrationtoken00"  # noqa: S105  opens the sandbox only
MAGENTO_CONSUMER_KEY = "sandbox-magento-consumer-key"
MAGENTO_CONSUMER_SECRET = "sandbox-magento-consumer-secret"  # noqa: S105
MAGENTO_ACCESS_TOKEN = "sandbox-magento-access-token"  # noqa: S105
MAGENTO_ACCESS_TOKEN_SECRET = "sandbox-magento-access-token-secret"  # noqa: S105

ACCS_CLIENT_ID = "sandbox-accs-client-id"
ACCS_CLIENT_SECRET = "sandbox-accs-client-secret"  # noqa: S105
ACCS_ORG = "SANDBOX@AdobeOrg"

SHOPIFY_TOKEN = "sandbox-shopify-admin-token"  # noqa: S105
SHOPIFY_CLIENT_ID = "sandbox-shopify-client-id"
SHOPIFY_CLIENT_SECRET = "sandbox-shopify-client-secret"  # noqa: S105
SHOPIFY_REFRESH_TOKEN = "sandbox-shopify-first-refresh-token"  # noqa: S105
