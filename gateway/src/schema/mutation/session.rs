//! Signing in and out, and the way to it.

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::identity as pb;

use crate::context::{self, viewer};
use crate::cookies;
use crate::error::{Fault, Problem, Refusal, settled};
use crate::schema::Part;
use crate::schema::account::Customer;
use crate::schema::look::Look;
use crate::schema::mutation::account::CustomerPayload;
use crate::schema::time;
use crate::schema::user_error::{CustomerErrorCode, UserError, Warning, user_errors};

const SERVICE: &str = "identity";

/// A session that was opened or refreshed.
#[derive(SimpleObject, Default)]
pub(crate) struct SessionPayload {
    /// The account that is signed in now; null when it did not work.
    customer: Option<Customer>,
    /// For clients that hold their tokens themselves. Select it and no cookies are set; leave it out and browsers keep
    /// both tokens where no script can read them.
    tokens: Option<SessionTokens>,
    /// Why it did not work.
    user_errors: Vec<UserError<CustomerErrorCode>>,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

/// What a client needs to act for an account.
#[derive(SimpleObject)]
pub(crate) struct SessionTokens {
    /// To be sent as `authorization: Bearer …`.
    access_token: String,
    /// Until when it is good.
    access_expires_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Good for one `customerRefresh`.
    refresh_token: String,
    /// Until when it is good.
    refresh_expires_at: Option<chrono::DateTime<chrono::Utc>>,
}

#[derive(Default)]
pub(crate) struct SessionMutation;

/// Signing in and out, and the way to it.
#[Object]
impl SessionMutation {
    /// Opens an account and mails a link to verify the address. The answer is the same when there is one already.
    async fn customer_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where mail goes.", secret)] email: String,
        #[graphql(desc = "10 to 128 characters.", secret)] password: String,
        #[graphql(desc = "Given name.", default)] given_name: String,
        #[graphql(desc = "Family name.", default)] family_name: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::RegisterRequest {
                email,
                password,
                given_name,
                family_name,
                preferences: None,
                request_id: viewer(ctx).principal().request_id(&idempotency_key, "Register")?,
                client: Some(client(ctx)),
            };
            CustomerPayload::done(settled(SERVICE, context::identity(ctx).register(request).await)?)
        };
        Some(change.await)
    }

    /// Mails a new link to verify an address. The answer never tells whether there is such an account.
    async fn customer_verification_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address.", secret)] email: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::RequestEmailVerificationRequest {
                email,
                request_id: viewer(ctx)
                    .principal()
                    .request_id(&idempotency_key, "RequestEmailVerification")?,
                client: Some(client(ctx)),
            };
            let answer = context::identity(ctx).request_email_verification(request).await;
            CustomerPayload::done(settled(SERVICE, answer)?)
        };
        Some(change.await)
    }

    /// Marks an address as verified by the token of the mailed link.
    async fn customer_verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the link.", secret)] token: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::VerifyEmailRequest {
                token,
                request_id: viewer(ctx).principal().request_id(&idempotency_key, "VerifyEmail")?,
            };
            CustomerPayload::done(settled(SERVICE, context::identity(ctx).verify_email(request).await)?)
        };
        Some(change.await)
    }

    /// Signs in. One answer for a wrong password and an unknown address.
    async fn customer_log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address.", secret)] email: String,
        #[graphql(desc = "The password.", secret)] password: String,
    ) -> Part<SessionPayload> {
        let change = async {
            let request = pb::LogInRequest { email, password, client: Some(client(ctx)) };
            let answer = settled(SERVICE, context::identity(ctx).log_in(request).await)?;
            session(ctx, answer.map(|answer| (answer.tokens, answer.account)))
        };
        Some(change.await)
    }

    /// Trades a refresh token for a new pair. Browsers send theirs to `/graphql/session` only: post this mutation there.
    async fn customer_refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token; browsers carry it in a cookie.", secret)] refresh_token: Option<
            String,
        >,
    ) -> Part<SessionPayload> {
        let change = async {
            let request = pb::RefreshSessionRequest {
                refresh_token: refresh_token_of(ctx, refresh_token)?,
                client: Some(client(ctx)),
            };
            let answer = settled(SERVICE, context::identity(ctx).refresh_session(request).await)?;
            if answer.is_err() {
                forget(ctx);
            }
            session(ctx, answer.map(|answer| (answer.tokens, answer.account)))
        };
        Some(change.await)
    }

    /// Ends the session. Browsers post this mutation to `/graphql/session`, where they send their refresh token.
    async fn customer_log_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token; browsers carry it in a cookie.", secret)] refresh_token: Option<
            String,
        >,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let viewer = viewer(ctx);
            let token = refresh_token.or_else(|| viewer.refresh.clone());
            forget(ctx);
            if let Some(refresh_token) = token {
                let request = pb::LogOutRequest {
                    refresh_token,
                    request_id: viewer.principal().request_id(&idempotency_key, "LogOut")?,
                };
                return CustomerPayload::done(settled(
                    SERVICE,
                    context::identity(ctx).log_out(request).await,
                )?);
            }
            // Without a refresh token the session that the access token names is ended.
            let user = context::signed_in(ctx)?;
            let request = pb::RevokeSessionRequest {
                session_id: user.session.to_string(),
                request_id: viewer.principal().request_id(&idempotency_key, "RevokeSession")?,
            };
            CustomerPayload::done(settled(SERVICE, context::identity(ctx).revoke_session(request).await)?)
        };
        Some(change.await)
    }

    /// Mails a link to set a new password. The answer never tells whether there is such an account.
    async fn customer_recover(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address.", secret)] email: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::RequestPasswordResetRequest {
                email,
                request_id: viewer(ctx).principal().request_id(&idempotency_key, "RequestPasswordReset")?,
                client: Some(client(ctx)),
            };
            let answer = context::identity(ctx).request_password_reset(request).await;
            CustomerPayload::done(settled(SERVICE, answer)?)
        };
        Some(change.await)
    }

    /// Sets a new password by the token of the mailed link, and ends every session.
    async fn customer_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the link.", secret)] token: String,
        #[graphql(desc = "10 to 128 characters.", secret)] new_password: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerPayload> {
        let change = async {
            let request = pb::ResetPasswordRequest {
                token,
                new_password,
                request_id: viewer(ctx).principal().request_id(&idempotency_key, "ResetPassword")?,
            };
            CustomerPayload::done(settled(SERVICE, context::identity(ctx).reset_password(request).await)?)
        };
        Some(change.await)
    }
}

