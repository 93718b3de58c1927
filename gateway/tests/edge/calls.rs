//! What each operation of a storefront costs in calls: the same for one item as for a hundred.

use mesh::testing;
use serde_json::json;

use crate::support::{Shop, uuid};
use crate::whole::shop;

/// Parts of documents by the word that stands for them.
const PARTS: [(&str, &str); 16] = [
    (
        "CARD",
        "{ handle availableForSale priceRange { minVariantPrice { amount } } rating { average }
            reviews(first: 3) { nodes { rating } } }",
    ),
    (
        "CART",
        "{ lines(first: 100) { nodes { quantity merchandise { quantityAvailable product { title } } } }
            cost { totalAmount { amount } } boughtTogether { product { title } } }",
    ),
    ("LINES", "lines { quantity merchandise { sku product { title } } }"),
    ("HELD", "\"cart_01934c2e7b6a7c3e9a51000000000900\""),
    ("GOODS", "lines { quantity merchandiseId }"),
    ("KEY", "idempotencyKey: \"1\""),
    ("PRODUCT", "\"product_01934c2e7b6a7c3e9a51000000000001\""),
    ("CHECKOUT", "\"checkout_01934c2e7b6a7c3e9a51000000000800\""),
    ("ORDER", "\"order_01934c2e7b6a7c3e9a51000000000700\""),
    ("ADDED", "lines: [{ merchandiseId: \"variant_01934c2e7b6a7c3e9a51000000010000\" }]"),
    ("LINE", "\"cartline_01934c2e7b6a7c3e9a51000000020000\""),
    ("REVIEW", "\"review_01934c2e7b6a7c3e9a51000000000000\""),
    (
        "PLACE",
        "{ givenName: \"A\", familyName: \"B\", lines: [\"1\"], city: \"C\", postalCode: \"D\", countryCode: \"GB\" }",
    ),
    ("SESSION", "\"session_01934c2e7b6a7c3e9a51000000000000\""),
    ("HOME", "\"address_01934c2e7b6a7c3e9a51000000000002\""),
    ("DONE", "{ userErrors { code } }"),
];

/// Words that stand for as many ids as the lists of the shop hold: those of a kind, from a number on.
const MANY: [(&str, &str, usize); 3] =
    [("WISHES", "product", 0), ("ALERTS", "variant", 10_000), ("RETURNED", "orderline", 600)];

