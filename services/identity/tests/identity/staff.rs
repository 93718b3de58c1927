//! Roles, and who gives them.

use kit::Clock;
use mesh::Role;
use proto::identity as pb;
use proto::identity::Permission;
use secrecy::SecretString;
use tonic::Code;

use crate::support::{PASSWORD, email, fields, reason, request_id, shops};

fn giving(account: &pb::Account, role: pb::Role, permissions: &[Permission]) -> pb::SetAccountRoleRequest {
    pb::SetAccountRoleRequest {
        account_id: account.id.clone(),
        role: role.into(),
        permissions: permissions.iter().map(|one| i32::from(*one)).collect(),
        request_id: request_id(),
    }
}

fn hiring(permissions: &[Permission]) -> pb::CreateStaffAccountRequest {
    pb::CreateStaffAccountRequest {
        email: email(),
        password: PASSWORD.into(),
        given_name: "Grace".into(),
        family_name: "Hopper".into(),
        role: pb::Role::Staff.into(),
        permissions: permissions.iter().map(|one| i32::from(*one)).collect(),
        request_id: request_id(),
    }
}

#[tokio::test]
async fn staff_is_hired_with_what_the_giver_holds() {
    for shop in shops().await {
        let (lead, _) = shop.staff(Role::Staff, &["accounts.write", "accounts.read", "orders.read"]).await;
        let hire = hiring(&[Permission::OrdersRead]);

        let hired = shop.as_user(&lead).create_staff_account(hire.clone()).await.unwrap().into_inner();
        let again = shop.as_user(&lead).create_staff_account(hire.clone()).await.unwrap().into_inner();

        assert_eq!(hired, again);
        let account = hired.account.unwrap();
        assert_eq!((account.role(), account.email_verified), (pb::Role::Staff, true));
        let (user, _) = shop.logged_in(&hire.email, PASSWORD).await;
        assert_eq!((user.role, user.permissions), (Role::Staff, vec!["orders.read".to_owned()]));
        let taken = pb::CreateStaffAccountRequest { email: hire.email, ..hiring(&[]) };
        let refused = shop.as_user(&lead).create_staff_account(taken).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "EMAIL_TAKEN"));
        let more =
            shop.as_user(&lead).create_staff_account(hiring(&[Permission::OrdersRefund])).await.unwrap_err();
        assert_eq!((more.code(), reason(&more).as_str()), (Code::PermissionDenied, "PERMISSION_NOT_HELD"));
        let admin = pb::CreateStaffAccountRequest { role: pb::Role::Admin.into(), ..hiring(&[]) };
        let refused = shop.as_user(&lead).create_staff_account(admin).await.unwrap_err();
        assert_eq!(reason(&refused), "PERMISSION_NOT_HELD");
        let customer = pb::CreateStaffAccountRequest { role: pb::Role::Customer.into(), ..hiring(&[]) };
        let refused = shop.as_user(&lead).create_staff_account(customer).await.unwrap_err();
        assert_eq!(fields(&refused), ["role"]);
        assert_eq!(shop.news(&account.id).await, ["account.registered"]);
    }
}

#[tokio::test]
async fn a_role_is_given_and_taken_by_who_holds_as_much() {
    for shop in shops().await {
        let (admin, admins) = shop.staff(Role::Admin, &[]).await;
        let (lead, leads) = shop.staff(Role::Staff, &["accounts.write", "orders.read"]).await;
        let (_, account) = shop.customer().await;
        let (as_lead, as_admin) = (shop.as_user(&lead), shop.as_user(&admin));

        let give = giving(&account, pb::Role::Staff, &[Permission::OrdersRead, Permission::OrdersRefund]);
        let refused = as_lead.clone().set_account_role(give.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "PERMISSION_NOT_HELD");
        let given =
            as_admin.clone().set_account_role(give.clone()).await.unwrap().into_inner().account.unwrap();
        assert_eq!(
            given.permissions().collect::<Vec<_>>(),
            [Permission::OrdersRead, Permission::OrdersRefund]
        );
        assert_eq!(
            as_admin.clone().set_account_role(give).await.unwrap().into_inner().account.unwrap(),
            given
        );
        // What one does not hold one cannot take away either.
        let refused =
            as_lead.clone().set_account_role(giving(&account, pb::Role::Customer, &[])).await.unwrap_err();
        assert_eq!(reason(&refused), "PERMISSION_NOT_HELD");
        let refused =
            as_lead.clone().set_account_role(giving(&admins, pb::Role::Customer, &[])).await.unwrap_err();
        assert_eq!(reason(&refused), "PERMISSION_NOT_HELD");
        let listed = giving(&account, pb::Role::Admin, &[Permission::OrdersRead]);
        let refused = as_admin.clone().set_account_role(listed).await.unwrap_err();
        assert_eq!(fields(&refused), ["permissions"]);
        // A token that still says so does not help once the right is gone.
        as_admin.clone().set_account_role(giving(&leads, pb::Role::Staff, &[])).await.unwrap();
        let refused =
            as_lead.clone().set_account_role(giving(&leads, pb::Role::Staff, &[])).await.unwrap_err();
        assert_eq!(reason(&refused), "PERMISSION_NOT_HELD");

        assert_eq!(shop.news(&account.id).await, ["account.registered", "account.role_changed"]);
        let unknown = pb::Account { id: uuid::Uuid::now_v7().to_string(), ..Default::default() };
        let refused =
            as_admin.clone().set_account_role(giving(&unknown, pb::Role::Customer, &[])).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ACCOUNT_NOT_FOUND"));
    }
}

