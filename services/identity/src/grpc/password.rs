//! Links and passwords on the wire. A request that carries a password is remembered by a keyed hash of it: a plain one
//! in the table of kept answers could be tried against lists of passwords.

use kit::parse::Fields;
use mesh::Caller;
use mesh::status::Problem;
use proto::identity as pb;
use tonic::Status;

use super::{guest_key, parse};
use crate::app::Identity;
use crate::domain::MailKind;
use crate::domain::token::TokenHash;

pub async fn verify_email(
    identity: &Identity,
    _: Caller,
    message: pb::VerifyEmailRequest,
) -> Result<pb::VerifyEmailResponse, Status> {
    let token = parse::token("token", &message.token)?;
    let key = guest_key(&identity.name_of("link", &token), "VerifyEmail", &message.request_id, &message)?;
    identity.verify_email(&key, &TokenHash::of(&token)).await?;
    Ok(pb::VerifyEmailResponse {})
}

pub async fn request_email_verification(
    identity: &Identity,
    _: Caller,
    message: pb::RequestEmailVerificationRequest,
) -> Result<pb::RequestEmailVerificationResponse, Status> {
    let email = parse::email(&message.email)?;
    let network = parse::network(message.client.as_ref())?;
    let name = identity.name_of("email", email.as_str());
    let masked = pb::RequestEmailVerificationRequest { client: None, ..message };
    let key = guest_key(&name, "RequestEmailVerification", &masked.request_id, &masked)?;
    identity.ask_for_mail(&key, MailKind::VerifyEmail, &email, &network).await?;
    Ok(pb::RequestEmailVerificationResponse {})
}

pub async fn request_password_reset(
    identity: &Identity,
    _: Caller,
    message: pb::RequestPasswordResetRequest,
) -> Result<pb::RequestPasswordResetResponse, Status> {
    let email = parse::email(&message.email)?;
    let network = parse::network(message.client.as_ref())?;
    let name = identity.name_of("email", email.as_str());
    let masked = pb::RequestPasswordResetRequest { client: None, ..message };
    let key = guest_key(&name, "RequestPasswordReset", &masked.request_id, &masked)?;
    identity.ask_for_mail(&key, MailKind::ResetPassword, &email, &network).await?;
    Ok(pb::RequestPasswordResetResponse {})
}

pub async fn reset_password(
    identity: &Identity,
    _: Caller,
    message: pb::ResetPasswordRequest,
) -> Result<pb::ResetPasswordResponse, Status> {
    let token = parse::token("token", &message.token)?;
    let new_password = identity.name_of("password", &message.new_password);
    let masked = pb::ResetPasswordRequest { new_password, ..message.clone() };
    let key = guest_key(&identity.name_of("link", &token), "ResetPassword", &message.request_id, &masked)?;
    let password = parse::chosen("new_password", message.new_password)?;
    identity.reset_password(&key, &TokenHash::of(&token), password).await?;
    Ok(pb::ResetPasswordResponse {})
}

pub async fn change_password(
    identity: &Identity,
    caller: Caller,
    message: pb::ChangePasswordRequest,
) -> Result<pb::ChangePasswordResponse, Status> {
    let masked = pb::ChangePasswordRequest {
        present_password: identity.name_of("password", &message.present_password),
        new_password: identity.name_of("password", &message.new_password),
        request_id: message.request_id.clone(),
    };
    let key = caller.key("ChangePassword", &message.request_id, &masked)?;
    let mut fields = Fields::new();
    let present = parse::present(&mut fields, "present_password", message.present_password);
    let present = fields.build(|| present).map_err(Problem::invalid)?;
    let new = parse::chosen("new_password", message.new_password)?;
    identity.change_password(&caller, &key, present, new).await?;
    Ok(pb::ChangePasswordResponse {})
}

pub async fn erase_account(
    identity: &Identity,
    caller: Caller,
    message: pb::EraseAccountRequest,
) -> Result<pb::EraseAccountResponse, Status> {
    let password = identity.name_of("password", &message.password);
    let masked = pb::EraseAccountRequest { password, ..message.clone() };
    let key = caller.key("EraseAccount", &message.request_id, &masked)?;
    let mut fields = Fields::new();
    let password = parse::present(&mut fields, "password", message.password);
    let password = fields.build(|| password).map_err(Problem::invalid)?;
    identity.erase(&caller, &key, password).await?;
    Ok(pb::EraseAccountResponse {})
}
