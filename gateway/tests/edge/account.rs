//! Accounts: signing in, and what a browser is told to keep.

use mesh::{User, testing};
use proto::identity as pb;
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{Answer, Shop, refused, settings, shop, shop_with, uuid};

fn tokens() -> pb::Tokens {
    let later = |seconds: i64| {
        let now = kit::Clock::system().now().timestamp();
        Some(prost_types::Timestamp { seconds: now + seconds, nanos: 0 })
    };
    pb::Tokens {
        access_token: "access-text".to_owned(),
        access_expire_time: later(300),
        refresh_token: "refresh-text".to_owned(),
        refresh_expire_time: later(86_400),
    }
}

fn account() -> pb::Account {
    pb::Account {
        id: uuid(1),
        email: "ada@shop.example".to_owned(),
        role: pb::Role::Customer.into(),
        etag: "1".to_owned(),
        ..Default::default()
    }
}

fn with_identity(shop: Shop) -> Shop {
    shop.identity.on("LogIn", |request: pb::LogInRequest| match request.password.as_str() {
        "right" => Ok(pb::LogInResponse { tokens: Some(tokens()), account: Some(account()) }),
        "often" => Err(mesh::status::Problem::new(
            Code::ResourceExhausted,
            "identity",
            "REASON_LOGIN_THROTTLED",
            "later",
        )
        .retry_after(std::time::Duration::from_secs(90))
        .status()),
        _ => Err(refused(Code::Unauthenticated, "identity", "REASON_CREDENTIALS_WRONG")),
    });
    shop.identity.on("RefreshSession", |request: pb::RefreshSessionRequest| {
        match request.refresh_token.as_str() {
            "refresh-text" => {
                Ok(pb::RefreshSessionResponse { tokens: Some(tokens()), account: Some(account()) })
            }
            _ => Err(refused(Code::Unauthenticated, "identity", "REASON_SESSION_REVOKED")),
        }
    });
    shop
}

fn log_in(password: &str, selection: &str) -> String {
    format!(
        "mutation {{ customerLogIn(email: \"ada@shop.example\", password: \"{password}\") {{ {selection} userErrors {{ code }} }} }}"
    )
}

#[tokio::test]
async fn a_browser_keeps_both_tokens_where_no_script_reads_them() {
    let shop = with_identity(shop());

    let answer = shop.ask(&log_in("right", "customer { email }"), json!({})).answer().await;

    assert_eq!(answer.data()["customerLogIn"]["customer"]["email"], "ada@shop.example");
    let cookies = answer.cookies();
    assert!(cookies[0].starts_with("access=access-text; Path=/; Max-Age="), "{cookies:?}");
    assert!(cookies[1].starts_with("refresh=refresh-text; Path=/graphql/session; Max-Age="), "{cookies:?}");
    assert!(cookies.iter().all(|cookie| cookie.contains("HttpOnly; SameSite=Lax")));
    assert!(!answer.text.contains("access-text"));
}

#[tokio::test]
async fn production_cookies_have_their_prefixes() {
    let mut settings = settings();
    settings.production = true;
    let shop = with_identity(shop_with(settings));

    let answer = shop.ask(&log_in("right", "customer { email }"), json!({})).answer().await;

    let cookies = answer.cookies();
    assert!(cookies[0].starts_with("__Host-access=") && cookies[0].ends_with("; Secure"));
    assert!(cookies[1].starts_with("__Secure-refresh=") && cookies[1].ends_with("; Secure"));
}

#[tokio::test]
async fn a_client_that_holds_its_tokens_gets_no_cookies() {
    let shop = with_identity(shop());

    let answer = shop
        .ask(&log_in("right", "tokens { accessToken refreshToken accessExpiresAt }"), json!({}))
        .answer()
        .await;

    assert_eq!(answer.data()["customerLogIn"]["tokens"]["accessToken"], "access-text");
    assert!(answer.cookies().is_empty());
}

#[tokio::test]
async fn wrong_credentials_are_a_user_error_and_too_many_tries_are_not() {
    let shop = with_identity(shop());

    let wrong = shop.ask(&log_in("wrong", "customer { email }"), json!({})).answer().await;
    let often = shop.ask(&log_in("often", "customer { email }"), json!({})).answer().await;

    assert_eq!(wrong.data()["customerLogIn"]["userErrors"], json!([{ "code": "CREDENTIALS_WRONG" }]));
    assert!(wrong.cookies().is_empty());
    assert_eq!(often.code(), "RATE_LIMITED");
    assert_eq!(often.json["errors"][0]["extensions"]["retryAfterMs"], 90_000);
}