#[tokio::test]
async fn the_last_admin_stays() {
    for shop in shops().await {
        let (admin, account) = shop.staff(Role::Admin, &[]).await;

        let step_down = giving(&account, pb::Role::Staff, &[]);
        let refused = shop.as_user(&admin).set_account_role(step_down).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "LAST_ADMIN"));
        let erase = pb::EraseAccountRequest { password: PASSWORD.into(), request_id: request_id() };
        let refused = shop.as_user(&admin).erase_account(erase.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "LAST_ADMIN");
        let own =
            shop.as_user(&admin).get_account(pb::GetAccountRequest::default()).await.unwrap().into_inner();
        assert_eq!(own.account.unwrap().role(), pb::Role::Admin);

        shop.staff(Role::Admin, &[]).await;
        shop.as_user(&admin).erase_account(erase).await.unwrap();
    }
}

#[tokio::test]
async fn of_admins_who_leave_at_the_same_time_one_stays() {
    for shop in shops().await {
        let mut admins = Vec::new();
        for _ in 0..6 {
            admins.push(shop.staff(Role::Admin, &[]).await);
        }

        let leaving = admins.iter().enumerate().map(|(place, (user, account))| {
            let mut client = shop.as_user(user);
            let step_down = giving(account, pb::Role::Customer, &[]);
            let erase = pb::EraseAccountRequest { password: PASSWORD.into(), request_id: request_id() };
            async move {
                match place % 2 {
                    0 => client.set_account_role(step_down).await.map(drop),
                    _ => client.erase_account(erase).await.map(drop),
                }
            }
        });
        let answers = futures::future::join_all(leaving).await;

        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).map(reason).collect();
        assert_eq!(refused, ["LAST_ADMIN"]);
    }
}

#[tokio::test]
async fn staff_finds_accounts() {
    for shop in shops().await {
        let (reader, staff) = shop.staff(Role::Staff, &["accounts.read"]).await;
        let mut ids = vec![staff.id.clone()];
        for _ in 0..4 {
            ids.insert(0, shop.customer().await.1.id);
        }
        let mut client = shop.as_user(&reader);

        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let request = pb::ListAccountsRequest { page_size: 2, page_token: token, role: 0 };
            let page = client.list_accounts(request).await.unwrap().into_inner();
            seen.extend(page.accounts.into_iter().map(|account| account.id));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            let changed = pb::ListAccountsRequest {
                page_size: 2,
                page_token: token.clone(),
                role: pb::Role::Staff.into(),
            };
            assert_eq!(reason(&client.list_accounts(changed).await.unwrap_err()), "PAGE_TOKEN_INVALID");
        }
        assert_eq!(seen, ids);

        let of_role = pb::ListAccountsRequest { role: pb::Role::Staff.into(), ..Default::default() };
        let of_role = client.list_accounts(of_role).await.unwrap().into_inner().accounts;
        assert_eq!(of_role.into_iter().map(|account| account.id).collect::<Vec<_>>(), [staff.id]);
        let unknown = uuid::Uuid::now_v7().to_string();
        let request = pb::BatchGetAccountsRequest {
            account_ids: vec![ids[2].clone(), unknown.clone(), ids[0].clone()],
        };
        let batch = client.batch_get_accounts(request).await.unwrap().into_inner();
        let found: Vec<_> = batch.accounts.into_iter().map(|account| account.id).collect();
        assert_eq!((found, batch.missing), (vec![ids[2].clone(), ids[0].clone()], vec![unknown]));
        let get = pb::GetAccountRequest { account_id: ids[0].clone() };
        assert_eq!(client.get_account(get).await.unwrap().into_inner().account.unwrap().id, ids[0]);
        let many = |count| pb::BatchGetAccountsRequest {
            account_ids: (0..count).map(|_| uuid::Uuid::now_v7().to_string()).collect(),
        };
        let answer = client.batch_get_accounts(many(1_500)).await.unwrap().into_inner();
        assert_eq!(answer.missing.len(), 1_500);
        assert_eq!(fields(&client.batch_get_accounts(many(1_501)).await.unwrap_err()), ["account_ids"]);
    }
}

#[tokio::test]
async fn a_command_makes_the_first_admin_once() {
    for shop in shops().await {
        let (clock, address) = (Clock::system(), email());
        let create = |password: &str| {
            let password = SecretString::from(password.to_owned());
            identity::create_admin(&shop.database, &clock, &address, password)
        };

        let weak = create("password123").await.unwrap_err();
        assert!(matches!(weak, identity::CreateError::Invalid { field: "password", .. }), "{weak}");
        let id = create(PASSWORD).await.unwrap();
        let taken = create(PASSWORD).await.unwrap_err();
        assert!(matches!(taken, identity::CreateError::EmailTaken));

        let (user, account) = shop.logged_in(&address, PASSWORD).await;
        assert_eq!((user.role, user.account, account.email_verified), (Role::Admin, id, true));
    }
}
