//! What each operation of a storefront costs in calls: the same for one item as for a hundred.

use futures::{StreamExt, stream};
use mesh::testing;
use proto::{cart, catalogue, identity, inventory, orders, pricing, recommendations, reviews, search};
use serde_json::json;

use crate::cart::{quote, wire_cart, with_cart};
use crate::order::order;
use crate::pages::product;
use crate::support::{Shop, uuid};

/// A shop whose every list holds so many.
fn shop(size: usize) -> Shop {
    let shop = with_cart(size);
    offering(&shop, size);
    filling(&shop, size);
    buying(&shop, size);
    knowing(&shop, size);
    finding(&shop, size);
    shop
}

fn offering(shop: &Shop, size: usize) {
    shop.catalogue.on("GetProduct", move |_: catalogue::GetProductRequest| {
        let variants = (0..size).flat_map(|number| product(number).variants).collect();
        let product = catalogue::Product { variants, ..product(0) };
        Ok(catalogue::GetProductResponse { product: Some(product) })
    });
    let collection = move |number: usize| catalogue::Collection {
        id: uuid(500 + number),
        product_ids: (0..size).map(uuid).collect(),
        ..Default::default()
    };
    shop.catalogue.on("GetCollection", move |_: catalogue::GetCollectionRequest| {
        Ok(catalogue::GetCollectionResponse { collection: Some(collection(0)) })
    });
    shop.catalogue.on("ListCollections", move |_: catalogue::ListCollectionsRequest| {
        let collections = (0..size).map(collection).collect();
        Ok(catalogue::ListCollectionsResponse { collections, ..Default::default() })
    });
    shop.catalogue.on("ListCategories", move |_: catalogue::ListCategoriesRequest| {
        let category = |number| catalogue::Category { id: uuid(number), ..Default::default() };
        let categories = (0..size).map(category).collect();
        Ok(catalogue::ListCategoriesResponse { categories, ..Default::default() })
    });
    let review = |number| reviews::Review {
        id: uuid(number),
        product_id: uuid(0),
        state: reviews::ReviewState::Approved.into(),
        ..Default::default()
    };
    shop.reviews.on("ListReviews", move |_: reviews::ListReviewsRequest| {
        let reviews = (0..size).map(review).collect();
        Ok(reviews::ListReviewsResponse { reviews, ..Default::default() })
    });
    shop.reviews.on("CreateReview", move |_: reviews::CreateReviewRequest| {
        Ok(reviews::CreateReviewResponse { review: Some(review(0)) })
    });
}

