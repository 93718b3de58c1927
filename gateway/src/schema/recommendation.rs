//! What goes with a product or a cart, and what may be for the signed-in customer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_graphql::{Context, InputType, Object};
use futures::FutureExt;
use futures::future::BoxFuture;
use proto::{catalogue, recommendations as pb};

use crate::context::{self, viewer};
use crate::error::{Fault, Problem, soften};
use crate::limits::RECOMMENDATIONS_MAX;
use crate::schema::Part;
use crate::schema::category::Category;
use crate::schema::choice::{self, RecommendationReason};
use crate::schema::look::Look;
use crate::schema::product::Product;
use crate::schema::wants::{self, Wants};

/// How many are shown when nobody says.
pub(crate) const RECOMMENDATIONS_DEFAULT: i32 = 4;
/// So many more are asked for, since the catalogue may know that some are no longer offered.
const SPARE: i32 = 4;
/// What the contract gives for each product of a batch.
const EACH_MAX: i32 = 20;
/// What the contracts take in one call.
const PRODUCTS_MAX: usize = 250;
const BASKET_MAX: usize = 1_500;

/// What of recommendations is asked for.
pub(crate) struct Wanted {
    first: i32,
    products: Wants,
    with: Option<Wants>,
    category: bool,
}

impl Wanted {
    /// What is selected of recommendations at these places; nothing if there are none.
    pub(crate) fn of(look: &Look<'_>) -> Option<Self> {
        let first = |place: Look<'_>| {
            let argument = place.arguments("first").into_iter().flatten().next();
            i32::parse(argument).unwrap_or(RECOMMENDATIONS_DEFAULT)
        };
        let first = look.each().map(first).max()?.clamp(1, RECOMMENDATIONS_MAX);
        let explanation = look.below("explanation");
        let with = explanation.below("withProduct");
        Some(Self {
            first,
            products: Wants::of_recommended(&look.below("product")),
            with: with.exists().then(|| Wants::of_recommended(&with)),
            category: explanation.has_any(&["category", "message"]),
        })
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.first = self.first.max(other.first);
        self.products.join(other.products);
        self.category |= other.category;
        match (&mut self.with, other.with) {
            (Some(with), Some(more)) => with.join(more),
            (with, more) => *with = with.take().or(more),
        }
    }
}

/// What goes with each of these products, by their ids: one call for the whole page, and one of the catalogue for what
/// was found.
pub(crate) fn with_each<'a>(
    ctx: &'a Context<'a>,
    wanted: Option<&'a Wanted>,
    ids: &'a [String],
) -> BoxFuture<'a, HashMap<String, Vec<Recommendation>>> {
    // Boxed, since products are resolved by products.
    async move {
        let Some(wanted) = wanted else {
            return HashMap::new();
        };
        let asked = ids.chunks(PRODUCTS_MAX).map(|ids| async move {
            let request = pb::BatchListBoughtTogetherRequest {
                product_ids: ids.to_vec(),
                recommendations_each: wanted.first.saturating_add(SPARE).min(EACH_MAX),
            };
            let answer = context::recommendations(ctx).batch_list_bought_together(request).await;
            soften(ctx, "recommendations", answer).map_or(Vec::new(), |answer| answer.products)
        });
        let lists = futures::future::join_all(asked).await.into_iter().flatten();
        let lists: Vec<_> = lists.map(|list| (list.product_id, list.recommendations)).collect();
        resolved(ctx, wanted, lists).await
    }
    .boxed()
}

/// What goes with a basket of products. Nothing when it is not known at the moment.
pub(crate) async fn with_basket(
    ctx: &Context<'_>,
    wanted: Option<&Wanted>,
    ids: Vec<String>,
) -> Option<Vec<Recommendation>> {
    let wanted = wanted?;
    if ids.is_empty() {
        return Some(Vec::new());
    }
    let newest = ids.len().saturating_sub(BASKET_MAX);
    let request = pb::ListBoughtTogetherRequest {
        page_size: wanted.first.saturating_add(SPARE),
        page_token: String::new(),
        product_ids: ids.into_iter().skip(newest).collect(),
    };
    let answer = context::recommendations(ctx).list_bought_together(request).await;
    let found = soften(ctx, "recommendations", answer)?.recommendations;
    one_list(ctx, wanted, found).await
}

/// What may be for the signed-in customer. Nothing for a guest.
pub(crate) async fn for_me(ctx: &Context<'_>, first: i32) -> Part<Vec<Recommendation>> {
    viewer(ctx).user.as_ref()?;
    if let Some(Err(fault)) = first_of(Some(&Vec::new()), first) {
        return Some(Err(fault));
    }
    let wanted = Wanted::of(&Look::here(ctx))?;
    let request = pb::ListForAccountRequest {
        page_size: wanted.first.saturating_add(SPARE),
        ..pb::ListForAccountRequest::default()
    };
    let answer = context::recommendations(ctx).list_for_account(request).await;
    let found = soften(ctx, "recommendations", answer)?.recommendations;
    let mut list = one_list(ctx, &wanted, found).await?;
    list.truncate(usize::try_from(first).unwrap_or(0));
    Some(Ok(list))
}

async fn one_list(
    ctx: &Context<'_>,
    wanted: &Wanted,
    found: Vec<pb::Recommendation>,
) -> Option<Vec<Recommendation>> {
    resolved(ctx, wanted, vec![(String::new(), found)]).await.remove("")
}

