//! The copy of everything that is kept about an account, told whole: what is left out of it is missed here.

use std::time::Duration;

use kit::Timestamp;
use mesh::{Role, User};
use proto::common as common_pb;
use proto::identity as pb;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{PASSWORD, Shop, email, logging_in, logging_in_from, registering, request_id, shops};

/// Between what happens one after the other: a token is good by the machine's time, so little passes.
const MOMENT: Duration = Duration::from_secs(1);
const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

async fn export(shop: &Shop, user: &User) -> Value {
    let answer = shop.as_user(user).export_account(pb::ExportAccountRequest {}).await.unwrap();
    serde_json::from_slice(&answer.into_inner().document).unwrap()
}

/// Ada opens an account, verifies her address, and takes another name a moment later. Answers her account as it is kept.
async fn ada(shop: &Shop) -> (User, Value) {
    let address = email();
    let opened = shop.clock.now();
    let preferences = Some(pb::Preferences {
        language: "fr-CA".into(),
        currency_code: "CAD".into(),
        country_code: "CA".into(),
        marketing_mail: true,
    });
    let request = pb::RegisterRequest { preferences, ..registering(&address) };
    shop.guest().register(request).await.unwrap();
    let token = shop.mail(&address, pb::MailKind::VerifyEmail, 1).await.token;
    shop.guest().verify_email(pb::VerifyEmailRequest { token, request_id: request_id() }).await.unwrap();
    let (user, account) = shop.logged_in(&address, PASSWORD).await;
    shop.clock.advance(MOMENT);
    let rename = pb::UpdateAccountRequest {
        account: Some(pb::Account { given_name: "Augusta".into(), ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["given_name".into()] }),
        etag: String::new(),
        request_id: request_id(),
    };
    shop.as_user(&user).update_account(rename).await.unwrap();
    let kept = json!({
        "id": account.id,
        "email": address,
        "emailVerified": true,
        "givenName": "Augusta",
        "familyName": "Lovelace",
        "role": "customer",
        "permissions": [],
        "preferences": {
            "language": "fr-CA",
            "currencyCode": "CAD",
            "countryCode": "CA",
            "marketingMail": true,
        },
        "created": opened.to_rfc3339(),
        "updated": (opened + MOMENT).to_rfc3339(),
    });
    (user, kept)
}

/// Two addresses, the one that is the default first.
async fn addresses(shop: &Shop, user: &User) -> Value {
    let work = common_pb::Address {
        given_name: "Ada".into(),
        family_name: "King".into(),
        company: "Analytical Engines".into(),
        lines: vec!["12 St James's Square".into(), "First floor".into()],
        city: "London".into(),
        region: "Westminster".into(),
        postal_code: "SW1Y 4LB".into(),
        country_code: "GB".into(),
        phone: "+44 20 7946 0018".into(),
    };
    let home = common_pb::Address {
        company: String::new(),
        lines: vec!["Ockham Park".into()],
        city: "Ockham".into(),
        ..work.clone()
    };
    let mut kept = Vec::new();
    for (place, is_default) in [(home, false), (work, true)] {
        let request =
            pb::CreateAddressRequest { address: Some(place.clone()), is_default, request_id: request_id() };
        let added = shop.as_user(user).create_address(request).await.unwrap().into_inner();
        kept.insert(
            0,
            json!({
                "id": added.address.unwrap().id,
                "isDefault": is_default,
                "givenName": place.given_name,
                "familyName": place.family_name,
                "company": place.company,
                "lines": place.lines,
                "city": place.city,
                "region": place.region,
                "postalCode": place.postal_code,
                "countryCode": place.country_code,
                "phone": place.phone,
            }),
        );
    }
    Value::Array(kept)
}

/// A wish, and later one with an alert.
async fn wishlist(shop: &Shop, user: &User) -> Value {
    let mut kept = Vec::new();
    for alerted in [false, true] {
        shop.clock.advance(MOMENT);
        let (product, variant) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
        let alert = pb::StockAlert {
            product_id: product.clone(),
            variant_id: variant.clone(),
            sku: "MUG-1".into(),
            product_title: "Harbour mug".into(),
            variant_title: "Blue".into(),
            product_handle: "harbour-mug".into(),
        };
        let request = pb::AddWishlistItemsRequest {
            product_ids: vec![product.clone()],
            request_id: request_id(),
            alerts: if alerted { vec![alert] } else { Vec::new() },
        };
        shop.as_user(user).add_wishlist_items(request).await.unwrap();
        let variants = if alerted { json!([variant]) } else { json!([]) };
        let added = shop.clock.now().to_rfc3339();
        kept.insert(0, json!({ "productId": product, "added": added, "alertVariantIds": variants }));
    }
    Value::Array(kept)
}