/// Operations as a storefront asks them, and the calls that each makes; of a subscription those up to its first event.
const OPERATIONS: [(&str, &str); 63] = [
    (
        "query { product(handle: \"a\") { title category { path } rating { count } reviews(first: 20) { nodes { title } }
            variants(first: 100) { nodes { price { amount } quantityAvailable } } boughtTogether { product CARD } } }",
        "BatchGetCategories, BatchGetProducts, BatchGetStock x2, BatchGetSummaries x2, BatchListBoughtTogether, BatchListReviews x2, GetProduct",
    ),
    (
        "query { products(first: 100) { nodes CARD } }",
        "BatchGetStock, BatchGetSummaries, BatchListReviews, ListProducts",
    ),
    (
        "query { collection(handle: \"a\") { title products(first: 100) { nodes CARD } } }",
        "BatchGetProducts, BatchGetStock, BatchGetSummaries, BatchListReviews, GetCollection",
    ),
    (
        "query { collections(first: 100) { nodes { title products(first: 4) { nodes CARD } } } }",
        "BatchGetProducts, BatchGetStock, BatchGetSummaries, BatchListReviews, ListCollections",
    ),
    ("query { categories { name children { name } } }", "ListCategories"),
    ("query { reviews(productId: PRODUCT, first: 100) { nodes { title authorName } } }", "ListReviews"),
    (
        "query { search(query: \"a\", first: 100) { nodes CARD } }",
        "BatchGetProducts, BatchGetStock, BatchGetSummaries, BatchListReviews, SearchProducts",
    ),
    (
        "query { predictiveSearch(query: \"a\", first: 10) { products CARD } }",
        "BatchGetProducts, BatchGetStock, BatchGetSummaries, BatchListReviews, PredictSearch",
    ),
    (
        "query { recommendedForMe(first: 20) { product CARD } }",
        "BatchGetProducts, BatchGetStock, BatchGetSummaries, BatchListReviews, ListForAccount",
    ),
    (
        "query { cart CART }",
        "BatchGetProducts x2, BatchGetStock, BatchGetVariants, GetCart, ListBoughtTogether, Quote",
    ),
    (
        "query { checkout(id: CHECKOUT) { status GOODS order { number LINES } } }",
        "BatchGetProducts, BatchGetVariants, GetCheckout, GetOrder",
    ),
    ("query { order(id: ORDER) { number LINES } }", "BatchGetProducts, BatchGetVariants, GetOrder"),
    ("query { cart { shippingOptions { title price { amount } } } }", "GetCart, ListShippingOptions"),
    (
        "query { checkout(id: CHECKOUT) { shippingOptions { title price { amount } } } }",
        "GetCheckout, ListShippingOptions",
    ),
    ("query { nodes(ids: WISHES) { id } }", "BatchGetProducts"),
    ("query { node(id: HELD) { ... on Cart { totalQuantity } } }", "GetCart"),
    ("query { node(id: CHECKOUT) { ... on Checkout { GOODS } } }", "GetCheckout"),
    (
        "query { customer { email addresses { isDefault } sessions { current } } }",
        "GetAccount, ListAddresses, ListSessions",
    ),
    (
        "query { customer { orders(first: 100) { nodes { number LINES } } } }",
        "BatchGetProducts, BatchGetVariants, GetAccount, ListOrders",
    ),
    (
        "query { customer { wishlist(first: 100) { nodes { product CARD } } } }",
        "BatchGetProducts, BatchGetStock, BatchGetSummaries, BatchListReviews, GetAccount, ListWishlistItems",
    ),
    ("query { customer { reviews(first: 100) { nodes { title } } } }", "GetAccount, ListReviews"),
    (
        "mutation { cartCreate(ADDED, KEY) { cart CART } }",
        "BatchGetProducts x2, BatchGetStock, BatchGetVariants, CreateCart, ListBoughtTogether, Quote",
    ),
    (
        "mutation { cartLinesAdd(ADDED, KEY) { cart CART } }",
        "AddCartLines, BatchGetProducts x2, BatchGetStock, BatchGetVariants, ListBoughtTogether, Quote",
    ),
    (
        "mutation { cartLinesUpdate(lines: [{ id: LINE, quantity: 1 }], KEY) { cart CART } }",
        "BatchGetProducts x2, BatchGetStock, BatchGetVariants, ListBoughtTogether, Quote, UpdateCartLines",
    ),
    (
        "mutation { cartLinesRemove(lineIds: [LINE], KEY) { cart CART } }",
        "BatchGetProducts x2, BatchGetStock, BatchGetVariants, ListBoughtTogether, Quote, RemoveCartLines",
    ),
    (
        "mutation { cartDiscountCodesUpdate(discountCodes: [\"A\"], KEY) { cart CART } }",
        "BatchGetProducts x2, BatchGetStock, BatchGetVariants, ListBoughtTogether, Quote, SetCartCodes",
    ),
    (
        "mutation { cartBuyerIdentityUpdate(buyerIdentity: { countryCode: \"GB\" }, KEY) { cart CART } }",
        "BatchGetProducts x2, BatchGetStock, BatchGetVariants, ListBoughtTogether, Quote, SetCartContext",
    ),
    (
        "mutation { cartMerge(cartId: HELD, token: \"secret\", KEY) { cart CART } }",
        "BatchGetProducts x2, BatchGetStock, BatchGetVariants, ListBoughtTogether, MergeCarts, Quote",
    ),
    ("mutation { checkoutStart(KEY) { checkout { status GOODS } } }", "StartCheckout"),
    (
        "mutation { checkoutUpdate(checkoutId: CHECKOUT, input: { email: \"a@b.example\" }, KEY) { checkout { GOODS } } }",
        "UpdateCheckout",
    ),
    (
        "mutation { checkoutComplete(checkoutId: CHECKOUT, quoteId: \"q\", KEY) { checkout { order { LINES } } } }",
        "BatchGetProducts, BatchGetVariants, CompleteCheckout, GetOrder",
    ),
    ("mutation { checkoutCancel(checkoutId: CHECKOUT, KEY) { checkout { status GOODS } } }", "CancelCheckout"),
    (
        "mutation { orderCancel(id: ORDER, KEY) { order { number LINES } } }",
        "BatchGetProducts, BatchGetVariants, CancelOrder",
    ),
    (
        "mutation { orderReturnRequest(id: ORDER, lines: RETURNED, KEY) { returnId order { LINES } } }",
        "BatchGetProducts, BatchGetVariants, RequestReturn",
    ),
    (
        "mutation { wishlistAdd(productIds: WISHES, KEY) { items { product CARD } } }",
        "AddWishlistItems, BatchGetProducts, BatchGetStock, BatchGetSummaries, BatchListReviews",
    ),
    (
        "mutation { wishlistAdd(productIds: [], notifyVariantIds: ALERTS, KEY) { items { productId } } }",
        "AddWishlistItems, BatchGetVariants",
    ),
    ("mutation { wishlistRemove(productIds: WISHES, KEY) DONE }", "RemoveWishlistItems"),
    ("mutation { customerRegister(email: \"a@b.example\", password: \"p\", KEY) DONE }", "Register"),
    (
        "mutation { customerVerificationRequest(email: \"a@b.example\", KEY) DONE }",
        "RequestEmailVerification",
    ),
    ("mutation { customerVerifyEmail(token: \"t\", KEY) DONE }", "VerifyEmail"),
    (
        "mutation { customerLogIn(email: \"a@b.example\", password: \"p\") { customer { email } } }",
        "LogIn",
    ),
    ("mutation { customerRefresh(refreshToken: \"t\") { customer { email } } }", "RefreshSession"),
    ("mutation { customerLogOut(refreshToken: \"t\", KEY) DONE }", "LogOut"),
    ("mutation { customerLogOut(KEY) DONE }", "RevokeSession"),
    ("mutation { customerRecover(email: \"a@b.example\", KEY) DONE }", "RequestPasswordReset"),
    ("mutation { customerReset(token: \"t\", newPassword: \"p\", KEY) DONE }", "ResetPassword"),
    (
        "mutation { customerUpdate(input: { givenName: \"A\" }, KEY) { customer { email } } }",
        "UpdateAccount",
    ),
    (
        "mutation { customerPasswordChange(presentPassword: \"p\", newPassword: \"q\", KEY) DONE }",
        "ChangePassword",
    ),
    ("mutation { customerSessionRevoke(sessionId: SESSION, KEY) DONE }", "RevokeSession"),
    ("mutation { customerDataExport { document } }", "ExportAccount"),
    ("mutation { customerErase(password: \"p\", KEY) DONE }", "EraseAccount"),
    ("mutation { customerAddressCreate(address: PLACE, KEY) { address { isDefault } } }", "CreateAddress"),
    (
        "mutation { customerAddressUpdate(id: HOME, address: PLACE, KEY) { address { isDefault } } }",
        "UpdateAddress",
    ),
    ("mutation { customerAddressDelete(id: HOME, KEY) DONE }", "DeleteAddress"),
    (
        "mutation { reviewCreate(productId: PRODUCT, authorName: \"A\", input: { rating: 5, title: \"a\" }, KEY) { review { title } } }",
        "CreateReview",
    ),
    (
        "mutation { reviewUpdate(id: REVIEW, input: { rating: 5, title: \"a\" }, KEY) { review { title } } }",
        "UpdateReview",
    ),
    ("mutation { reviewDelete(id: REVIEW, KEY) DONE }", "DeleteReview"),
    ("mutation { reviewVote(id: REVIEW, helpful: true, KEY) { review { title } } }", "VoteReview"),
    ("mutation { reviewReport(id: REVIEW, complaint: \"a\", KEY) DONE }", "ReportReview"),
    ("subscription { stockChanged(skus: [\"A\"]) { sku } }", "WatchStock"),
    (
        "subscription { cartUpdated CART }",
        "BatchGetProducts x2, BatchGetStock, BatchGetVariants, ListBoughtTogether, Quote, WatchCart",
    ),
    (
        "subscription { checkoutUpdated(id: CHECKOUT) { GOODS order { LINES } } }",
        "BatchGetProducts, BatchGetVariants, GetOrder, WatchCheckout",
    ),
    ("subscription { orderUpdated(id: ORDER) { LINES } }", "BatchGetProducts, BatchGetVariants, WatchOrder"),
];

