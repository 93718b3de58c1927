//! Address book and wishlist on the wire.

use kit::parse::Fields;
use kit::{PageLimits, time};
use mesh::Caller;
use mesh::status::Problem;
use proto::common as common_pb;
use proto::identity as pb;
use tonic::Status;

use super::{page, parse};
use crate::app::Identity;
use crate::domain::address::{Address, AddressId};
use crate::domain::{ProductId, StockAlert, WishlistItem};

const ADDRESSES: PageLimits = PageLimits { default: 50, max: 50 };
const WISHES: PageLimits = PageLimits { default: 50, max: 250 };
const PRODUCTS_MAX: usize = 250;
/// Titles of a variant are its option values, joined.
const WORDS_MAX: usize = 1_000;

pub async fn list_addresses(
    identity: &Identity,
    caller: Caller,
    message: pb::ListAddressesRequest,
) -> Result<pb::ListAddressesResponse, Status> {
    let arguments = pb::ListAddressesRequest::default();
    let page = page(message.page_size, &message.page_token, &arguments, ADDRESSES)?;
    let listed = identity.addresses(&caller, &page).await?.map(shown);
    Ok(pb::ListAddressesResponse { addresses: listed.items, next_page_token: listed.next_page_token })
}

pub async fn create_address(
    identity: &Identity,
    caller: Caller,
    message: pb::CreateAddressRequest,
) -> Result<pb::CreateAddressResponse, Status> {
    let key = caller.key("CreateAddress", &message.request_id, &message)?;
    let mut fields = Fields::new();
    let place = parse::place(&mut fields, message.address.as_ref());
    let place = fields.build(|| place).map_err(Problem::invalid)?;
    let address = Address { id: AddressId::new(), place, is_default: message.is_default };
    let address = identity.add_address(&caller, &key, address).await?;
    Ok(pb::CreateAddressResponse { address: Some(shown(address)) })
}

pub async fn update_address(
    identity: &Identity,
    caller: Caller,
    message: pb::UpdateAddressRequest,
) -> Result<pb::UpdateAddressResponse, Status> {
    let key = caller.key("UpdateAddress", &message.request_id, &message)?;
    let mut fields = Fields::new();
    let id = fields.id("address_id", &message.address_id);
    let place = parse::place(&mut fields, message.address.as_ref());
    let is_default = message.is_default;
    let address = fields.build(|| Some(Address { id: id?, place: place?, is_default }));
    let address = identity.replace_address(&caller, &key, address.map_err(Problem::invalid)?).await?;
    Ok(pb::UpdateAddressResponse { address: Some(shown(address)) })
}

pub async fn delete_address(
    identity: &Identity,
    caller: Caller,
    message: pb::DeleteAddressRequest,
) -> Result<pb::DeleteAddressResponse, Status> {
    let key = caller.key("DeleteAddress", &message.request_id, &message)?;
    let id: AddressId = parse::id("address_id", &message.address_id)?;
    identity.remove_address(&caller, &key, id).await?;
    Ok(pb::DeleteAddressResponse {})
}

pub async fn list_wishlist_items(
    identity: &Identity,
    caller: Caller,
    message: pb::ListWishlistItemsRequest,
) -> Result<pb::ListWishlistItemsResponse, Status> {
    let arguments = pb::ListWishlistItemsRequest::default();
    let page = page(message.page_size, &message.page_token, &arguments, WISHES)?;
    let listed = identity.wishlist(&caller, &page).await?.map(shown_item);
    Ok(pb::ListWishlistItemsResponse { items: listed.items, next_page_token: listed.next_page_token })
}