/// Somebody tries a wrong password elsewhere, then Ada signs in there, and signs that place out again.
async fn sessions(shop: &Shop, user: &User, address: &str, first: Timestamp) -> Value {
    let mut guest = shop.guest();
    guest.log_in(logging_in_from(address, "not my password", "198.51.100.9")).await.unwrap_err();
    let second = shop.clock.now();
    let answer = guest.log_in(logging_in_from(address, PASSWORD, "198.51.100.9")).await.unwrap();
    let other = shop.verify(&answer.into_inner().tokens.unwrap().access_token).await;
    let request =
        pb::RevokeSessionRequest { session_id: other.session.to_string(), request_id: request_id() };
    shop.as_user(user).revoke_session(request).await.unwrap();
    let session = |id: String, network: &str, at: Timestamp| {
        json!({
            "id": id,
            "created": at.to_rfc3339(),
            "refreshed": at.to_rfc3339(),
            "expires": (at + SESSION_LIFE).to_rfc3339(),
            "userAgent": "Browser/1.0",
            "network": network,
        })
    };
    json!([
        session(other.session.to_string(), "198.51.100.0/24", second),
        session(user.session.to_string(), "203.0.113.0/24", first),
    ])
}

/// What the audit holds after all this, newest first, under the ids that the account's owner is shown.
async fn login_events(shop: &Shop, user: &User, first: Timestamp, second: Timestamp) -> Value {
    let answer = shop
        .as_user(user)
        .list_login_events(pb::ListLoginEventsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let happened = [
        ("session_revoked", second, "Browser/1.0", "198.51.100.0/24"),
        ("logged_in", second, "Browser/1.0", "198.51.100.0/24"),
        ("refused", second, "Browser/1.0", "198.51.100.0/24"),
        ("logged_in", first, "Browser/1.0", "203.0.113.0/24"),
        ("email_verified", first, "", ""),
    ];
    assert_eq!(answer.login_events.len(), happened.len());
    let kept = answer.login_events.iter().zip(happened).map(|(event, (incident, at, agent, network))| {
        json!({
            "id": event.id,
            "incident": incident,
            "occurred": at.to_rfc3339(),
            "userAgent": agent,
            "network": network,
        })
    });
    kept.collect()
}

#[tokio::test]
async fn an_export_holds_everything_that_is_kept() {
    for shop in shops().await {
        let first = shop.clock.now();
        let (user, account) = ada(&shop).await;
        let addresses = addresses(&shop, &user).await;
        let wishlist = wishlist(&shop, &user).await;
        let sessions = sessions(&shop, &user, account["email"].as_str().unwrap(), first).await;
        let login_events = login_events(&shop, &user, first, shop.clock.now()).await;

        let document = export(&shop, &user).await;

        let kept = json!({
            "account": account,
            "sessions": sessions,
            "loginEvents": login_events,
            "addresses": addresses,
            "wishlist": wishlist,
        });
        assert_eq!(document, kept);
    }
}

#[tokio::test]
async fn an_export_says_what_somebody_may_do_and_nothing_of_anybody_else_or_of_passwords() {
    for shop in shops().await {
        let (customer, _) = shop.customer().await;
        addresses(&shop, &customer).await;
        wishlist(&shop, &customer).await;
        let (clerk, account) = shop.staff(Role::Staff, &["orders.read", "stock.read"]).await;
        shop.guest().log_in(logging_in(&email(), PASSWORD)).await.unwrap_err();

        let document = export(&shop, &clerk).await;

        assert_eq!(document["account"]["email"], account.email);
        assert_eq!(document["account"]["role"], "staff");
        assert_eq!(document["account"]["permissions"], json!(["orders.read", "stock.read"]));
        assert_eq!(document["loginEvents"].as_array().unwrap().len(), 1);
        assert_eq!((&document["addresses"], &document["wishlist"]), (&json!([]), &json!([])));
        assert!(!document.to_string().contains("argon2"));
    }
}
