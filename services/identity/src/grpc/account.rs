//! Accounts on the wire.

use kit::parse::{BATCH_MAX, Fields};
use kit::time;
use mesh::Caller;
use mesh::status::Problem;
use proto::identity as pb;
use tonic::Status;

use super::{PAGE, guest_key, page, parse};
use crate::app::Identity;
use crate::app::accounts::Newcomer;
use crate::domain::rights::{Permission, Rights, Role};
use crate::domain::{Account, AccountId, Changes, Email, Incident, LoginEvent};

pub async fn register(
    identity: &Identity,
    _: Caller,
    message: pb::RegisterRequest,
) -> Result<pb::RegisterResponse, Status> {
    let password = identity.name_of("password", &message.password);
    // The same wish from another network is the same wish.
    let masked = pb::RegisterRequest { password, client: None, ..message.clone() };
    let mut fields = Fields::new();
    let email: Option<Email> = fields.parsed("email", &message.email);
    let name = parse::name(&mut fields, &message.given_name, &message.family_name);
    let preferences = parse::preferences(&mut fields, message.preferences.as_ref());
    let client = parse::client(&mut fields, message.client.as_ref());
    let read = fields.build(|| Some((email?, name?, preferences?, client?)));
    let (email, name, preferences, client) = read.map_err(Problem::invalid)?;
    let name_of = identity.name_of("email", email.as_str());
    let key = guest_key(&name_of, "Register", &message.request_id, &masked)?;
    let password = parse::chosen("password", message.password)?;
    identity.register(&key, Newcomer { email, password, name, preferences }, &client.network).await?;
    Ok(pb::RegisterResponse {})
}

pub async fn get_account(
    identity: &Identity,
    caller: Caller,
    message: pb::GetAccountRequest,
) -> Result<pb::GetAccountResponse, Status> {
    let account = parse::optional_id("account_id", &message.account_id)?;
    let account = identity.get(&caller, account).await?;
    Ok(pb::GetAccountResponse { account: Some(shown(account)) })
}

pub async fn batch_get_accounts(
    identity: &Identity,
    _: Caller,
    message: pb::BatchGetAccountsRequest,
) -> Result<pb::BatchGetAccountsResponse, Status> {
    let ids: Vec<AccountId> = parse::ids("account_ids", &message.account_ids, 0, BATCH_MAX)?;
    let mut found = identity.batch_get(&ids).await?;
    let mut answer = pb::BatchGetAccountsResponse::default();
    for id in ids {
        match found.remove(&id) {
            Some(account) => answer.accounts.push(shown(account)),
            None => answer.missing.push(id.to_string()),
        }
    }
    Ok(answer)
}

pub async fn list_accounts(
    identity: &Identity,
    _: Caller,
    message: pb::ListAccountsRequest,
) -> Result<pb::ListAccountsResponse, Status> {
    let mut fields = Fields::new();
    let role = match message.role {
        0 => Some(None),
        role => fields.choice("role", role).map(parse::role_of),
    };
    let role = fields.build(|| role).map_err(Problem::invalid)?;
    let arguments = pb::ListAccountsRequest { role: message.role, ..Default::default() };
    let page = page(message.page_size, &message.page_token, &arguments, PAGE)?;
    let listed = identity.list(role, &page).await?.map(shown);
    Ok(pb::ListAccountsResponse { accounts: listed.items, next_page_token: listed.next_page_token })
}

pub async fn update_account(
    identity: &Identity,
    caller: Caller,
    message: pb::UpdateAccountRequest,
) -> Result<pb::UpdateAccountResponse, Status> {
    let key = caller.key("UpdateAccount", &message.request_id, &message)?;
    let mut fields = Fields::new();
    let changes = changes(&mut fields, &message);
    let etag = fields.etag(&message.etag);
    let (changes, etag) = fields.build(|| Some((changes?, etag?))).map_err(Problem::invalid)?;
    let account = identity.update(&caller, &key, etag, &changes).await?;
    Ok(pb::UpdateAccountResponse { account: Some(shown(account)) })
}

pub async fn create_staff_account(
    identity: &Identity,
    caller: Caller,
    message: pb::CreateStaffAccountRequest,
) -> Result<pb::CreateStaffAccountResponse, Status> {
    let password = identity.name_of("password", &message.password);
    let masked = pb::CreateStaffAccountRequest { password, ..message.clone() };
    let key = caller.key("CreateStaffAccount", &message.request_id, &masked)?;
    let mut fields = Fields::new();
    let email = fields.parsed("email", &message.email);
    let name = parse::name(&mut fields, &message.given_name, &message.family_name);
    let preferences = parse::preferences(&mut fields, None);
    let rights = parse::rights(&mut fields, message.role, &message.permissions);
    if rights.as_ref().is_some_and(|rights| rights.role() == Role::Customer) {
        fields.refuse("role", "must be staff or admin");
    }
    let read = fields.build(|| Some((email?, name?, preferences?, rights?)));
    let (email, name, preferences, rights) = read.map_err(Problem::invalid)?;
    let password = parse::chosen("password", message.password)?;
    let newcomer = Newcomer { email, password, name, preferences };
    let account = identity.create_staff(&caller, &key, newcomer, rights).await?;
    Ok(pb::CreateStaffAccountResponse { account: Some(shown(account)) })
}