fn client(ctx: &Context<'_>) -> pb::Client {
    let viewer = viewer(ctx);
    pb::Client { ip_address: viewer.address.clone(), user_agent: viewer.user_agent.clone() }
}

fn refresh_token_of(ctx: &Context<'_>, given: Option<String>) -> Result<String, Fault> {
    given.or_else(|| viewer(ctx).refresh.clone()).ok_or_else(|| {
        Fault::of(
            Problem::Unauthenticated,
            "No refresh token came: browsers send theirs to /graphql/session.",
        )
    })
}

/// Takes both tokens from the browser.
fn forget(ctx: &Context<'_>) {
    cookies::clear(ctx, cookies::Name::Access);
    cookies::clear(ctx, cookies::Name::Refresh);
}

type Opened = (Option<pb::Tokens>, Option<pb::Account>);

fn session(ctx: &Context<'_>, answer: Result<Opened, Vec<Refusal>>) -> Result<SessionPayload, Fault> {
    let (tokens, account) = match answer {
        Ok(opened) => opened,
        Err(refusals) => {
            return Ok(SessionPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() });
        }
    };
    let tokens = tokens.ok_or_else(|| Fault::incomplete(SERVICE))?;
    let wire = account.ok_or_else(|| Fault::incomplete(SERVICE))?;
    let held = Look::here(ctx).has("tokens");
    if !held {
        cookies::set_tokens(ctx, &tokens);
    }
    Ok(SessionPayload {
        // The request itself is still a guest's: lists of the account are for the next one.
        customer: Some(Customer { wire, own: false }),
        tokens: held.then(|| SessionTokens {
            access_expires_at: time(tokens.access_expire_time.as_ref()),
            refresh_expires_at: time(tokens.refresh_expire_time.as_ref()),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
        }),
        ..Default::default()
    })
}
