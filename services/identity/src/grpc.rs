//! The contract on one side, the domain on the other. Only here a request can be invalid.

mod account;
mod book;
mod parse;
mod password;
mod session;
mod status;

use std::future::Future;

use kit::{Page, PageLimits, RequestKey};
use mesh::Caller;
use mesh::status::Problem;
use proto::identity as pb;
use proto::identity::identity_service_server::{IdentityService, IdentityServiceServer};
use tonic::{Request, Response, Status};

use crate::app::Identity;

const PAGE: PageLimits = PageLimits { default: 20, max: 100 };

type Answer<T> = Result<Response<T>, Status>;

pub fn server(identity: Identity) -> IdentityServiceServer<impl IdentityService> {
    IdentityServiceServer::new(Grpc { identity })
}

struct Grpc {
    identity: Identity,
}

impl Grpc {
    /// Hands the message to one of the functions below, with who sent it.
    async fn answer<'a, M, T, F>(
        &'a self,
        request: Request<M>,
        method: impl FnOnce(&'a Identity, Caller, M) -> F,
    ) -> Answer<T>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let caller = Caller::of(&request);
        method(&self.identity, caller, request.into_inner()).await.map(Response::new)
    }
}

#[tonic::async_trait]
impl IdentityService for Grpc {
    async fn register(&self, request: Request<pb::RegisterRequest>) -> Answer<pb::RegisterResponse> {
        self.answer(request, account::register).await
    }

    async fn verify_email(
        &self,
        request: Request<pb::VerifyEmailRequest>,
    ) -> Answer<pb::VerifyEmailResponse> {
        self.answer(request, password::verify_email).await
    }

    async fn request_email_verification(
        &self,
        request: Request<pb::RequestEmailVerificationRequest>,
    ) -> Answer<pb::RequestEmailVerificationResponse> {
        self.answer(request, password::request_email_verification).await
    }

    async fn log_in(&self, request: Request<pb::LogInRequest>) -> Answer<pb::LogInResponse> {
        self.answer(request, session::log_in).await
    }

    async fn refresh_session(
        &self,
        request: Request<pb::RefreshSessionRequest>,
    ) -> Answer<pb::RefreshSessionResponse> {
        self.answer(request, session::refresh_session).await
    }

    async fn log_out(&self, request: Request<pb::LogOutRequest>) -> Answer<pb::LogOutResponse> {
        self.answer(request, session::log_out).await
    }

    async fn list_sessions(
        &self,
        request: Request<pb::ListSessionsRequest>,
    ) -> Answer<pb::ListSessionsResponse> {
        self.answer(request, session::list_sessions).await
    }

    async fn revoke_session(
        &self,
        request: Request<pb::RevokeSessionRequest>,
    ) -> Answer<pb::RevokeSessionResponse> {
        self.answer(request, session::revoke_session).await
    }

    async fn request_password_reset(
        &self,
        request: Request<pb::RequestPasswordResetRequest>,
    ) -> Answer<pb::RequestPasswordResetResponse> {
        self.answer(request, password::request_password_reset).await
    }

    async fn reset_password(
        &self,
        request: Request<pb::ResetPasswordRequest>,
    ) -> Answer<pb::ResetPasswordResponse> {
        self.answer(request, password::reset_password).await
    }

    async fn change_password(
        &self,
        request: Request<pb::ChangePasswordRequest>,
    ) -> Answer<pb::ChangePasswordResponse> {
        self.answer(request, password::change_password).await
    }

    async fn get_account(&self, request: Request<pb::GetAccountRequest>) -> Answer<pb::GetAccountResponse> {
        self.answer(request, account::get_account).await
    }

    async fn batch_get_accounts(
        &self,
        request: Request<pb::BatchGetAccountsRequest>,
    ) -> Answer<pb::BatchGetAccountsResponse> {
        self.answer(request, account::batch_get_accounts).await
    }

