//! The contract's methods: a request becomes values, what is found becomes a message.

mod convert;
mod files;
mod group;
mod mask;
mod parse;
mod refusal;

use kit::parse::Fields;
use mesh::Caller;
use proto::catalogue as pb;
use proto::catalogue::catalogue_service_server::{CatalogueService, CatalogueServiceServer};
use tonic::{Request, Response, Status, Streaming};

use self::convert::COLLECTION_PRODUCTS;
use self::mask::Mask;
use self::parse::invalid;
use crate::app::Catalogue;
use crate::domain::VariantKey;

/// The service as the contract describes it.
pub fn server(catalogue: Catalogue) -> CatalogueServiceServer<impl CatalogueService> {
    CatalogueServiceServer::new(Server { catalogue })
}

struct Server {
    catalogue: Catalogue,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl CatalogueService for Server {
    async fn get_product(&self, request: Request<pb::GetProductRequest>) -> Answer<pb::GetProductResponse> {
        let caller = Caller::of(&request);
        let (key, mask) = parse::get_product(request.into_inner()).map_err(invalid)?;
        let product = self.catalogue.get_product(&caller, key, mask.parts()).await?;
        let product = Some(convert::product(product, mask));
        Ok(Response::new(pb::GetProductResponse { product }))
    }

    async fn batch_get_products(
        &self,
        request: Request<pb::BatchGetProductsRequest>,
    ) -> Answer<pb::BatchGetProductsResponse> {
        let caller = Caller::of(&request);
        let (ids, mask) = parse::batch_get_products(request.into_inner()).map_err(invalid)?;
        let batch = self.catalogue.batch_get_products(&caller, ids, mask.parts()).await?;
        Ok(Response::new(pb::BatchGetProductsResponse {
            products: batch.found.into_iter().map(|product| convert::product(product, mask)).collect(),
            missing: batch.missing.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn list_products(
        &self,
        request: Request<pb::ListProductsRequest>,
    ) -> Answer<pb::ListProductsResponse> {
        let caller = Caller::of(&request);
        let (listing, mask) = parse::list_products(request.into_inner())?;
        let (listed, total_size) = self.catalogue.list_products(&caller, &listing).await?;
        let listed = listed.map(|product| convert::product(product, mask));
        Ok(Response::new(pb::ListProductsResponse {
            products: listed.items,
            next_page_token: listed.next_page_token,
            total_size,
        }))
    }

    async fn batch_get_variants(
        &self,
        request: Request<pb::BatchGetVariantsRequest>,
    ) -> Answer<pb::BatchGetVariantsResponse> {
        let caller = Caller::of(&request);
        let keys = parse::batch_get_variants(request.into_inner()).map_err(invalid)?;
        let batch = self.catalogue.batch_get_variants(&caller, keys).await?;
        let named = |key| match key {
            VariantKey::Id(id) => id.to_string(),
            VariantKey::Sku(sku) => sku,
        };
        Ok(Response::new(pb::BatchGetVariantsResponse {
            variants: batch.found.into_iter().map(convert::offer).collect(),
            missing: batch.missing.into_iter().map(named).collect(),
        }))
    }

    async fn create_product(
        &self,
        request: Request<pb::CreateProductRequest>,
    ) -> Answer<pb::CreateProductResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("CreateProduct", &message.request_id, &message)?;
        let mut fields = Fields::new();
        let patch = parse::patch(&mut fields, message.product, Mask::ALL);
        let patch = fields.build(|| patch).map_err(invalid)?;
        let product = self.catalogue.create_product(key, patch).await?;
        let product = Some(convert::product(product, Mask::ALL));
        Ok(Response::new(pb::CreateProductResponse { product }))
    }

    async fn update_product(
        &self,
        request: Request<pb::UpdateProductRequest>,
    ) -> Answer<pb::UpdateProductResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("UpdateProduct", &message.request_id, &message)?;
        let mut fields = Fields::new();
        let mask = Mask::to_write(&mut fields, message.update_mask.as_ref());
        let id = message.product.as_ref().map(|product| product.id.clone());
        let id = fields.id("product.id", &id.unwrap_or_default());
        group::require_etag(&mut fields, &message.etag);
        let patch = mask.and_then(|mask| parse::patch(&mut fields, message.product, mask));
        let (id, patch) = fields.build(|| Some((id?, patch?))).map_err(invalid)?;
        let product = self.catalogue.update_product(key, id, message.etag, patch).await?;
        let product = Some(convert::product(product, Mask::ALL));
        Ok(Response::new(pb::UpdateProductResponse { product }))
    }

    async fn archive_product(
        &self,
        request: Request<pb::ArchiveProductRequest>,
    ) -> Answer<pb::ArchiveProductResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("ArchiveProduct", &message.request_id, &message)?;
        let mut fields = Fields::new();
        let id = fields.id("product_id", &message.product_id);
        let id = fields.build(|| id).map_err(invalid)?;
        let product = self.catalogue.archive_product(key, id).await?;
        let product = Some(convert::product(product, Mask::ALL));
        Ok(Response::new(pb::ArchiveProductResponse { product }))
    }

    async fn list_categories(
        &self,
        request: Request<pb::ListCategoriesRequest>,
    ) -> Answer<pb::ListCategoriesResponse> {
        let page = group::category_page(request.into_inner())?;
        let listed = self.catalogue.list_categories(&page).await?;
        let listed = listed.map(convert::category);
        Ok(Response::new(pb::ListCategoriesResponse {
            categories: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn batch_get_categories(
        &self,
        request: Request<pb::BatchGetCategoriesRequest>,
    ) -> Answer<pb::BatchGetCategoriesResponse> {
        let mut fields = Fields::new();
        let ids = parse::ids(&mut fields, "category_ids", &request.into_inner().category_ids);
        let ids = fields.build(|| ids).map_err(invalid)?;
        let batch = self.catalogue.batch_get_categories(ids).await?;
        Ok(Response::new(pb::BatchGetCategoriesResponse {
            categories: batch.found.into_iter().map(convert::category).collect(),
            missing: batch.missing.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn create_category(
        &self,
        request: Request<pb::CreateCategoryRequest>,
    ) -> Answer<pb::CreateCategoryResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("CreateCategory", &message.request_id, &message)?;
        let category = group::create_category(message.category).map_err(invalid)?;
        let category = self.catalogue.create_category(key, category).await?;
        let category = Some(convert::category(category));
        Ok(Response::new(pb::CreateCategoryResponse { category }))
    }

    async fn update_category(
        &self,
        request: Request<pb::UpdateCategoryRequest>,
    ) -> Answer<pb::UpdateCategoryResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("UpdateCategory", &message.request_id, &message)?;
        let (id, patch) = group::update_category(message).map_err(invalid)?;
        let category = self.catalogue.update_category(key, id, |category| patch.onto(category)).await?;
        let category = Some(convert::category(category));
        Ok(Response::new(pb::UpdateCategoryResponse { category }))
    }

    async fn get_collection(
        &self,
        request: Request<pb::GetCollectionRequest>,
    ) -> Answer<pb::GetCollectionResponse> {
        let caller = Caller::of(&request);
        let (key, mask) = group::get_collection(request.into_inner()).map_err(invalid)?;
        let collection = self.catalogue.get_collection(&caller, key, mask[COLLECTION_PRODUCTS]).await?;
        let collection = Some(convert::collection(collection, mask));
        Ok(Response::new(pb::GetCollectionResponse { collection }))
    }

    async fn list_collections(
        &self,
        request: Request<pb::ListCollectionsRequest>,
    ) -> Answer<pb::ListCollectionsResponse> {
        let caller = Caller::of(&request);
        let (page, mask) = group::collection_page(request.into_inner())?;
        let listed = self.catalogue.list_collections(&caller, &page, mask[COLLECTION_PRODUCTS]).await?;
        let listed = listed.map(|collection| convert::collection(collection, mask));
        Ok(Response::new(pb::ListCollectionsResponse {
            collections: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn batch_get_collections(
        &self,
        request: Request<pb::BatchGetCollectionsRequest>,
    ) -> Answer<pb::BatchGetCollectionsResponse> {
        let caller = Caller::of(&request);
        let (ids, mask) = group::batch_get_collections(request.into_inner()).map_err(invalid)?;
        let batch = self.catalogue.batch_get_collections(&caller, ids, mask[COLLECTION_PRODUCTS]).await?;
        Ok(Response::new(pb::BatchGetCollectionsResponse {
            collections: batch
                .found
                .into_iter()
                .map(|collection| convert::collection(collection, mask))
                .collect(),
            missing: batch.missing.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn create_collection(
        &self,
        request: Request<pb::CreateCollectionRequest>,
    ) -> Answer<pb::CreateCollectionResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("CreateCollection", &message.request_id, &message)?;
        let collection = group::create_collection(message.collection).map_err(invalid)?;
        let collection = self.catalogue.create_collection(key, collection).await?;
        let collection = Some(convert::collection(collection, [true; 7]));
        Ok(Response::new(pb::CreateCollectionResponse { collection }))
    }

    async fn update_collection(
        &self,
        request: Request<pb::UpdateCollectionRequest>,
    ) -> Answer<pb::UpdateCollectionResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("UpdateCollection", &message.request_id, &message)?;
        let etag = message.etag.clone();
        let (id, patch) = group::update_collection(message).map_err(invalid)?;
        let collection =
            self.catalogue.update_collection(key, id, etag, |collection| patch.onto(collection)).await?;
        let collection = Some(convert::collection(collection, [true; 7]));
        Ok(Response::new(pb::UpdateCollectionResponse { collection }))
    }

    type ImportProductsStream = files::Answers<pb::ImportProductsResponse>;

    async fn import_products(
        &self,
        request: Request<Streaming<pb::ImportProductsRequest>>,
    ) -> Answer<Self::ImportProductsStream> {
        let principal = Caller::of(&request).principal();
        let messages = request.into_inner();
        let answers = files::import(self.catalogue.clone(), &principal, messages).await?;
        Ok(Response::new(answers))
    }

    type ExportProductsStream = files::Answers<pb::ExportProductsResponse>;

    async fn export_products(
        &self,
        request: Request<pb::ExportProductsRequest>,
    ) -> Answer<Self::ExportProductsStream> {
        let answers = files::export(&self.catalogue, request.into_inner()).await?;
        Ok(Response::new(answers))
    }
}