pub async fn add_wishlist_items(
    identity: &Identity,
    caller: Caller,
    message: pb::AddWishlistItemsRequest,
) -> Result<pb::AddWishlistItemsResponse, Status> {
    let key = caller.key("AddWishlistItems", &message.request_id, &without_words(&message))?;
    let products: Vec<ProductId> = parse::ids("product_ids", &message.product_ids, 1, PRODUCTS_MAX)?;
    let alerts = alerts(&message.alerts, &products)?;
    let items = identity.add_wishes(&caller, &key, &products, &alerts).await?;
    Ok(pb::AddWishlistItemsResponse { items: items.into_iter().map(shown_item).collect() })
}

pub async fn remove_wishlist_items(
    identity: &Identity,
    caller: Caller,
    message: pb::RemoveWishlistItemsRequest,
) -> Result<pb::RemoveWishlistItemsResponse, Status> {
    let key = caller.key("RemoveWishlistItems", &message.request_id, &message)?;
    let products: Vec<ProductId> = parse::ids("product_ids", &message.product_ids, 1, PRODUCTS_MAX)?;
    identity.remove_wishes(&caller, &key, &products).await?;
    Ok(pb::RemoveWishlistItemsResponse {})
}

pub async fn export_account(
    identity: &Identity,
    caller: Caller,
    _: pb::ExportAccountRequest,
) -> Result<pb::ExportAccountResponse, Status> {
    Ok(pb::ExportAccountResponse { document: identity.export(&caller).await? })
}

fn shown(address: Address) -> pb::AccountAddress {
    let place = address.place;
    pb::AccountAddress {
        id: address.id.to_string(),
        address: Some(common_pb::Address {
            given_name: place.given_name,
            family_name: place.family_name,
            company: place.company,
            lines: place.lines,
            city: place.city,
            region: place.region,
            postal_code: place.postal_code,
            country_code: place.country,
            phone: place.phone,
        }),
        is_default: address.is_default,
    }
}

/// What is asked for, without the words for it: the catalogue may have others when the request comes again.
fn without_words(message: &pb::AddWishlistItemsRequest) -> pb::AddWishlistItemsRequest {
    let bare = |alert: &pb::StockAlert| pb::StockAlert {
        product_id: alert.product_id.clone(),
        variant_id: alert.variant_id.clone(),
        ..Default::default()
    };
    pb::AddWishlistItemsRequest { alerts: message.alerts.iter().map(bare).collect(), ..message.clone() }
}

fn alerts(wire: &[pb::StockAlert], products: &[ProductId]) -> Result<Vec<StockAlert>, Problem> {
    let mut fields = Fields::new();
    let fits = fields.count("alerts", wire.len(), 0..=PRODUCTS_MAX);
    let read = |(index, alert): (usize, &pb::StockAlert)| {
        fields.within(format_args!("alerts[{index}]"), |fields| {
            let product: Option<ProductId> = fields.id("product_id", &alert.product_id);
            if product.is_some_and(|product| !products.contains(&product)) {
                fields.refuse("product_id", "is not one of product_ids");
            }
            let variant = fields.id("variant_id", &alert.variant_id);
            let sku = fields.text("sku", &alert.sku, 1..=255);
            let product_title = fields.text("product_title", &alert.product_title, 1..=WORDS_MAX);
            let variant_title = fields.text("variant_title", &alert.variant_title, 0..=WORDS_MAX);
            let product_handle = fields.text("product_handle", &alert.product_handle, 1..=255);
            Some(StockAlert {
                product: product?,
                variant: variant?,
                sku: sku?,
                product_title: product_title?,
                variant_title: variant_title?,
                product_handle: product_handle?,
            })
        })
    };
    let read: Vec<Option<StockAlert>> = wire.iter().take(PRODUCTS_MAX).enumerate().map(read).collect();
    fields.build(|| fits.and_then(|_| read.into_iter().collect())).map_err(Problem::invalid)
}

fn shown_item(item: WishlistItem) -> pb::WishlistItem {
    pb::WishlistItem {
        product_id: item.product.to_string(),
        add_time: Some(time::to_proto(item.added)),
        alert_variant_ids: item.alerts.iter().map(ToString::to_string).collect(),
    }
}