/// Lists with their products. The catalogue decides: what it does not offer to shoppers is left out, whoever asks. If it
/// does not answer, there are no lists.
async fn resolved(
    ctx: &Context<'_>,
    wanted: &Wanted,
    lists: Vec<(String, Vec<pb::Recommendation>)>,
) -> HashMap<String, Vec<Recommendation>> {
    let all = || lists.iter().flat_map(|(_, list)| list);
    let explanations = || all().filter_map(|found| found.explanation.as_ref());
    let with = || explanations().map(|it| &it.with_product_id);
    let (products, with, categories) = futures::join!(
        offered(ctx, &wanted.products, distinct(all().map(|found| &found.product_id))),
        async {
            match &wanted.with {
                Some(wants) => offered(ctx, wants, distinct(with())).await,
                None => Some(HashMap::new()),
            }
        },
        async {
            match wanted.category {
                true => categories(ctx, distinct(explanations().map(|it| &it.category_id))).await,
                false => Arc::default(),
            }
        },
    );
    let Some(products) = products else {
        return HashMap::new();
    };
    let with = with.unwrap_or_default();
    let complete = |found: pb::Recommendation| {
        let explanation = found.explanation.unwrap_or_default();
        Some(Recommendation {
            product: products.get(&found.product_id)?.clone(),
            score: found.score,
            explanation: Explanation {
                with: with.get(&explanation.with_product_id).cloned(),
                category: Category::find(&categories, &explanation.category_id),
                wire: explanation,
            },
        })
    };
    let lists = lists.into_iter();
    lists.map(|(of, list)| (of, list.into_iter().filter_map(complete).collect())).collect()
}

fn distinct<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.filter(|id| !id.is_empty() && seen.insert(*id)).cloned().collect()
}

/// Those of the products that shoppers may buy; nothing if the catalogue does not answer.
async fn offered(
    ctx: &Context<'_>,
    wants: &Wants,
    ids: Vec<String>,
) -> Option<HashMap<String, Arc<Product>>> {
    let asked = ids.chunks(BASKET_MAX).map(|ids| {
        let request = catalogue::BatchGetProductsRequest {
            product_ids: ids.to_vec(),
            read_mask: Some(wants.read_mask()),
        };
        let mut client = context::catalogue(ctx);
        async move { soften(ctx, "catalogue", client.batch_get_products(request).await) }
    });
    let mut wires = Vec::with_capacity(ids.len());
    for page in futures::future::join_all(asked).await {
        wires.extend(page?.products);
    }
    wires.retain(|product| product.status() == catalogue::ProductStatus::Active);
    let products = wants::products(ctx, wires, wants, true).await;
    Some(products.into_iter().map(|product| (product.wire.id.clone(), Arc::new(product))).collect())
}

async fn categories(ctx: &Context<'_>, category_ids: Vec<String>) -> Arc<Vec<catalogue::Category>> {
    if category_ids.is_empty() {
        return Arc::default();
    }
    let request = catalogue::BatchGetCategoriesRequest { category_ids };
    let answer = context::catalogue(ctx).batch_get_categories(request).await;
    Arc::new(soften(ctx, "catalogue", answer).map_or(Vec::new(), |page| page.categories))
}

/// The first of a list; how many there may be is refused before.
pub(crate) fn first_of(list: Option<&Vec<Recommendation>>, first: i32) -> Part<&[Recommendation]> {
    if !(0..=RECOMMENDATIONS_MAX).contains(&first) {
        let message = format!("`first` is a number from 0 to {RECOMMENDATIONS_MAX}.");
        return Some(Err(Fault::of(Problem::BadRequest, message)));
    }
    let (list, first) = (list?.as_slice(), usize::try_from(first).unwrap_or(0));
    Some(Ok(list.get(..first).unwrap_or(list)))
}

/// A product that somebody may want, and why.
pub(crate) struct Recommendation {
    product: Arc<Product>,
    score: f64,
    explanation: Explanation,
}

/// A product that somebody may want, and why.
#[Object]
impl Recommendation {
    /// The product; one that the shop offers now.
    async fn product(&self) -> &Product {
        &self.product
    }

    /// Higher is better; to be compared within one list only.
    fn score(&self) -> f64 {
        self.score
    }

    /// Why it is in the list.
    async fn explanation(&self) -> &Explanation {
        &self.explanation
    }
}

/// Why a product is recommended: as data, and in words.
pub(crate) struct Explanation {
    wire: pb::Explanation,
    with: Option<Arc<Product>>,
    category: Option<Category>,
}

/// Why a product is recommended: as data, and in words.
#[Object(name = "RecommendationExplanation")]
impl Explanation {
    /// The kind of reason.
    fn reason(&self) -> Result<RecommendationReason, Fault> {
        choice::promised("recommendations", "EXPLANATION_KIND_", self.wire.kind().as_str_name())
    }

    /// How many orders say so: those with both products, the customer's own with it, or all with it.
    fn order_count(&self) -> i64 {
        self.wire.order_count
    }

    /// The product that it was bought together with, if the shop offers it now.
    async fn with_product(&self) -> Option<&Product> {
        self.with.as_deref()
    }

    /// The category that it is popular in.
    async fn category(&self) -> Option<&Category> {
        self.category.as_ref()
    }

    /// A sentence for shoppers: "Bought together 37 times".
    fn message(&self) -> Result<String, Fault> {
        let times = match self.wire.order_count {
            1 => "once".to_owned(),
            count => format!("{count} times"),
        };
        let category = self.category.as_ref().map(Category::label).transpose()?.unwrap_or("its category");
        Ok(match self.wire.kind() {
            pb::ExplanationKind::BoughtTogether => format!("Bought together {times}"),
            pb::ExplanationKind::BoughtBefore => format!("You bought this {times}"),
            pb::ExplanationKind::PopularInCategory => format!("Popular in {category}"),
            pb::ExplanationKind::SameCategory => format!("Also in {category}"),
            pb::ExplanationKind::Popular | pb::ExplanationKind::Unspecified => {
                "Popular in this shop".to_owned()
            }
        })
    }
}
