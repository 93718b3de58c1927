//! Changes of accounts.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use proto::identity as pb;

use crate::context::{self, own_request_id, signed_in, viewer};
use crate::error::{Fault, Problem, Refusal, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::account::Customer;
use crate::schema::choice::{Permission, Role, wire_name};
use crate::schema::money::{CountryCode, CurrencyCode};
use crate::schema::user_error::{CustomerErrorCode, UserError, Warning, user_errors};

const SERVICE: &str = "identity";
type Errors = Vec<UserError<CustomerErrorCode>>;

/// What became of a change of an account.
#[derive(SimpleObject, Default)]
pub(crate) struct CustomerPayload {
    /// The account after the change, where the change answers one.
    customer: Option<Customer>,
    /// Why nothing changed; empty when it was done.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

impl CustomerPayload {
    /// An effect that has nothing to show.
    pub(crate) fn done<T>(answer: Result<T, Vec<Refusal>>) -> Result<Self, Fault> {
        let refusals = answer.err().unwrap_or_default();
        Ok(Self { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
    }

    fn changed(ctx: &Context<'_>, answer: Result<Option<pb::Account>, Vec<Refusal>>) -> Result<Self, Fault> {
        let wire = match answer {
            Ok(wire) => wire.ok_or_else(|| Fault::incomplete(SERVICE))?,
            Err(refusals) => return Self::done(Err::<(), _>(refusals)),
        };
        let own = viewer(ctx).user.as_ref().is_some_and(|user| user.account.to_string() == wire.id);
        Ok(Self { customer: Some(Customer { wire, own }), ..Default::default() })
    }
}

/// Everything kept about an account.
#[derive(SimpleObject, Default)]
pub(crate) struct CustomerDataExportPayload {
    /// A JSON document.
    document: Option<String>,
    /// Why there is none.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

/// What changes on an account. Absent fields stay as they are.
#[derive(InputObject)]
pub(crate) struct CustomerInput {
    /// Given name.
    given_name: Option<String>,
    /// Family name.
    family_name: Option<String>,
    /// BCP 47: "en-GB".
    language: Option<String>,
    /// The currency to see prices in.
    currency_code: Option<CurrencyCode>,
    /// Where they are.
    country_code: Option<CountryCode>,
    /// May the shop send mail that nobody ordered?
    marketing_mail: Option<bool>,
}

impl CustomerInput {
    fn to_wire(&self) -> (pb::Account, prost_types::FieldMask) {
        let given = [
            ("given_name", self.given_name.is_some()),
            ("family_name", self.family_name.is_some()),
            ("preferences.language", self.language.is_some()),
            ("preferences.currency_code", self.currency_code.is_some()),
            ("preferences.country_code", self.country_code.is_some()),
            ("preferences.marketing_mail", self.marketing_mail.is_some()),
        ];
        let paths = given.iter().filter(|(_, given)| *given).map(|(path, _)| (*path).to_owned());
        let preferences = pb::Preferences {
            language: self.language.clone().unwrap_or_default(),
            currency_code: self.currency_code.as_ref().map_or(String::new(), |code| code.0.clone()),
            country_code: self.country_code.as_ref().map_or(String::new(), |code| code.0.clone()),
            marketing_mail: self.marketing_mail.unwrap_or(false),
        };
        let account = pb::Account {
            given_name: self.given_name.clone().unwrap_or_default(),
            family_name: self.family_name.clone().unwrap_or_default(),
            preferences: Some(preferences),
            ..Default::default()
        };
        let mask = prost_types::FieldMask { paths: paths.collect() };
        (account, mask)
    }
}

#[derive(Default)]
pub(crate) struct AccountMutation;

/// Changes of accounts.
// The arguments are the schema's.
#[allow(clippy::too_many_arguments)]
#[Object]
impl AccountMutation {
    /// Changes name and preferences.
    async fn customer_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: CustomerInput,
        #[graphql(desc = "Only if the account is still in this state.")] etag: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let (account, mask) = input.to_wire();
            let request = pb::UpdateAccountRequest {
                account: Some(account),
                update_mask: Some(mask),
                etag: etag.unwrap_or_default(),
                request_id: own_request_id(ctx, &idempotency_key, "UpdateAccount")?,
            };
            let answer = settled(SERVICE, context::identity(ctx).update_account(request).await)?;
            CustomerPayload::changed(ctx, answer.map(|answer| answer.account))
        };
        Some(change.await)
    }

    /// Sets a new password and ends every other session.
    async fn customer_password_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The present password.", secret)] present_password: String,
        #[graphql(desc = "10 to 128 characters.", secret)] new_password: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::ChangePasswordRequest {
                present_password,
                new_password,
                request_id: own_request_id(ctx, &idempotency_key, "ChangePassword")?,
            };
            CustomerPayload::done(settled(SERVICE, context::identity(ctx).change_password(request).await)?)
        };
        Some(change.await)
    }

    /// Ends one session.
    async fn customer_session_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session.")] session_id: ID,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::RevokeSessionRequest {
                session_id: ids::decode(Kind::Session, &session_id)?,
                request_id: own_request_id(ctx, &idempotency_key, "RevokeSession")?,
            };
            CustomerPayload::done(settled(SERVICE, context::identity(ctx).revoke_session(request).await)?)
        };
        Some(change.await)
    }

    /// Everything kept about the signed-in account, as one JSON document. It changes nothing, but it is no query: a page
    /// must not ask for it by the way.
    async fn customer_data_export(&self, ctx: &Context<'_>) -> Part<CustomerDataExportPayload> {
        let change = async {
            signed_in(ctx)?;
            let request = pb::ExportAccountRequest {};
            match settled(SERVICE, context::identity(ctx).export_account(request).await)? {
                Ok(answer) => Ok(CustomerDataExportPayload {
                    document: Some(
                        String::from_utf8(answer.document).map_err(|_| Fault::incomplete(SERVICE))?,
                    ),
                    ..Default::default()
                }),
                Err(refusals) => Ok(CustomerDataExportPayload {
                    user_errors: user_errors(SERVICE, refusals)?,
                    ..Default::default()
                }),
            }
        };
        Some(change.await)
    }

    /// Erases the signed-in account for ever.
    async fn customer_erase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password, to be sure.", secret)] password: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::EraseAccountRequest {
                password,
                request_id: own_request_id(ctx, &idempotency_key, "EraseAccount")?,
            };
            CustomerPayload::done(settled(SERVICE, context::identity(ctx).erase_account(request).await)?)
        };
        Some(change.await)
    }

    /// Staff: opens an account with a role and permissions, already verified.
    async fn staff_account_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where mail goes.", secret)] email: String,
        #[graphql(desc = "10 to 128 characters.", secret)] password: String,
        #[graphql(desc = "Given name.", default)] given_name: String,
        #[graphql(desc = "Family name.", default)] family_name: String,
        #[graphql(desc = "What it is.")] role: Role,
        #[graphql(desc = "What it may do.", default)] permissions: Vec<Permission>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::CreateStaffAccountRequest {
                email,
                password,
                given_name,
                family_name,
                role: role_of(role)?,
                permissions: permissions_of(&permissions)?,
                request_id: own_request_id(ctx, &idempotency_key, "CreateStaffAccount")?,
            };
            let answer = context::identity(ctx).create_staff_account(request).await;
            let answer = settled(SERVICE, answer)?;
            CustomerPayload::changed(ctx, answer.map(|answer| answer.account))
        };
        Some(change.await)
    }

    /// Staff: sets role and permissions of an account.
    async fn account_role_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account.")] id: ID,
        #[graphql(desc = "What it is.")] role: Role,
        #[graphql(desc = "What it may do.", default)] permissions: Vec<Permission>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::SetAccountRoleRequest {
                account_id: ids::decode(Kind::Customer, &id)?,
                role: role_of(role)?,
                permissions: permissions_of(&permissions)?,
                request_id: own_request_id(ctx, &idempotency_key, "SetAccountRole")?,
            };
            let answer = settled(SERVICE, context::identity(ctx).set_account_role(request).await)?;
            CustomerPayload::changed(ctx, answer.map(|answer| answer.account))
        };
        Some(change.await)
    }
}

fn role_of(role: Role) -> Result<i32, Fault> {
    let wire = pb::Role::from_str_name(&wire_name("ROLE_", role));
    wire.map(Into::into).ok_or_else(|| Fault::of(Problem::BadRequest, "There is no such role."))
}

fn permissions_of(permissions: &[Permission]) -> Result<Vec<i32>, Fault> {
    let convert = |permission: &Permission| {
        let wire = pb::Permission::from_str_name(&wire_name("PERMISSION_", *permission));
        let number = wire.map(Into::into);
        number.ok_or_else(|| Fault::of(Problem::BadRequest, "There is no such permission."))
    };
    permissions.iter().map(convert).collect()
}