pub async fn set_account_role(
    identity: &Identity,
    caller: Caller,
    message: pb::SetAccountRoleRequest,
) -> Result<pb::SetAccountRoleResponse, Status> {
    let key = caller.key("SetAccountRole", &message.request_id, &message)?;
    let mut fields = Fields::new();
    let account = fields.id("account_id", &message.account_id);
    let rights = parse::rights(&mut fields, message.role, &message.permissions);
    let read: (AccountId, Rights) = fields.build(|| Some((account?, rights?))).map_err(Problem::invalid)?;
    let account = identity.set_rights(&caller, &key, read.0, &read.1).await?;
    Ok(pb::SetAccountRoleResponse { account: Some(shown(account)) })
}

pub async fn list_login_events(
    identity: &Identity,
    caller: Caller,
    message: pb::ListLoginEventsRequest,
) -> Result<pb::ListLoginEventsResponse, Status> {
    let account = parse::optional_id("account_id", &message.account_id)?;
    let arguments = pb::ListLoginEventsRequest { account_id: message.account_id, ..Default::default() };
    let page = page(message.page_size, &message.page_token, &arguments, PAGE)?;
    let listed = identity.login_events(&caller, account, &page).await?.map(shown_event);
    Ok(pb::ListLoginEventsResponse { login_events: listed.items, next_page_token: listed.next_page_token })
}

pub fn shown(account: Account) -> pb::Account {
    pb::Account {
        id: account.id.to_string(),
        email: account.email.as_str().to_owned(),
        email_verified: account.email_verified,
        role: match account.rights.role() {
            Role::Customer => pb::Role::Customer,
            Role::Staff => pb::Role::Staff,
            Role::Admin => pb::Role::Admin,
        }
        .into(),
        permissions: account.rights.permissions().filter_map(permission).collect(),
        given_name: account.name.given,
        family_name: account.name.family,
        preferences: Some(pb::Preferences {
            language: account.preferences.language,
            currency_code: account.preferences.currency.as_str().to_owned(),
            country_code: account.preferences.country,
            marketing_mail: account.preferences.marketing_mail,
        }),
        create_time: Some(time::to_proto(account.created)),
        update_time: Some(time::to_proto(account.updated)),
        etag: account.version.to_string(),
    }
}

fn permission(permission: Permission) -> Option<i32> {
    let name = format!("PERMISSION_{}", permission.as_str().to_uppercase().replace('.', "_"));
    pb::Permission::from_str_name(&name).map(i32::from)
}

fn shown_event(event: LoginEvent) -> pb::LoginEvent {
    pb::LoginEvent {
        id: event.id.to_string(),
        kind: match event.incident {
            Incident::LoggedIn => pb::LoginEventKind::LoggedIn,
            Incident::Refused => pb::LoginEventKind::Refused,
            Incident::Throttled => pb::LoginEventKind::Throttled,
            Incident::LoggedOut => pb::LoginEventKind::LoggedOut,
            Incident::SessionRevoked => pb::LoginEventKind::SessionRevoked,
            Incident::RefreshReused => pb::LoginEventKind::RefreshReused,
            Incident::PasswordChanged => pb::LoginEventKind::PasswordChanged,
            Incident::PasswordReset => pb::LoginEventKind::PasswordReset,
            Incident::EmailVerified => pb::LoginEventKind::EmailVerified,
            Incident::RoleChanged => pb::LoginEventKind::RoleChanged,
        }
        .into(),
        occur_time: Some(time::to_proto(event.occurred)),
        user_agent: event.client.user_agent,
        network: event.client.network.as_str().to_owned(),
    }
}

/// The fields that the mask names, read from the account that came with it.
fn changes(fields: &mut Fields, message: &pb::UpdateAccountRequest) -> Option<Changes> {
    let mask = fields.present("update_mask", message.update_mask.as_ref())?;
    fields.count("update_mask.paths", mask.paths.len(), 1..=20)?;
    let account = fields.present("account", message.account.as_ref())?;
    let theirs = account.preferences.clone().unwrap_or_default();
    let mut changes = Changes::default();
    for path in mask.paths.iter().flat_map(|path| parts(path)).copied() {
        fields.within("account", |fields| match path {
            "given_name" => changes.given_name = fields.text(path, &account.given_name, 0..=100),
            "family_name" => changes.family_name = fields.text(path, &account.family_name, 0..=100),
            "preferences.language" => changes.language = parse::language(fields, path, &theirs.language),
            "preferences.currency_code" => changes.currency = fields.currency(path, &theirs.currency_code),
            "preferences.country_code" => changes.country = fields.country(path, &theirs.country_code),
            "preferences.marketing_mail" => changes.marketing_mail = Some(theirs.marketing_mail),
            _ => {}
        });
        if path.is_empty() {
            fields.refuse("update_mask.paths", "names a field that cannot be changed");
        }
    }
    Some(changes)
}

/// The single fields behind a path of a mask; one empty for a path that means nothing here.
fn parts(path: &str) -> &'static [&'static str] {
    const PREFERENCES: [&str; 4] = [
        "preferences.language",
        "preferences.currency_code",
        "preferences.country_code",
        "preferences.marketing_mail",
    ];
    match path {
        "given_name" => &["given_name"],
        "family_name" => &["family_name"],
        "preferences" => &PREFERENCES,
        "preferences.language" => &["preferences.language"],
        "preferences.currency_code" => &["preferences.currency_code"],
        "preferences.country_code" => &["preferences.country_code"],
        "preferences.marketing_mail" => &["preferences.marketing_mail"],
        _ => &[""],
    }
}
