//! A fake of cart: carts by id, with a token for guests'.

use std::collections::HashMap;
use std::sync::Mutex;

use mesh::Caller;
use mesh::status::Problem;
use proto::cart as pb;
use proto::cart::cart_service_server::CartService;
use tonic::{Code, Request, Status};

use super::faults::{Answer, Faults, Nothing, unused};

pub const TOKEN: &str = "cart-token";

#[derive(Default)]
pub struct Carts {
    pub faults: Faults,
    carts: Mutex<HashMap<String, pb::Cart>>,
}

impl Carts {
    pub fn put(&self, cart: pb::Cart) {
        self.carts.lock().unwrap().insert(cart.id.clone(), cart);
    }

    pub fn get(&self, id: &str) -> pb::Cart {
        self.carts.lock().unwrap().get(id).cloned().unwrap_or_default()
    }

    fn find(&self, key: &pb::CartKey, caller: &Caller) -> Result<pb::GetCartResponse, Status> {
        let account = caller.user.as_ref().map(|user| user.account.to_string()).unwrap_or_default();
        let carts = self.carts.lock().unwrap();
        let cart = carts.values().find(|cart| match key.cart_id.is_empty() {
            true => !account.is_empty() && cart.account_id == account,
            false if cart.account_id.is_empty() => cart.id == key.cart_id && key.token == TOKEN,
            false => cart.id == key.cart_id && cart.account_id == account,
        });
        let cart = cart.cloned().ok_or_else(|| {
            Problem::new(Code::NotFound, "cart", pb::Reason::CartNotFound.as_str_name(), "none").status()
        })?;
        Ok(pb::GetCartResponse { cart: Some(cart) })
    }

    fn clear(&self, request: &pb::ClearCartRequest) -> pb::ClearCartResponse {
        if let Some(cart) = self.carts.lock().unwrap().get_mut(&request.cart_id)
            && cart.version == request.version
        {
            cart.lines.clear();
            cart.version += 1;
        }
        pb::ClearCartResponse::default()
    }
}

#[tonic::async_trait]
impl CartService for super::Shared<Carts> {
    async fn get_cart(&self, request: Request<pb::GetCartRequest>) -> Answer<pb::GetCartResponse> {
        let caller = Caller::of(&request);
        let key = request.into_inner().key.unwrap_or_default();
        self.0.faults.answer("GetCart", || self.0.find(&key, &caller)).await
    }

    async fn clear_cart(&self, request: Request<pb::ClearCartRequest>) -> Answer<pb::ClearCartResponse> {
        let request = request.into_inner();
        self.0.faults.answer("ClearCart", || Ok(self.0.clear(&request))).await
    }

    async fn create_cart(&self, _: Request<pb::CreateCartRequest>) -> Answer<pb::CreateCartResponse> {
        Err(unused())
    }

    async fn add_cart_lines(&self, _: Request<pb::AddCartLinesRequest>) -> Answer<pb::AddCartLinesResponse> {
        Err(unused())
    }

    async fn update_cart_lines(
        &self,
        _: Request<pb::UpdateCartLinesRequest>,
    ) -> Answer<pb::UpdateCartLinesResponse> {
        Err(unused())
    }

    async fn remove_cart_lines(
        &self,
        _: Request<pb::RemoveCartLinesRequest>,
    ) -> Answer<pb::RemoveCartLinesResponse> {
        Err(unused())
    }

    async fn set_cart_codes(&self, _: Request<pb::SetCartCodesRequest>) -> Answer<pb::SetCartCodesResponse> {
        Err(unused())
    }

    async fn set_cart_context(
        &self,
        _: Request<pb::SetCartContextRequest>,
    ) -> Answer<pb::SetCartContextResponse> {
        Err(unused())
    }

    async fn merge_carts(&self, _: Request<pb::MergeCartsRequest>) -> Answer<pb::MergeCartsResponse> {
        Err(unused())
    }

    type WatchCartStream = Nothing<pb::WatchCartResponse>;

    async fn watch_cart(&self, _: Request<pb::WatchCartRequest>) -> Answer<Self::WatchCartStream> {
        Err(unused())
    }
}
