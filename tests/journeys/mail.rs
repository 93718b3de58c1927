//! What the shop writes to people, as the page of development shows it.

use serde_json::{Value, json};

use crate::acts::{self, ORDER, goods, seen};
use crate::after::{CANCEL, REFUND, SHIP, money};
use crate::harness::{Shop, text};
use crate::inbox::one;

#[tokio::test]
async fn an_order_is_confirmed_by_a_mail_with_its_lines_and_totals() {
    let shop = Shop::shared();
    let goods = goods(&shop.staff().await, "10.00", 5).await;
    let guest = shop.guest();

    let order = acts::bought(&guest, &goods, 2).await;

    let number = text(&guest.look(acts::ORDER, acts::seen(&order)).await["number"]);
    let mail = one(&shop, "buyer@example.com", &format!("Your order {number}")).await;
    assert!(mail.contains("2 x ") && mail.contains("20.00 GBP"), "{mail}");
    assert!(mail.contains(" UTC"), "dates say their zone: {mail}");
    assert!(mail.contains("Grace Hopper") && mail.contains("1 Harbour Street"), "{mail}");
    let token = order.token.unwrap();
    assert!(mail.contains(&format!("#token={token}")), "a guest has no account to see the order in: {mail}");
}

#[tokio::test]
async fn a_parcel_a_refund_and_an_order_that_was_cancelled_are_told_by_mail() {
    let shop = Shop::shared();
    let (staff, guest) = (shop.staff().await, shop.guest());
    let goods = goods(&staff, "10.00", 9).await;
    let (sent, cancelled) = (acts::bought(&guest, &goods, 2).await, acts::bought(&guest, &goods, 1).await);
    let mut numbers = Vec::new();
    for order in [&sent, &cancelled] {
        numbers.push(text(&acts::paid(&guest, order).await["number"]));
    }
    let mail = async |subject: String| one(&shop, "buyer@example.com", &subject).await;
    let refund = |amount: &str| json!({ "id": sent.id, "amount": money(amount) });

    staff.done(SHIP, json!({ "id": sent.id, "lines": [] })).await;
    let shipped = mail(format!("Order {} is on its way", numbers[0])).await;
    staff.done(REFUND, refund("5.00")).await;
    let first = mail(format!("A refund for order {}", numbers[0])).await;
    guest.done(CANCEL, seen(&cancelled)).await;
    let given_up = mail(format!("Order {} is cancelled", numbers[1])).await;
    let all_of_it = mail(format!("A refund for order {}", numbers[1])).await;

    assert!(shipped.contains("Gull Post") && shipped.contains("G1"), "{shipped}");
    assert!(first.contains("5.00 GBP") && !first.contains("Together with"), "{first}");
    assert!(given_up.contains(&numbers[1]), "{given_up}");
    let paid = guest.look(ORDER, seen(&cancelled)).await["paidAmount"]["amount"].take();
    assert!(all_of_it.contains(&format!("{} GBP", text(&paid))), "{all_of_it}");
}

#[tokio::test]
async fn a_mail_is_shown_where_its_markup_can_do_nothing() {
    let shop = Shop::shared();
    let email = format!("{}@example.com", uuid::Uuid::new_v4().simple());
    let register = "mutation($email: String!, $password: String!, $key: ID!) {
        answer: customerRegister(email: $email, password: $password, givenName: \"<img src=x>\", familyName: \"\",
            idempotencyKey: $key) { userErrors { code } } }";
    let person = json!({ "email": email, "password": crate::harness::PASSWORD });
    shop.guest().done(register, person).await;

    let mail = one(&shop, &email, "Confirm your address").await;

    assert!(!mail.contains("<img"), "{mail}");
    let (_, frame) = mail.split_once("src=\"").unwrap();
    let path = frame.split('"').next().unwrap();
    let answer = shop.guest().http.get(format!("{}{path}", shop.edge)).send().await.unwrap();
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    assert!(!policy.contains("allow-scripts"), "{policy}");
    assert!(answer.text().await.unwrap().contains("/account/verify#token="));
    for path in ["/dev/mail/..%2fsealing.key", "/dev/mail/018f0000-0000-7000-8000-000000000000"] {
        let answer = shop.guest().http.get(format!("{}{path}", shop.edge)).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}");
    }
}

#[tokio::test]
async fn staff_see_what_mails_look_like() {
    let shop = Shop::shared();
    let query = "{ answer: mailTemplates(first: 100) { nodes { name description } } }";
    let templates = shop.staff().await.look(query, json!({})).await["nodes"].take();

    let names: Vec<&str> =
        templates.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 9);
    for name in names {
        let query = "query($name: String!) { answer: mailPreview(template: $name) { subject text html } }";
        let mail = shop.staff().await.look(query, json!({ "name": name })).await;
        assert!(text(&mail["html"]).contains("</html>") && text(&mail["text"]).contains("Ada"), "{name}");
    }
    let query = "{ answer: mailPreview(template: \"love-letter\") { subject } }";
    assert_eq!(shop.staff().await.look(query, json!({})).await, Value::Null);
}
