"""The questions asked of the GraphQL Admin API, each well under the 1000 points a query may cost.

Nested connections are asked for one page and then looped by the client; lists that cannot be paged
(`fulfillments`, `refunds`, `transactions`) are asked with a limit that is checked afterwards.
"""

from __future__ import annotations

LIST_MAX = 100
LINES_PAGE = 50
# A search for a SKU finds more than the SKU; so many are looked at.
VARIANTS_MAX = 5

_BAG = "{ shopMoney { amount currencyCode } }"
_BOTH = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
_PAGE = "pageInfo { hasNextPage endCursor }"
_TAX = f"taxLines {{ title rate channelLiable priceSet {_BAG} }}"
_SHARE = f"discountAllocations {{ allocatedAmountSet {_BAG} }}"
_ADDRESS = (
    "{ firstName lastName name company address1 address2 city zip province provinceCode"
    " countryCodeV2 phone }"
)
_LINE = (
    "{ id quantity title variantTitle sku taxable requiresShipping isGiftCard variant { id }"
    f" originalUnitPriceSet {_BAG} {_SHARE} {_TAX} duties {{ id price {_BAG} {_TAX} }} }}"
)
_SHIPPING = f"{{ id title originalPriceSet {_BAG} discountedPriceSet {_BAG} {_SHARE} {_TAX} }}"

SHOP = "query { shop { name currencyCode taxesIncluded } }"

ORDERS = (
    "query ($size: Int!, $after: String, $filter: String) {"
    " orders(first: $size, after: $after, query: $filter, sortKey: UPDATED_AT)"
    f" {{ nodes {{ id updatedAt }} {_PAGE} }} }}"
)

COUNT = "query ($filter: String) { ordersCount(query: $filter, limit: null) { count precision } }"

AMOUNTS = (
    "query ($size: Int!, $after: String, $filter: String) {"
    " orders(first: $size, after: $after, query: $filter, sortKey: UPDATED_AT)"
    f" {{ nodes {{ id updatedAt totalPriceSet {_BAG} totalRefundedSet {_BAG} }} {_PAGE} }} }}"
)

SUBSCRIPTIONS = (
    "query ($after: String) { webhookSubscriptions(first: 100, after: $after)"
    f" {{ nodes {{ topic uri }} {_PAGE} }} }}"
)

SUBSCRIBE = (
    "mutation ($topic: WebhookSubscriptionTopic!, $wanted: WebhookSubscriptionInput!) {"
    " webhookSubscriptionCreate(topic: $topic, webhookSubscription: $wanted)"
    " { webhookSubscription { id } userErrors { field message } } }"
)

_SET = "inventorySetQuantities(input: $input)"
_SET_ANSWER = "{ userErrors { code field message } }"
# From 2026-04 on every inventory mutation has to carry an idempotency key.
SET_QUANTITIES = (
    "mutation ($input: InventorySetQuantitiesInput!, $operation: String!) {"
    f" {_SET} @idempotent(key: $operation) {_SET_ANSWER} }}"
)
SET_QUANTITIES_BEFORE_2026_04 = (
    f"mutation ($input: InventorySetQuantitiesInput!) {{ {_SET} {_SET_ANSWER} }}"
)

ORDER = (
    "query ($id: ID!) { order(id: $id) {"
    " id name currencyCode createdAt updatedAt processedAt cancelledAt cancelReason test"
    " taxesIncluded dutiesIncluded displayFinancialStatus sourceName email phone"
    " paymentGatewayNames retailLocation { id } customer { id firstName lastName }"
    f" shippingAddress {_ADDRESS} billingAddress {_ADDRESS}"
    f" totalPriceSet {_BOTH} totalTaxSet {_BOTH} totalDiscountsSet {_BAG}"
    f" totalOutstandingSet {_BAG} totalTipReceivedSet {_BAG}"
    f" totalCashRoundingAdjustment {{ paymentSet {_BAG} }}"
    f" originalTotalDutiesSet {_BAG} originalTotalAdditionalFeesSet {_BAG} {_TAX}"
    f" lineItems(first: {LINES_PAGE}) {{ nodes {_LINE} {_PAGE} }}"
    f" shippingLines(first: 10) {{ nodes {_SHIPPING} {_PAGE} }}"
    f" transactions(first: {LIST_MAX}) {{ id kind status gateway createdAt processedAt"
    " paymentId authorizationExpiresAt receiptJson"
    f" amountSet {_BAG} parentTransaction {{ id }} }}"
    f" fulfillments(first: {LIST_MAX}) {{ id status createdAt updatedAt location {{ id }}"
    " trackingInfo(first: 1) { company number } }"
    f" refunds(first: {LIST_MAX}) {{ id createdAt }}"
    " } }"
)

# Connections that hang below a node: (type of the node, field) -> what is asked of each entry.
CONNECTIONS: dict[tuple[str, str], str] = {
    ("Order", "lineItems"): _LINE,
    ("Order", "shippingLines"): _SHIPPING,
    ("Fulfillment", "fulfillmentLineItems"): "{ quantity lineItem { id } }",
    ("Refund", "refundLineItems"): (
        "{ quantity restockType lineItem { id } location { id }"
        f" subtotalSet {_BAG} totalTaxSet {_BAG} }}"
    ),
    ("Refund", "orderAdjustments"): f"{{ amountSet {_BAG} taxAmountSet {_BAG} }}",
    ("Refund", "refundShippingLines"): (f"{{ subtotalAmountSet {_BAG} taxAmountSet {_BAG} }}"),
    ("Refund", "transactions"): "{ id }",
}


def below(kind: str, fields: tuple[str, ...]) -> str:
    """First pages of connections of one node (`$id`)."""
    asked = " ".join(
        f"{field}(first: {LINES_PAGE}) {{ nodes {CONNECTIONS[kind, field]} {_PAGE} }}"
        for field in fields
    )
    return f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {asked} }} }} }}"


def following(kind: str, field: str) -> str:
    """The page of one connection of a node after `$after`."""
    asked = (
        f"{field}(first: {LINES_PAGE}, after: $after)"
        f" {{ nodes {CONNECTIONS[kind, field]} {_PAGE} }}"
    )
    return (
        f"query ($id: ID!, $after: String!) {{ node(id: $id) {{ ... on {kind} {{ {asked} }} }} }}"
    )


STOCKED = (
    "query ($id: ID!, $after: String) { location(id: $id) {"
    " inventoryLevels(first: 100, after: $after) { nodes { item { id sku }"
    f' quantities(names: ["available"]) {{ quantity }} }} {_PAGE} }} }} }}'
)


def levels(count: int) -> str:
    """What `count` items (`$i0`, ...) have available at a location each (`$l0`, ...)."""
    declared = ", ".join(f"$i{n}: ID!, $l{n}: ID!" for n in range(count))
    asked = " ".join(
        f"n{n}: inventoryItem(id: $i{n}) {{ inventoryLevel(locationId: $l{n})"
        ' { quantities(names: ["available"]) { quantity } } }'
        for n in range(count)
    )
    return f"query ({declared}) {{ {asked} }}"


def items_of(count: int) -> str:
    """The inventory items of `count` SKUs (searches `$s0`, ...)."""
    declared = ", ".join(f"$s{n}: String!" for n in range(count))
    asked = " ".join(
        f"n{n}: productVariants(first: {VARIANTS_MAX}, query: $s{n})"
        " { nodes { sku inventoryItem { id } } }"
        for n in range(count)
    )
    return f"query ({declared}) {{ {asked} }}"