fn document(operation: &str, size: usize) -> String {
    let text = PARTS.iter().fold(operation.to_owned(), |text, (word, part)| text.replace(word, part));
    MANY.iter().fold(text, |text, (word, kind, from)| text.replace(word, &ids(kind, *from, size)))
}

/// So many ids of a kind as a document writes them; lines of an order with a quantity.
fn ids(kind: &str, from: usize, size: usize) -> String {
    let one = |number| format!("\"{}\"", id(kind, number));
    let line = |number| format!("{{ lineId: {}, quantity: 1 }}", one(number));
    let all = (from..from + size).map(|number| if kind == "orderline" { line(number) } else { one(number) });
    format!("[{}]", all.collect::<Vec<_>>().join(", "))
}

fn id(kind: &str, number: usize) -> String {
    format!("{kind}_{}", uuid(number).replace('-', ""))
}

/// What was asked since the last time, as the tables write it.
fn made(shop: &Shop) -> String {
    let made = shop.calls().into_iter().map(|(method, count)| match count {
        1 => method,
        _ => format!("{method} x{count}"),
    });
    made.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn an_operation_costs_the_same_calls_for_one_and_a_hundred() {
    let mut others = Vec::new();
    for size in [1, 100] {
        let shop = shop(size);
        for (operation, calls) in OPERATIONS {
            let asked = shop.ask(&document(operation, size), json!({})).by(&testing::customer());
            let answer = match operation.starts_with("subscription") {
                true => asked.header("accept", "text/event-stream").answer().await,
                false => asked.answer().await,
            };
            let made = made(&shop);
            // What is null was not asked for, or failed.
            if made != calls || answer.text.contains("null") || answer.text.contains("\"errors\"") {
                others.push(format!("{operation} of {size}: {made}: {:.300}", answer.text));
            }
        }
    }

    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// Operations of staff. They are not what a storefront asks a thousand times a minute, and their calls are not stated.
const OF_STAFF: [&str; 38] = [
    "accountRoleSet",
    "accounts",
    "account",
    "analytics",
    "categoryCreate",
    "categoryUpdate",
    "collectionCreate",
    "collectionUpdate",
    "discountCreate",
    "discountUpdate",
    "discounts",
    "locations",
    "mailPreview",
    "mailTemplates",
    "orderDeliver",
    "orderRefund",
    "orderReturnApprove",
    "orderReturnReceive",
    "orderReturnReject",
    "orderShip",
    "orders",
    "payments",
    "productArchive",
    "productCreate",
    "productUpdate",
    "reviewApprove",
    "reviewQueue",
    "reviewReject",
    "searchIndex",
    "shippingMethodCreate",
    "shippingMethodUpdate",
    "shippingMethods",
    "staffAccountCreate",
    "stock",
    "stockAdjust",
    "stockMovements",
    "taxRuleSet",
    "taxRules",
];

#[test]
fn the_calls_of_every_operation_of_a_storefront_are_stated() {
    let schema = include_str!("../../schema.graphql");
    let roots = ["type Query {", "type Mutation {", "type Subscription {"];
    let roots = roots.map(|root| schema.split_once(root).unwrap().1.split_once("\n}").unwrap().0);
    let fields = roots.iter().flat_map(|root| root.lines());
    // Fields stand one tab deep, each a word in lower case; arguments stand deeper, and descriptions are sentences.
    let names = fields.filter_map(|line| {
        let (name, _) = line.strip_prefix('\t')?.split_once(['(', ':'])?;
        (name.starts_with(char::is_lowercase) && name.chars().all(char::is_alphanumeric)).then_some(name)
    });
    let stated = |name: &str| {
        let asks = |(operation, _): &(&str, &str)| {
            let root = operation.split_once("{ ").unwrap().1;
            root.split([' ', '(']).next() == Some(name)
        };
        OPERATIONS.iter().any(asks)
    };
    let missing: Vec<&str> = names.filter(|name| !stated(name) && !OF_STAFF.contains(name)).collect();

    assert!(missing.is_empty(), "{missing:?}");
}

/// Kinds of things that are asked for by their ids, and how such ids begin; from which number on; what is shown of them;
/// the calls that this makes.
const KINDS: [(&str, &str, usize, &str, &str); 9] = [
    ("Product", "product", 0, "title rating { count }", "BatchGetProducts, BatchGetSummaries"),
    (
        "ProductVariant",
        "variant",
        10_000,
        "quantityAvailable product { title }",
        "BatchGetProducts, BatchGetStock, BatchGetVariants",
    ),
    ("Category", "category", 0, "name", "ListCategories"),
    (
        "Collection",
        "collection",
        500,
        "products(first: 2) { nodes { title } }",
        "BatchGetCollections, BatchGetProducts",
    ),
    (
        "Order",
        "order",
        700,
        "payment { status } LINES",
        "BatchGetOrders, BatchGetPayments, BatchGetProducts, BatchGetVariants",
    ),
    ("Review", "review", 0, "title", "BatchGetReviews"),
    ("Customer", "customer", 0, "email", "BatchGetAccounts"),
    ("Discount", "discount", 0, "code", "BatchGetDiscounts"),
    ("Payment", "payment", 0, "status", "BatchGetPayments"),
];

/// What somebody must be allowed to see all kinds.
const CLERK: [&str; 3] = ["accounts.read", "payments.read", "pricing.read"];

#[tokio::test]
async fn things_by_their_ids_cost_the_same_calls_for_one_and_a_hundred() {
    let clerk = testing::staff(&CLERK);
    for (kind, prefix, from, selection, calls) in KINDS {
        for size in [1, 100] {
            let shop = shop(size);
            let ids: Vec<String> = (from..from + size).map(|number| id(prefix, number)).collect();
            let shown = document(&format!("__typename id ... on {kind} {{ {selection} }}"), size);

            let many = format!("query($ids: [ID!]!) {{ nodes(ids: $ids) {{ {shown} }} }}");
            let many = shop.ask(&many, json!({ "ids": ids })).by(&clerk).answer().await;
            let made_for_many = made(&shop);
            let one = format!("query($id: ID!) {{ node(id: $id) {{ {shown} }} }}");
            let one = shop.ask(&one, json!({ "id": ids[0] })).by(&clerk).answer().await;

            assert_eq!(
                (made_for_many.as_str(), made(&shop).as_str()),
                (calls, calls),
                "{kind}: {}",
                many.text
            );
            let nodes = many.data()["nodes"].as_array().unwrap();
            assert!(nodes.iter().map(|node| &node["id"]).eq(&ids), "{kind}: {}", many.text);
            assert_eq!(one.data()["node"], nodes[0]);
            assert_eq!(nodes[size - 1]["__typename"], kind);
        }
    }
}

#[tokio::test]
async fn a_hundred_ids_of_several_kinds_cost_one_call_for_each_kind() {
    let shop = shop(100);
    let kinds = [("product", 0), ("review", 0), ("collection", 500), ("payment", 0), ("discount", 0)];
    let ids: Vec<String> =
        (0..100).map(|at| (kinds[at % 5], at / 5)).map(|((kind, from), at)| id(kind, from + at)).collect();

    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let answer = shop.ask(query, json!({ "ids": ids })).by(&testing::staff(&CLERK)).answer().await;

    let nodes = answer.data()["nodes"].as_array().unwrap();
    assert!(nodes.iter().map(|node| &node["id"]).eq(&ids), "{}", answer.text);
    let calls = "BatchGetCollections, BatchGetDiscounts, BatchGetPayments, BatchGetProducts, BatchGetReviews";
    assert_eq!(made(&shop), calls);
}
