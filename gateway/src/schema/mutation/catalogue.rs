//! Changes of the catalogue, by staff.

mod input;

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::catalogue as pb;

use crate::context::{self, own_request_id};
use crate::error::{Fault, Refusal, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::category::Category;
use crate::schema::collection::{Collection, collections};
use crate::schema::look::Look;
use crate::schema::product::Product;
use crate::schema::user_error::{CatalogueErrorCode, UserError, Warning, user_errors};
use crate::schema::wants::{self, Wants};
use input::{CategoryInput, CollectionInput, ProductInput};

const SERVICE: &str = "catalogue";
type Errors = Vec<UserError<CatalogueErrorCode>>;

/// What became of a change of a product.
#[derive(SimpleObject, Default)]
pub(crate) struct ProductPayload {
    /// The product after the change; null when nothing changed.
    product: Option<Product>,
    /// Why nothing changed.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

/// What became of a change of a collection.
#[derive(SimpleObject, Default)]
pub(crate) struct CollectionPayload {
    /// The collection after the change; null when nothing changed.
    collection: Option<Collection>,
    /// Why nothing changed.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

/// What became of a change of a category.
#[derive(SimpleObject, Default)]
pub(crate) struct CategoryPayload {
    /// The category after the change; null when nothing changed.
    category: Option<Category>,
    /// Why nothing changed.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

#[derive(Default)]
pub(crate) struct CatalogueMutation;

/// Changes of the catalogue.
#[Object]
impl CatalogueMutation {
    /// Staff: adds a product, as a draft unless it says otherwise.
    async fn product_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] input: ProductInput,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ProductPayload> {
        let change = async {
            let (product, _) = input.into_wire(String::new())?;
            let request = pb::CreateProductRequest {
                product: Some(product),
                request_id: own_request_id(ctx, &idempotency_key, "CreateProduct")?,
            };
            let answer = settled(SERVICE, context::catalogue(ctx).create_product(request).await)?;
            product_payload(ctx, answer.map(|answer| answer.product)).await
        };
        Some(change.await)
    }

    /// Staff: changes a product. Options and variants are replaced as a whole; variants keep their id by SKU.
    async fn product_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "What changes.")] input: ProductInput,
        #[graphql(desc = "The state that was read.")] etag: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ProductPayload> {
        let change = async {
            let (product, paths) = input.into_wire(ids::decode(Kind::Product, &id)?)?;
            let request = pb::UpdateProductRequest {
                product: Some(product),
                update_mask: Some(prost_types::FieldMask { paths }),
                etag,
                request_id: own_request_id(ctx, &idempotency_key, "UpdateProduct")?,
            };
            let answer = settled(SERVICE, context::catalogue(ctx).update_product(request).await)?;
            product_payload(ctx, answer.map(|answer| answer.product)).await
        };
        Some(change.await)
    }

    /// Staff: takes a product out of the shop.
    async fn product_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<ProductPayload> {
        let change = async {
            let request = pb::ArchiveProductRequest {
                product_id: ids::decode(Kind::Product, &id)?,
                request_id: own_request_id(ctx, &idempotency_key, "ArchiveProduct")?,
            };
            let answer = settled(SERVICE, context::catalogue(ctx).archive_product(request).await)?;
            product_payload(ctx, answer.map(|answer| answer.product)).await
        };
        Some(change.await)
    }

    /// Staff: adds a collection.
    async fn collection_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The collection.")] input: CollectionInput,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CollectionPayload> {
        let change = async {
            let (collection, _) = input.into_wire(String::new())?;
            let request = pb::CreateCollectionRequest {
                collection: Some(collection),
                request_id: own_request_id(ctx, &idempotency_key, "CreateCollection")?,
            };
            let answer = settled(SERVICE, context::catalogue(ctx).create_collection(request).await)?;
            collection_payload(ctx, answer.map(|answer| answer.collection)).await
        };
        Some(change.await)
    }

    /// Staff: changes a collection.
    async fn collection_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "What changes.")] input: CollectionInput,
        #[graphql(desc = "The state that was read.")] etag: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CollectionPayload> {
        let change = async {
            let (collection, paths) = input.into_wire(ids::decode(Kind::Collection, &id)?)?;
            let request = pb::UpdateCollectionRequest {
                collection: Some(collection),
                update_mask: Some(prost_types::FieldMask { paths }),
                etag,
                request_id: own_request_id(ctx, &idempotency_key, "UpdateCollection")?,
            };
            let answer = settled(SERVICE, context::catalogue(ctx).update_collection(request).await)?;
            collection_payload(ctx, answer.map(|answer| answer.collection)).await
        };
        Some(change.await)
    }

    /// Staff: adds a category.
    async fn category_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: CategoryInput,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CategoryPayload> {
        let change = async {
            let (category, _) = input.into_wire(String::new())?;
            let request = pb::CreateCategoryRequest {
                category: Some(category),
                request_id: own_request_id(ctx, &idempotency_key, "CreateCategory")?,
            };
            let answer = settled(SERVICE, context::catalogue(ctx).create_category(request).await)?;
            category_payload(answer.map(|answer| answer.category))
        };
        Some(change.await)
    }

    /// Staff: renames or moves a category.
    async fn category_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "What changes.")] input: CategoryInput,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CategoryPayload> {
        let change = async {
            let (category, paths) = input.into_wire(ids::decode(Kind::Category, &id)?)?;
            let request = pb::UpdateCategoryRequest {
                category: Some(category),
                update_mask: Some(prost_types::FieldMask { paths }),
                request_id: own_request_id(ctx, &idempotency_key, "UpdateCategory")?,
            };
            let answer = settled(SERVICE, context::catalogue(ctx).update_category(request).await)?;
            category_payload(answer.map(|answer| answer.category))
        };
        Some(change.await)
    }
}

async fn product_payload(
    ctx: &Context<'_>,
    answer: Result<Option<pb::Product>, Vec<Refusal>>,
) -> Result<ProductPayload, Fault> {
    match answer {
        Ok(product) => {
            let wire = product.ok_or_else(|| Fault::incomplete(SERVICE))?;
            let wants = Wants::of(&Look::here(ctx).below("product"));
            Ok(ProductPayload {
                product: wants::products(ctx, vec![wire], &wants, false).await.pop(),
                ..Default::default()
            })
        }
        Err(refusals) => {
            Ok(ProductPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
        }
    }
}

async fn collection_payload(
    ctx: &Context<'_>,
    answer: Result<Option<pb::Collection>, Vec<Refusal>>,
) -> Result<CollectionPayload, Fault> {
    match answer {
        Ok(collection) => {
            let wire = collection.ok_or_else(|| Fault::incomplete(SERVICE))?;
            let look = Look::here(ctx).below("collection");
            Ok(CollectionPayload {
                collection: collections(ctx, vec![wire], &look).await.pop(),
                ..Default::default()
            })
        }
        Err(refusals) => {
            Ok(CollectionPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
        }
    }
}

fn category_payload(answer: Result<Option<pb::Category>, Vec<Refusal>>) -> Result<CategoryPayload, Fault> {
    match answer {
        Ok(category) => {
            let wire = category.ok_or_else(|| Fault::incomplete(SERVICE))?;
            Ok(CategoryPayload { category: Some(Category::alone(wire)), ..Default::default() })
        }
        Err(refusals) => {
            Ok(CategoryPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
        }
    }
}
