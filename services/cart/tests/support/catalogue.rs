//! A catalogue that knows what a test puts on its shelf, counts how often it is asked, and fails when told to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::Empty;
use proto::catalogue as pb;
use proto::catalogue::catalogue_service_server::CatalogueService;
use proto::catalogue::variant_key::Key;
use tonic::{Request, Response, Status, Streaming};

#[derive(Clone, Default)]
pub struct Catalogue {
    shelf: Arc<Mutex<HashMap<String, pb::VariantSummary>>>,
    failure: Arc<Mutex<Option<Status>>>,
    delay: Arc<Mutex<Duration>>,
    calls: Arc<AtomicUsize>,
}

impl Catalogue {
    pub fn put(&self, summary: pb::VariantSummary) {
        let id = summary.variant.as_ref().unwrap().id.clone();
        self.shelf.lock().unwrap().insert(id, summary);
    }

    /// Changes what stands on the shelf.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut pb::VariantSummary)) {
        change(self.shelf.lock().unwrap().get_mut(id).unwrap());
    }

    pub fn take_away(&self, id: &str) -> Option<pb::VariantSummary> {
        self.shelf.lock().unwrap().remove(id)
    }

    /// From now on it answers this, or answers again.
    pub fn fail(&self, failure: Option<Status>) {
        *self.failure.lock().unwrap() = failure;
    }

    pub fn slow_down(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Nothing<T> = Empty<Result<T, Status>>;

fn unused() -> Status {
    Status::unimplemented("cart has no need of this")
}

#[tonic::async_trait]
impl CatalogueService for Catalogue {
    type ImportProductsStream = Nothing<pb::ImportProductsResponse>;
    type ExportProductsStream = Nothing<pb::ExportProductsResponse>;

    async fn batch_get_variants(
        &self,
        request: Request<pb::BatchGetVariantsRequest>,
    ) -> Answer<pb::BatchGetVariantsResponse> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let delay = *self.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
        if let Some(failure) = self.failure.lock().unwrap().clone() {
            return Err(failure);
        }
        let shelf = self.shelf.lock().unwrap();
        let mut answer = pb::BatchGetVariantsResponse::default();
        for key in request.into_inner().keys {
            let Some(Key::VariantId(id)) = key.key else { return Err(unused()) };
            match shelf.get(&id) {
                Some(summary) => answer.variants.push(summary.clone()),
                None => answer.missing.push(id),
            }
        }
        Ok(Response::new(answer))
    }

    async fn get_product(&self, _: Request<pb::GetProductRequest>) -> Answer<pb::GetProductResponse> {
        Err(unused())
    }

    async fn batch_get_products(
        &self,
        _: Request<pb::BatchGetProductsRequest>,
    ) -> Answer<pb::BatchGetProductsResponse> {
        Err(unused())
    }

    async fn list_products(&self, _: Request<pb::ListProductsRequest>) -> Answer<pb::ListProductsResponse> {
        Err(unused())
    }

    async fn create_product(
        &self,
        _: Request<pb::CreateProductRequest>,
    ) -> Answer<pb::CreateProductResponse> {
        Err(unused())
    }

    async fn update_product(
        &self,
        _: Request<pb::UpdateProductRequest>,
    ) -> Answer<pb::UpdateProductResponse> {
        Err(unused())
    }

    async fn archive_product(
        &self,
        _: Request<pb::ArchiveProductRequest>,
    ) -> Answer<pb::ArchiveProductResponse> {
        Err(unused())
    }

    async fn list_categories(
        &self,
        _: Request<pb::ListCategoriesRequest>,
    ) -> Answer<pb::ListCategoriesResponse> {
        Err(unused())
    }

    async fn batch_get_categories(
        &self,
        _: Request<pb::BatchGetCategoriesRequest>,
    ) -> Answer<pb::BatchGetCategoriesResponse> {
        Err(unused())
    }

    async fn create_category(
        &self,
        _: Request<pb::CreateCategoryRequest>,
    ) -> Answer<pb::CreateCategoryResponse> {
        Err(unused())
    }

    async fn update_category(
        &self,
        _: Request<pb::UpdateCategoryRequest>,
    ) -> Answer<pb::UpdateCategoryResponse> {
        Err(unused())
    }

    async fn get_collection(
        &self,
        _: Request<pb::GetCollectionRequest>,
    ) -> Answer<pb::GetCollectionResponse> {
        Err(unused())
    }

    async fn list_collections(
        &self,
        _: Request<pb::ListCollectionsRequest>,
    ) -> Answer<pb::ListCollectionsResponse> {
        Err(unused())
    }

    async fn batch_get_collections(
        &self,
        _: Request<pb::BatchGetCollectionsRequest>,
    ) -> Answer<pb::BatchGetCollectionsResponse> {
        Err(unused())
    }

    async fn create_collection(
        &self,
        _: Request<pb::CreateCollectionRequest>,
    ) -> Answer<pb::CreateCollectionResponse> {
        Err(unused())
    }

    async fn update_collection(
        &self,
        _: Request<pb::UpdateCollectionRequest>,
    ) -> Answer<pb::UpdateCollectionResponse> {
        Err(unused())
    }

    async fn import_products(
        &self,
        _: Request<Streaming<pb::ImportProductsRequest>>,
    ) -> Answer<Self::ImportProductsStream> {
        Err(unused())
    }

    async fn export_products(
        &self,
        _: Request<pb::ExportProductsRequest>,
    ) -> Answer<Self::ExportProductsStream> {
        Err(unused())
    }
}