#[tokio::test]
async fn a_refresh_takes_the_cookie_of_its_own_path() {
    let shop = with_identity(shop());
    let query = "mutation { customerRefresh { customer { email } userErrors { code } } }";

    let good = shop
        .ask(query, json!({}))
        .path("/graphql/session")
        .with_cookie("refresh=refresh-text")
        .answer()
        .await;
    let used = shop.ask(query, json!({})).path("/graphql/session").with_cookie("refresh=used").answer().await;
    let none = shop.ask(query, json!({})).answer().await;

    assert_eq!(good.cookies().len(), 2);
    assert_eq!(used.data()["customerRefresh"]["userErrors"], json!([{ "code": "SESSION_REVOKED" }]));
    assert!(used.cookies().iter().all(|cookie| cookie.contains("Max-Age=0")));
    assert_eq!(none.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_bearer_token_that_is_not_good_is_refused_and_a_cookie_is_as_none() {
    let shop = with_identity(shop());
    let query = "{ customer { email } }";

    let bearer =
        shop.ask(query, json!({})).header("authorization", "Bearer nonsense").modern().answer().await;
    let scheme = shop.ask(query, json!({})).header("authorization", "Basic YTpi").modern().answer().await;
    let cookie = shop.ask(query, json!({})).with_cookie("access=nonsense").modern().answer().await;

    assert_eq!((bearer.status.as_u16(), bearer.code()), (401, "UNAUTHENTICATED"));
    assert_eq!(scheme.status.as_u16(), 401);
    assert!(cookie.data()["customer"].is_null());
    assert!(shop.calls().is_empty());
}

#[tokio::test]
async fn logging_out_takes_both_tokens_from_the_browser() {
    let shop = with_identity(shop());
    shop.identity.on("LogOut", |request: pb::LogOutRequest| {
        assert_eq!(request.refresh_token, "refresh-text");
        Ok(pb::LogOutResponse {})
    });
    let query = "mutation { customerLogOut(idempotencyKey: \"a-random-key-of-some-length\") { userErrors { code } } }";

    let answer = shop
        .ask(query, json!({}))
        .path("/graphql/session")
        .with_cookie("refresh=refresh-text")
        .answer()
        .await;

    assert_eq!(answer.data()["customerLogOut"]["userErrors"], json!([]));
    let cookies = answer.cookies();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("access=; ")));
    assert!(cookies.iter().any(|cookie| cookie.starts_with("refresh=; Path=/graphql/session; Max-Age=0")));
}

#[tokio::test]
async fn only_what_is_given_is_changed() {
    let shop = with_identity(shop());
    shop.identity.on("UpdateAccount", |request: pb::UpdateAccountRequest| {
        assert_eq!(request.update_mask.unwrap().paths, ["given_name", "preferences.marketing_mail"]);
        assert!(request.account.unwrap().preferences.unwrap().marketing_mail);
        Ok(pb::UpdateAccountResponse { account: Some(account()) })
    });
    let query = "mutation { customerUpdate(input: { givenName: \"Ada\", marketingMail: true }, idempotencyKey: \"1\") {
        customer { email } userErrors { code } } }";

    let signed_in = shop.ask(query, json!({})).by(&testing::customer()).answer().await;
    let nobody = shop.ask(query, json!({})).answer().await;

    assert_eq!(signed_in.data()["customerUpdate"]["customer"]["email"], "ada@shop.example");
    assert_eq!(nobody.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_wishlist_brings_its_products_in_one_call() {
    let shop = with_identity(crate::cart::with_cart(1));
    shop.identity
        .on("GetAccount", |_: pb::GetAccountRequest| Ok(pb::GetAccountResponse { account: Some(account()) }));
    shop.identity.on("ListWishlistItems", |request: pb::ListWishlistItemsRequest| {
        let item = |number: usize| pb::WishlistItem { product_id: uuid(number), ..Default::default() };
        let items = (0..usize::try_from(request.page_size).unwrap()).map(item).collect();
        Ok(pb::ListWishlistItemsResponse { items, next_page_token: String::new() })
    });
    let query = "{ customer { wishlist(first: 50) { nodes { product { title rating { count } } } } } }";

    let answer = shop.ask(query, json!({})).by(&testing::customer()).answer().await;

    assert_eq!(answer.data()["customer"]["wishlist"]["nodes"][49]["product"]["title"], "Thing 49");
    let wanted = ["BatchGetProducts", "BatchGetSummaries", "GetAccount", "ListWishlistItems"];
    assert_eq!(shop.calls(), wanted.map(|method| (method.to_owned(), 1)));
}

#[tokio::test]
async fn who_plays_is_who_is_signed_in_or_chose_to_be_nobody() {
    let shop = with_identity(shop());
    let access = |user: &User| format!("access={}", testing::token(user).unwrap());
    let (shopper, staff) = (access(&testing::customer()), access(&testing::staff(&[])));

    for (cookies, persona) in [
        // Whose session ran out begins anew.
        ("access=none", Value::Null),
        ("access=none; persona=staff", Value::Null),
        ("persona=guest", json!("guest")),
        (&shopper, json!("shopper")),
        (&format!("persona=guest; {staff}"), json!("staff")),
    ] {
        let answer = shop.raw("GET", "/dev/playground.json", "").header("cookie", cookies).answer().await;
        assert_eq!(answer.json["persona"], persona, "{cookies}");
    }
}

#[tokio::test]
async fn a_persona_is_played_by_one_click() {
    let shop = with_identity(shop());
    shop.identity.on("LogIn", |request: pb::LogInRequest| {
        assert_eq!(
            (request.email.as_str(), request.password.as_str()),
            ("Sam@shop.example", "a good password")
        );
        Ok(pb::LogInResponse { tokens: Some(tokens()), account: Some(account()) })
    });
    let play = |persona: &str| {
        let body = json!({ "persona": persona }).to_string();
        shop.raw("POST", "/dev/persona", body).header("content-type", "application/json")
    };

    let staff = play("staff").answer().await;
    let guest = play("guest").answer().await;
    let unknown = play("admin").answer().await;
    let foreign = play("staff").header("origin", "https://evil.example").answer().await;

    assert_eq!(staff.json, json!({ "persona": "staff", "name": "Sam" }));
    let held = |answer: &Answer| {
        let cookies = answer.cookies().into_iter().filter(|cookie| !cookie.contains("Max-Age=0"));
        cookies.map(|cookie| cookie.split('=').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(held(&staff), ["access", "refresh", "persona"]);
    assert_eq!(held(&guest), ["persona"]);
    assert_eq!((unknown.status.as_u16(), foreign.status.as_u16()), (400, 403));
}
