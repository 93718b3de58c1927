//! Sessions and keys on the wire.

use kit::parse::Fields;
use kit::{PageLimits, time};
use mesh::Caller;
use mesh::status::Problem;
use proto::identity as pb;
use secrecy::ExposeSecret;
use tonic::Status;

use super::{PAGE, account, guest_key, page, parse};
use crate::app::{Identity, Tokens};
use crate::domain::key::Key;
use crate::domain::session::{Session, SessionId};
use crate::domain::token::TokenHash;

const KEYS: PageLimits = PageLimits { default: 10, max: 10 };

pub async fn log_in(
    identity: &Identity,
    _: Caller,
    message: pb::LogInRequest,
) -> Result<pb::LogInResponse, Status> {
    let mut fields = Fields::new();
    let email = fields.parsed("email", &message.email);
    let password = parse::present(&mut fields, "password", message.password);
    let client = parse::client(&mut fields, message.client.as_ref());
    let read = fields.build(|| Some((email?, password?, client?)));
    let (email, password, client) = read.map_err(Problem::invalid)?;
    let (tokens, account) = identity.log_in(&email, password, client).await?;
    Ok(pb::LogInResponse { tokens: Some(shown_tokens(&tokens)), account: Some(account::shown(account)) })
}

pub async fn refresh_session(
    identity: &Identity,
    _: Caller,
    message: pb::RefreshSessionRequest,
) -> Result<pb::RefreshSessionResponse, Status> {
    let token = parse::token("refresh_token", &message.refresh_token)?;
    let mut fields = Fields::new();
    let client = parse::client(&mut fields, message.client.as_ref());
    let client = fields.build(|| client).map_err(Problem::invalid)?;
    let (tokens, account) = identity.refresh(TokenHash::of(&token), client).await?;
    Ok(pb::RefreshSessionResponse {
        tokens: Some(shown_tokens(&tokens)),
        account: Some(account::shown(account)),
    })
}

pub async fn log_out(
    identity: &Identity,
    _: Caller,
    message: pb::LogOutRequest,
) -> Result<pb::LogOutResponse, Status> {
    let token = parse::token("refresh_token", &message.refresh_token)?;
    let key = guest_key(&identity.name_of("refresh token", &token), "LogOut", &message.request_id, &message)?;
    identity.log_out(&key, &TokenHash::of(&token)).await?;
    Ok(pb::LogOutResponse {})
}

pub async fn list_sessions(
    identity: &Identity,
    caller: Caller,
    message: pb::ListSessionsRequest,
) -> Result<pb::ListSessionsResponse, Status> {
    let arguments = pb::ListSessionsRequest::default();
    let page = page(message.page_size, &message.page_token, &arguments, PAGE)?;
    let (listed, current) = identity.sessions(&caller, &page).await?;
    let listed = listed.map(|session| shown(session, current));
    Ok(pb::ListSessionsResponse { sessions: listed.items, next_page_token: listed.next_page_token })
}

pub async fn revoke_session(
    identity: &Identity,
    caller: Caller,
    message: pb::RevokeSessionRequest,
) -> Result<pb::RevokeSessionResponse, Status> {
    let key = caller.key("RevokeSession", &message.request_id, &message)?;
    let session: SessionId = parse::id("session_id", &message.session_id)?;
    identity.revoke(&caller, &key, session).await?;
    Ok(pb::RevokeSessionResponse {})
}

pub async fn list_signing_keys(
    identity: &Identity,
    _: Caller,
    message: pb::ListSigningKeysRequest,
) -> Result<pb::ListSigningKeysResponse, Status> {
    let arguments = pb::ListSigningKeysRequest::default();
    let page = page(message.page_size, &message.page_token, &arguments, KEYS)?;
    let listed = identity.signing_keys(&page).await?.map(shown_key);
    Ok(pb::ListSigningKeysResponse { keys: listed.items, next_page_token: listed.next_page_token })
}

fn shown_tokens(tokens: &Tokens) -> pb::Tokens {
    pb::Tokens {
        access_token: tokens.access.expose_secret().to_owned(),
        access_expire_time: Some(time::to_proto(tokens.access_expires)),
        refresh_token: tokens.refresh.expose_secret().to_owned(),
        refresh_expire_time: Some(time::to_proto(tokens.refresh_expires)),
    }
}

fn shown(session: Session, current: SessionId) -> pb::Session {
    pb::Session {
        id: session.id.to_string(),
        create_time: Some(time::to_proto(session.created)),
        refresh_time: Some(time::to_proto(session.refreshed)),
        expire_time: Some(time::to_proto(session.expires)),
        user_agent: session.client.user_agent,
        current: session.id == current,
    }
}

fn shown_key(key: Key) -> pb::SigningKey {
    pb::SigningKey { key_id: key.id, public_key: key.public, not_after: Some(time::to_proto(key.not_after)) }
}
