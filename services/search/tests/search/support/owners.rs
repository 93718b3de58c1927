//! A catalogue, an inventory and reviews that know what a test tells them, and fail when told to.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::stream::Empty;
use proto::catalogue::catalogue_service_server::CatalogueService;
use proto::inventory::inventory_service_server::InventoryService;
use proto::reviews::reviews_service_server::ReviewsService;
use proto::{catalogue, inventory, reviews};
use tonic::{Request, Response, Status, Streaming};

type Answer<T> = Result<Response<T>, Status>;
type Nothing<T> = Empty<Result<T, Status>>;

/// Active products by id, and categories.
#[derive(Clone, Default)]
pub struct Catalogue {
    shelf: Arc<Mutex<BTreeMap<String, catalogue::Product>>>,
    categories: Arc<Mutex<Vec<catalogue::Category>>>,
    failure: Arc<Mutex<Option<Status>>>,
    /// Products that were handed out whole.
    pub read: Arc<AtomicUsize>,
    /// Whether all pages but the first are away, and how often one of those was asked for.
    pub first_page_only: Arc<AtomicBool>,
    pub refused: Arc<AtomicUsize>,
}

/// What is available by SKU; five where a test says nothing.
#[derive(Clone, Default)]
pub struct Inventory {
    available: Arc<Mutex<HashMap<String, i64>>>,
    pub away: Arc<AtomicBool>,
}

/// Count and sum of ratings by product.
#[derive(Clone, Default)]
pub struct Reviews {
    ratings: Arc<Mutex<HashMap<String, (i64, i64)>>>,
    pub away: Arc<AtomicBool>,
}

impl Catalogue {
    pub fn of(products: Vec<catalogue::Product>) -> Self {
        let shop = Self::default();
        for product in products {
            shop.put(product);
        }
        shop
    }

    pub fn put(&self, product: catalogue::Product) {
        self.shelf.lock().unwrap().insert(product.id.clone(), product);
    }

    pub fn change(&self, id: &str, change: impl FnOnce(&mut catalogue::Product)) {
        let mut shelf = self.shelf.lock().unwrap();
        let product = shelf.get_mut(id).unwrap();
        change(product);
        product.version += 1;
    }

    pub fn take_away(&self, id: &str) -> catalogue::Product {
        self.shelf.lock().unwrap().remove(id).unwrap()
    }

    pub fn category(&self, category: catalogue::Category) {
        self.categories.lock().unwrap().push(category);
    }

    pub fn title(&self, id: &str) -> String {
        let shelf = self.shelf.lock().unwrap();
        shelf.get(id).map_or_else(|| format!("{id} is gone"), |product| product.title.clone())
    }

    /// From now on it answers this, or answers again.
    pub fn fail(&self, failure: Option<Status>) {
        *self.failure.lock().unwrap() = failure;
    }

    fn check(&self) -> Result<(), Status> {
        self.failure.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    /// As the owner would under a mask: everything, or id and version.
    fn masked(
        &self,
        product: &catalogue::Product,
        mask: Option<&prost_types::FieldMask>,
    ) -> catalogue::Product {
        if mask.is_none_or(|mask| mask.paths.is_empty()) {
            self.read.fetch_add(1, Ordering::SeqCst);
            return product.clone();
        }
        catalogue::Product { id: product.id.clone(), version: product.version, ..Default::default() }
    }
}

impl Inventory {
    pub fn count(&self, sku: &str, available: i64) {
        self.available.lock().unwrap().insert(sku.to_owned(), available);
    }
}

impl Reviews {
    pub fn rate(&self, product: &str, count: i64, sum: i64) {
        self.ratings.lock().unwrap().insert(product.to_owned(), (count, sum));
    }
}

fn answers(away: &AtomicBool) -> Result<(), Status> {
    match away.load(Ordering::SeqCst) {
        true => Err(Status::unavailable("away")),
        false => Ok(()),
    }
}

fn unused() -> Status {
    Status::unimplemented("search has no need of this")
}

#[tonic::async_trait]
impl CatalogueService for Catalogue {
    type ImportProductsStream = Nothing<catalogue::ImportProductsResponse>;
    type ExportProductsStream = Nothing<catalogue::ExportProductsResponse>;

    async fn get_product(
        &self,
        _: Request<catalogue::GetProductRequest>,
    ) -> Answer<catalogue::GetProductResponse> {
        Err(unused())
    }

    async fn batch_get_products(
        &self,
        request: Request<catalogue::BatchGetProductsRequest>,
    ) -> Answer<catalogue::BatchGetProductsResponse> {
        self.check()?;
        let request = request.into_inner();
        let shelf = self.shelf.lock().unwrap();
        let mut answer = catalogue::BatchGetProductsResponse::default();
        for id in request.product_ids {
            match shelf.get(&id) {
                Some(product) => answer.products.push(self.masked(product, request.read_mask.as_ref())),
                None => answer.missing.push(id),
            }
        }
        Ok(Response::new(answer))
    }