    async fn list_accounts(
        &self,
        request: Request<pb::ListAccountsRequest>,
    ) -> Answer<pb::ListAccountsResponse> {
        self.answer(request, account::list_accounts).await
    }

    async fn update_account(
        &self,
        request: Request<pb::UpdateAccountRequest>,
    ) -> Answer<pb::UpdateAccountResponse> {
        self.answer(request, account::update_account).await
    }

    async fn create_staff_account(
        &self,
        request: Request<pb::CreateStaffAccountRequest>,
    ) -> Answer<pb::CreateStaffAccountResponse> {
        self.answer(request, account::create_staff_account).await
    }

    async fn set_account_role(
        &self,
        request: Request<pb::SetAccountRoleRequest>,
    ) -> Answer<pb::SetAccountRoleResponse> {
        self.answer(request, account::set_account_role).await
    }

    async fn list_login_events(
        &self,
        request: Request<pb::ListLoginEventsRequest>,
    ) -> Answer<pb::ListLoginEventsResponse> {
        self.answer(request, account::list_login_events).await
    }

    async fn list_addresses(
        &self,
        request: Request<pb::ListAddressesRequest>,
    ) -> Answer<pb::ListAddressesResponse> {
        self.answer(request, book::list_addresses).await
    }

    async fn create_address(
        &self,
        request: Request<pb::CreateAddressRequest>,
    ) -> Answer<pb::CreateAddressResponse> {
        self.answer(request, book::create_address).await
    }

    async fn update_address(
        &self,
        request: Request<pb::UpdateAddressRequest>,
    ) -> Answer<pb::UpdateAddressResponse> {
        self.answer(request, book::update_address).await
    }

    async fn delete_address(
        &self,
        request: Request<pb::DeleteAddressRequest>,
    ) -> Answer<pb::DeleteAddressResponse> {
        self.answer(request, book::delete_address).await
    }

    async fn list_wishlist_items(
        &self,
        request: Request<pb::ListWishlistItemsRequest>,
    ) -> Answer<pb::ListWishlistItemsResponse> {
        self.answer(request, book::list_wishlist_items).await
    }

    async fn add_wishlist_items(
        &self,
        request: Request<pb::AddWishlistItemsRequest>,
    ) -> Answer<pb::AddWishlistItemsResponse> {
        self.answer(request, book::add_wishlist_items).await
    }

    async fn remove_wishlist_items(
        &self,
        request: Request<pb::RemoveWishlistItemsRequest>,
    ) -> Answer<pb::RemoveWishlistItemsResponse> {
        self.answer(request, book::remove_wishlist_items).await
    }

    async fn export_account(
        &self,
        request: Request<pb::ExportAccountRequest>,
    ) -> Answer<pb::ExportAccountResponse> {
        self.answer(request, book::export_account).await
    }

    async fn erase_account(
        &self,
        request: Request<pb::EraseAccountRequest>,
    ) -> Answer<pb::EraseAccountResponse> {
        self.answer(request, password::erase_account).await
    }

    async fn list_signing_keys(
        &self,
        request: Request<pb::ListSigningKeysRequest>,
    ) -> Answer<pb::ListSigningKeysResponse> {
        self.answer(request, session::list_signing_keys).await
    }
}

/// The key of a request of somebody who is signed in.
/// The key of a request of nobody in particular: it belongs to the address or the secret that it names.
fn guest_key<M: prost::Message>(
    name: &str,
    method: &'static str,
    request_id: &str,
    message: &M,
) -> Result<RequestKey, Problem> {
    Ok(RequestKey::new(&format!("guest:{name}"), method, request_id, message)?)
}

/// `message` is the request with its page fields cleared.
fn page<M: prost::Message>(size: i32, token: &str, message: &M, limits: PageLimits) -> Result<Page, Problem> {
    Ok(Page::parse(size, token, message, limits)?)
}
