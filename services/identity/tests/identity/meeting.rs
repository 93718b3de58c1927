//! Two requests about one account at the same moment, on the store where that is possible.

use audit::meeting;
use proto::identity as pb;

use crate::support::{PASSWORD, registering, request_id, shops_with_many_writers};

/// Keeps a row from everybody.
fn locking(table: &str, column: &str, id: &str) -> String {
    format!("SELECT 1 FROM {table} WHERE {column} = '{id}' FOR UPDATE")
}

fn erasing() -> pb::EraseAccountRequest {
    pb::EraseAccountRequest { password: PASSWORD.into(), request_id: request_id() }
}

#[tokio::test]
async fn nobody_is_written_to_after_the_account_is_erased() {
    for shop in shops_with_many_writers().await {
        let (user, account) = shop.customer().await;
        let (mut client, mut guest) = (shop.as_user(&user), shop.guest());
        let again = registering(&account.email);
        let row = locking("accounts", "id", &account.id);

        let erase = async move { client.erase_account(erasing()).await };
        let register = async move { guest.register(again).await };
        let (erased, registered) = meeting(&shop.database, &row, erase, register).await;

        erased.unwrap();
        assert!(registered.is_err(), "it may come again, and opens an account of its own then");
        assert_eq!(shop.news(&account.id).await, ["account.registered", "account.erased"]);
        let links = kit::query(shop.database.read(), "SELECT 1 FROM links", []).await.unwrap();
        assert!(links.is_empty());
    }
}