    async fn list_products(
        &self,
        request: Request<catalogue::ListProductsRequest>,
    ) -> Answer<catalogue::ListProductsResponse> {
        self.check()?;
        let request = request.into_inner();
        if !request.page_token.is_empty() && self.first_page_only.load(Ordering::SeqCst) {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(Status::unavailable("away"));
        }
        let shelf = self.shelf.lock().unwrap();
        let size = usize::try_from(request.page_size).unwrap();
        let mut following =
            shelf.iter().filter(|(id, _)| **id > request.page_token).map(|(_, product)| product);
        let products: Vec<_> = following
            .by_ref()
            .take(size)
            .map(|product| self.masked(product, request.read_mask.as_ref()))
            .collect();
        let more = following.next().is_some();
        let next = products.last().filter(|_| more).map(|last| last.id.clone());
        let next_page_token = next.unwrap_or_default();
        Ok(Response::new(catalogue::ListProductsResponse { products, next_page_token, total_size: None }))
    }

    async fn batch_get_variants(
        &self,
        _: Request<catalogue::BatchGetVariantsRequest>,
    ) -> Answer<catalogue::BatchGetVariantsResponse> {
        Err(unused())
    }

    async fn create_product(
        &self,
        _: Request<catalogue::CreateProductRequest>,
    ) -> Answer<catalogue::CreateProductResponse> {
        Err(unused())
    }

    async fn update_product(
        &self,
        _: Request<catalogue::UpdateProductRequest>,
    ) -> Answer<catalogue::UpdateProductResponse> {
        Err(unused())
    }

    async fn archive_product(
        &self,
        _: Request<catalogue::ArchiveProductRequest>,
    ) -> Answer<catalogue::ArchiveProductResponse> {
        Err(unused())
    }

    async fn list_categories(
        &self,
        request: Request<catalogue::ListCategoriesRequest>,
    ) -> Answer<catalogue::ListCategoriesResponse> {
        self.check()?;
        drop(request);
        let categories = self.categories.lock().unwrap().clone();
        Ok(Response::new(catalogue::ListCategoriesResponse { categories, next_page_token: String::new() }))
    }

    async fn batch_get_categories(
        &self,
        _: Request<catalogue::BatchGetCategoriesRequest>,
    ) -> Answer<catalogue::BatchGetCategoriesResponse> {
        Err(unused())
    }

    async fn create_category(
        &self,
        _: Request<catalogue::CreateCategoryRequest>,
    ) -> Answer<catalogue::CreateCategoryResponse> {
        Err(unused())
    }

    async fn update_category(
        &self,
        _: Request<catalogue::UpdateCategoryRequest>,
    ) -> Answer<catalogue::UpdateCategoryResponse> {
        Err(unused())
    }

    async fn get_collection(
        &self,
        _: Request<catalogue::GetCollectionRequest>,
    ) -> Answer<catalogue::GetCollectionResponse> {
        Err(unused())
    }

    async fn list_collections(
        &self,
        _: Request<catalogue::ListCollectionsRequest>,
    ) -> Answer<catalogue::ListCollectionsResponse> {
        Err(unused())
    }

    async fn batch_get_collections(
        &self,
        _: Request<catalogue::BatchGetCollectionsRequest>,
    ) -> Answer<catalogue::BatchGetCollectionsResponse> {
        Err(unused())
    }

    async fn create_collection(
        &self,
        _: Request<catalogue::CreateCollectionRequest>,
    ) -> Answer<catalogue::CreateCollectionResponse> {
        Err(unused())
    }

    async fn update_collection(
        &self,
        _: Request<catalogue::UpdateCollectionRequest>,
    ) -> Answer<catalogue::UpdateCollectionResponse> {
        Err(unused())
    }

    async fn import_products(
        &self,
        _: Request<Streaming<catalogue::ImportProductsRequest>>,
    ) -> Answer<Self::ImportProductsStream> {
        Err(unused())
    }

    async fn export_products(
        &self,
        _: Request<catalogue::ExportProductsRequest>,
    ) -> Answer<Self::ExportProductsStream> {
        Err(unused())
    }
}

#[tonic::async_trait]
impl InventoryService for Inventory {
    type WatchStockStream = Nothing<inventory::WatchStockResponse>;

    async fn batch_get_stock(
        &self,
        request: Request<inventory::BatchGetStockRequest>,
    ) -> Answer<inventory::BatchGetStockResponse> {
        answers(&self.away)?;
        let counts = self.available.lock().unwrap();
        let stock = |sku: String| {
            let available = counts.get(&sku).copied().unwrap_or(5);
            inventory::Stock { sku, available, ..Default::default() }
        };
        let stock = request.into_inner().skus.into_iter().map(stock).collect();
        Ok(Response::new(inventory::BatchGetStockResponse { stock, missing: Vec::new() }))
    }