fn filling(shop: &Shop, size: usize) {
    let cart = move || Some(wire_cart(size));
    shop.cart.on("CreateCart", move |_: cart::CreateCartRequest| {
        Ok(cart::CreateCartResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on("AddCartLines", move |_: cart::AddCartLinesRequest| {
        Ok(cart::AddCartLinesResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on("UpdateCartLines", move |_: cart::UpdateCartLinesRequest| {
        Ok(cart::UpdateCartLinesResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on("RemoveCartLines", move |_: cart::RemoveCartLinesRequest| {
        Ok(cart::RemoveCartLinesResponse { cart: cart() })
    });
    shop.cart.on("SetCartCodes", move |_: cart::SetCartCodesRequest| {
        Ok(cart::SetCartCodesResponse { cart: cart() })
    });
    shop.cart.on("SetCartContext", move |_: cart::SetCartContextRequest| {
        Ok(cart::SetCartContextResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on("MergeCarts", move |_: cart::MergeCartsRequest| {
        Ok(cart::MergeCartsResponse { cart: cart(), ..Default::default() })
    });
    shop.cart.on_stream("WatchCart", move |_: cart::WatchCartRequest| {
        stream::iter([Ok(cart::WatchCartResponse { cart: cart() })]).boxed()
    });
    shop.inventory.on_stream("WatchStock", |_: inventory::WatchStockRequest| {
        let stock = Some(inventory::Stock::default());
        stream::iter([Ok(inventory::WatchStockResponse { stock })]).boxed()
    });
}

fn buying(shop: &Shop, size: usize) {
    let line = |number: usize| pricing::QuoteLineRequest { variant_id: uuid(10_000 + number), quantity: 2 };
    let checkout = move || {
        let lines = (0..size).map(line).collect();
        let priced = pricing::QuoteRequest { lines, currency_code: "GBP".to_owned(), ..Default::default() };
        Some(orders::Checkout {
            id: uuid(800),
            state: orders::CheckoutState::Completed.into(),
            cart_id: uuid(900),
            quote: Some(quote(&priced)),
            order_id: uuid(700),
            ..Default::default()
        })
    };
    let order = move || {
        let line =
            |number| orders::OrderLine { variant_id: uuid(10_000 + number), ..order(700).lines[0].clone() };
        Some(orders::Order { lines: (0..size).map(line).collect(), shipments: Vec::new(), ..order(700) })
    };
    shop.orders.on("StartCheckout", move |_: orders::StartCheckoutRequest| {
        Ok(orders::StartCheckoutResponse { checkout: checkout(), ..Default::default() })
    });
    shop.orders.on("UpdateCheckout", move |_: orders::UpdateCheckoutRequest| {
        Ok(orders::UpdateCheckoutResponse { checkout: checkout() })
    });
    shop.orders.on("CompleteCheckout", move |_: orders::CompleteCheckoutRequest| {
        Ok(orders::CompleteCheckoutResponse { checkout: checkout() })
    });
    shop.orders.on("GetCheckout", move |_: orders::GetCheckoutRequest| {
        Ok(orders::GetCheckoutResponse { checkout: checkout() })
    });
    shop.orders.on_stream("WatchCheckout", move |_: orders::WatchCheckoutRequest| {
        stream::iter([Ok(orders::WatchCheckoutResponse { checkout: checkout() })]).boxed()
    });
    shop.orders
        .on("GetOrder", move |_: orders::GetOrderRequest| Ok(orders::GetOrderResponse { order: order() }));
    shop.orders.on("ListOrders", move |_: orders::ListOrdersRequest| {
        let orders = (0..size).flat_map(|_| order()).collect();
        Ok(orders::ListOrdersResponse { orders, ..Default::default() })
    });
    shop.orders.on_stream("WatchOrder", move |_: orders::WatchOrderRequest| {
        stream::iter([Ok(orders::WatchOrderResponse { order: order() })]).boxed()
    });
}

fn knowing(shop: &Shop, size: usize) {
    shop.identity.on("GetAccount", |_: identity::GetAccountRequest| {
        let account = identity::Account { role: identity::Role::Customer.into(), ..Default::default() };
        Ok(identity::GetAccountResponse { account: Some(account) })
    });
    shop.identity.on("ListAddresses", move |_: identity::ListAddressesRequest| {
        let addresses = vec![identity::AccountAddress::default(); size];
        Ok(identity::ListAddressesResponse { addresses, ..Default::default() })
    });
    shop.identity.on("ListSessions", move |_: identity::ListSessionsRequest| {
        let sessions = vec![identity::Session::default(); size];
        Ok(identity::ListSessionsResponse { sessions, ..Default::default() })
    });
    shop.identity.on("ListWishlistItems", move |_: identity::ListWishlistItemsRequest| {
        let item = |number| identity::WishlistItem { product_id: uuid(number), ..Default::default() };
        let items = (0..size).map(item).collect();
        Ok(identity::ListWishlistItemsResponse { items, ..Default::default() })
    });
}

fn finding(shop: &Shop, size: usize) {
    let hit = |number| search::Hit { product_id: uuid(number), ..Default::default() };
    shop.search.on("SearchProducts", move |_: search::SearchProductsRequest| {
        Ok(search::SearchProductsResponse { hits: (0..size).map(hit).collect(), ..Default::default() })
    });
    shop.search.on("PredictSearch", move |_: search::PredictSearchRequest| {
        Ok(search::PredictSearchResponse { hits: (0..size).map(hit).collect(), ..Default::default() })
    });
    let recommended = |number| recommendations::Recommendation {
        product_id: uuid(number),
        explanation: Some(recommendations::Explanation {
            kind: recommendations::ExplanationKind::BoughtTogether.into(),
            with_product_id: uuid(150),
            ..Default::default()
        }),
        ..Default::default()
    };
    let list = move || (0..size).map(recommended).collect::<Vec<_>>();
    shop.recommendations.on("ListForAccount", move |_: recommendations::ListForAccountRequest| {
        Ok(recommendations::ListForAccountResponse { recommendations: list(), ..Default::default() })
    });
    shop.recommendations.on("ListBoughtTogether", move |_: recommendations::ListBoughtTogetherRequest| {
        Ok(recommendations::ListBoughtTogetherResponse { recommendations: list(), ..Default::default() })
    });
    shop.recommendations.on(
        "BatchListBoughtTogether",
        move |request: recommendations::BatchListBoughtTogetherRequest| {
            let together =
                |product_id| recommendations::ProductRecommendations { product_id, recommendations: list() };
            let products = request.product_ids.into_iter().map(together).collect();
            Ok(recommendations::BatchListBoughtTogetherResponse { products })
        },
    );
}

/// Parts of documents by the word that stands for them.
const PARTS: [(&str, &str); 11] = [
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
];

/// Operations as a storefront asks them, and the calls that each makes; of a subscription those up to its first event.
const OPERATIONS: [(&str, &str); 31] = [
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
    (
        "mutation { reviewCreate(productId: PRODUCT, authorName: \"A\", input: { rating: 5, title: \"a\" }, KEY) { review { title } } }",
        "CreateReview",
    ),
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

fn document(operation: &str) -> String {
    PARTS.iter().fold(operation.to_owned(), |text, (word, part)| text.replace(word, part))
}

#[tokio::test]
async fn an_operation_costs_the_same_calls_for_one_and_a_hundred() {
    let mut others = Vec::new();
    for size in [1, 100] {
        let shop = shop(size);
        for (operation, calls) in OPERATIONS {
            let asked = shop.ask(&document(operation), json!({})).by(&testing::customer());
            let answer = match operation.starts_with("subscription") {
                true => asked.header("accept", "text/event-stream").answer().await,
                false => asked.answer().await,
            };
            let made = shop.calls().into_iter().map(|(method, count)| match count {
                1 => method,
                _ => format!("{method} x{count}"),
            });
            let made = made.collect::<Vec<_>>().join(", ");
            // What is null was not asked for, or failed.
            if made != calls || answer.text.contains("null") || answer.text.contains("\"errors\"") {
                others.push(format!("{operation} of {size}: {made}: {:.300}", answer.text));
            }
        }
    }

    assert!(others.is_empty(), "{}", others.join("\n"));
}