    async fn list_stock(
        &self,
        _: Request<inventory::ListStockRequest>,
    ) -> Answer<inventory::ListStockResponse> {
        Err(unused())
    }

    async fn list_locations(
        &self,
        _: Request<inventory::ListLocationsRequest>,
    ) -> Answer<inventory::ListLocationsResponse> {
        Err(unused())
    }

    async fn adjust_stock(
        &self,
        _: Request<inventory::AdjustStockRequest>,
    ) -> Answer<inventory::AdjustStockResponse> {
        Err(unused())
    }

    async fn list_movements(
        &self,
        _: Request<inventory::ListMovementsRequest>,
    ) -> Answer<inventory::ListMovementsResponse> {
        Err(unused())
    }

    async fn reserve_stock(
        &self,
        _: Request<inventory::ReserveStockRequest>,
    ) -> Answer<inventory::ReserveStockResponse> {
        Err(unused())
    }

    async fn confirm_reservation(
        &self,
        _: Request<inventory::ConfirmReservationRequest>,
    ) -> Answer<inventory::ConfirmReservationResponse> {
        Err(unused())
    }

    async fn release_reservation(
        &self,
        _: Request<inventory::ReleaseReservationRequest>,
    ) -> Answer<inventory::ReleaseReservationResponse> {
        Err(unused())
    }

    async fn return_stock(
        &self,
        _: Request<inventory::ReturnStockRequest>,
    ) -> Answer<inventory::ReturnStockResponse> {
        Err(unused())
    }

    async fn watch_stock(&self, _: Request<inventory::WatchStockRequest>) -> Answer<Self::WatchStockStream> {
        Err(unused())
    }
}

#[tonic::async_trait]
impl ReviewsService for Reviews {
    async fn create_review(
        &self,
        _: Request<reviews::CreateReviewRequest>,
    ) -> Answer<reviews::CreateReviewResponse> {
        Err(unused())
    }

    async fn update_review(
        &self,
        _: Request<reviews::UpdateReviewRequest>,
    ) -> Answer<reviews::UpdateReviewResponse> {
        Err(unused())
    }

    async fn delete_review(
        &self,
        _: Request<reviews::DeleteReviewRequest>,
    ) -> Answer<reviews::DeleteReviewResponse> {
        Err(unused())
    }

    async fn batch_get_reviews(
        &self,
        _: Request<reviews::BatchGetReviewsRequest>,
    ) -> Answer<reviews::BatchGetReviewsResponse> {
        Err(unused())
    }

    async fn list_reviews(
        &self,
        _: Request<reviews::ListReviewsRequest>,
    ) -> Answer<reviews::ListReviewsResponse> {
        Err(unused())
    }

    async fn batch_list_reviews(
        &self,
        _: Request<reviews::BatchListReviewsRequest>,
    ) -> Answer<reviews::BatchListReviewsResponse> {
        Err(unused())
    }

    async fn batch_get_summaries(
        &self,
        request: Request<reviews::BatchGetSummariesRequest>,
    ) -> Answer<reviews::BatchGetSummariesResponse> {
        answers(&self.away)?;
        let ratings = self.ratings.lock().unwrap();
        let summary = |product_id: String| {
            let (review_count, rating_sum) = ratings.get(&product_id).copied().unwrap_or_default();
            reviews::Summary { product_id, review_count, rating_sum, histogram: vec![0; 5] }
        };
        let summaries = request.into_inner().product_ids.into_iter().map(summary).collect();
        Ok(Response::new(reviews::BatchGetSummariesResponse { summaries }))
    }

    async fn approve_review(
        &self,
        _: Request<reviews::ApproveReviewRequest>,
    ) -> Answer<reviews::ApproveReviewResponse> {
        Err(unused())
    }

    async fn reject_review(
        &self,
        _: Request<reviews::RejectReviewRequest>,
    ) -> Answer<reviews::RejectReviewResponse> {
        Err(unused())
    }

    async fn vote_review(
        &self,
        _: Request<reviews::VoteReviewRequest>,
    ) -> Answer<reviews::VoteReviewResponse> {
        Err(unused())
    }

    async fn report_review(
        &self,
        _: Request<reviews::ReportReviewRequest>,
    ) -> Answer<reviews::ReportReviewResponse> {
        Err(unused())
    }

    async fn import_reviews(
        &self,
        _: Request<reviews::ImportReviewsRequest>,
    ) -> Answer<reviews::ImportReviewsResponse> {
        Err(unused())
    }
}
