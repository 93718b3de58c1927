//! Pages of lists, by the cursor conventions that GraphQL clients know.
//!
//! Services page by opaque tokens of whole pages. A cursor is such a token and how many items behind it to skip, so that
//! every item has one.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::{Object, OutputType, SimpleObject, TypeName};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Fault, Problem};
use crate::limits::{ID_LENGTH_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX};

/// Which part of a list is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    first: usize,
    skip: usize,
    token: String,
    resumed: bool,
}

impl Window {
    pub(crate) fn of(first: Option<i32>, after: Option<&str>) -> Result<Self, Fault> {
        let first = first.unwrap_or(PAGE_SIZE_DEFAULT);
        if !(0..=PAGE_SIZE_MAX).contains(&first) {
            return Err(Fault::of(
                Problem::BadRequest,
                format!("`first` is a number from 0 to {PAGE_SIZE_MAX}."),
            ));
        }
        let (skip, token) = match after {
            None => (0, String::new()),
            Some(cursor) => read_cursor(cursor)
                .ok_or_else(|| Fault::of(Problem::BadRequest, "The cursor is not one of ours."))?,
        };
        Ok(Self { first: usize::try_from(first).unwrap_or(0), skip, token, resumed: after.is_some() })
    }

    /// What to ask the service for. A page of nothing still asks for one item, to know whether there is more.
    pub(crate) fn page_size(&self) -> i32 {
        i32::try_from((self.first + self.skip).max(1)).unwrap_or(PAGE_SIZE_MAX)
    }

    pub(crate) fn page_token(&self) -> String {
        self.token.clone()
    }

    /// The part of a list that is here whole.
    pub(crate) fn of_slice<'a, T>(&self, items: &'a [T]) -> impl Iterator<Item = &'a T> + use<'a, T> {
        items.iter().skip(self.skip).take(self.first)
    }

    /// The items of the window out of the service's page.
    pub(crate) fn connect<T>(self, items: Vec<T>, next: String) -> Connection<T> {
        let total = items.len();
        let end = total.min(self.skip.saturating_add(self.first));
        let more = end < total || !next.is_empty();
        let nodes = items.into_iter().take(end).skip(self.skip);
        let next = (end == total).then_some(next);
        self.page(nodes, next, more)
    }

    /// The items of the window out of a list that is here whole.
    pub(crate) fn slice<T>(self, items: impl ExactSizeIterator<Item = T>) -> Connection<T> {
        let total = items.len();
        let more = self.skip.saturating_add(self.first) < total;
        let nodes = items.skip(self.skip).take(self.first);
        let page = self.page(nodes, None, more);
        page.counted(i64::try_from(total).ok())
    }

    fn page<T>(self, nodes: impl Iterator<Item = T>, next: Option<String>, more: bool) -> Connection<T> {
        let page =
            Arc::new(Page { skip: self.skip, token: self.token, next: next.filter(|next| !next.is_empty()) });
        let edge = |(place, node)| Edge { node, place, page: page.clone() };
        let edges: Vec<Edge<T>> = nodes.enumerate().map(edge).collect();
        Connection { seen: edges.len(), edges, page, more, resumed: self.resumed, total_count: None }
    }
}

/// Where a page came from, which is what cursors are made of.
struct Page {
    skip: usize,
    token: String,
    /// The service's next page, if this one goes to the end of the service's.
    next: Option<String>,
}

impl Page {
    fn cursor_behind(&self, place: usize, seen: usize) -> String {
        match &self.next {
            Some(next) if place + 1 == seen => write_cursor(0, next),
            _ => write_cursor(self.skip + place + 1, &self.token),
        }
    }
}

/// One page of a list.
pub(crate) struct Connection<T> {
    edges: Vec<Edge<T>>,
    page: Arc<Page>,
    /// How many items the page was made of.
    seen: usize,
    more: bool,
    resumed: bool,
    total_count: Option<i64>,
}

impl<T> Connection<T> {
    /// The items that something is known of; their places in the list stay as they are.
    pub(crate) fn filter_map<U>(self, convert: impl Fn(T) -> Option<U>) -> Connection<U> {
        let known = self
            .edges
            .into_iter()
            .filter_map(|edge| Some(Edge { node: convert(edge.node)?, place: edge.place, page: edge.page }));
        Connection {
            edges: known.collect(),
            page: self.page,
            seen: self.seen,
            more: self.more,
            resumed: self.resumed,
            total_count: self.total_count,
        }
    }

    /// The items, each with the cursor that continues behind it.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&T, String)> {
        self.edges.iter().map(|edge| (&edge.node, edge.page.cursor_behind(edge.place, self.seen)))
    }

    pub(crate) fn page(&self) -> PageInfo {
        let first = self.edges.first();
        let last = self.seen.checked_sub(1);
        PageInfo {
            has_next_page: self.more,
            has_previous_page: self.resumed,
            start_cursor: first.map(|edge| self.page.cursor_behind(edge.place, self.seen)),
            end_cursor: last.map(|last| self.page.cursor_behind(last, self.seen)),
        }
    }

    pub(crate) fn counted(mut self, total: Option<i64>) -> Self {
        self.total_count = total;
        self
    }
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// One page of a list, with what is needed to ask for the next.
#[Object(name_type)]
impl<T: OutputType> Connection<T> {
    /// The items.
    async fn nodes(&self) -> Vec<&T> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// The items, each with the cursor that continues behind it.
    async fn edges(&self) -> &[Edge<T>] {
        &self.edges
    }

    /// Whether there is more, and how to ask for it.
    fn page_info(&self) -> PageInfo {
        self.page()
    }

    /// How many items there are in all, where the list can tell. It costs a query of its own.
    fn total_count(&self) -> Option<i64> {
        self.total_count
    }
}

/// An item and its place in the list.
pub(crate) struct Edge<T> {
    node: T,
    place: usize,
    page: Arc<Page>,
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// An item and its place in the list.
#[Object(name_type)]
impl<T: OutputType> Edge<T> {
    /// The item.
    async fn node(&self) -> &T {
        &self.node
    }

    /// Continues behind this item, as `after`.
    fn cursor(&self) -> String {
        write_cursor(self.page.skip + self.place + 1, &self.page.token)
    }
}

/// Whether there is more, and how to ask for it.
#[derive(SimpleObject)]
pub(crate) struct PageInfo {
    /// Are there items behind this page?
    has_next_page: bool,
    /// Was this page reached by a cursor?
    has_previous_page: bool,
    /// The cursor of the first item; as `after` it continues behind that one.
    start_cursor: Option<String>,
    /// The cursor of the last item; as `after` it asks for the next page.
    end_cursor: Option<String>,
}

fn write_cursor(skip: usize, token: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{skip}:{token}"))
}

fn read_cursor(cursor: &str) -> Option<(usize, String)> {
    if cursor.len() > ID_LENGTH_MAX * 4 {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (skip, token) = text.split_once(':')?;
    let skip: usize = skip.parse().ok()?;
    // Within a page of a service; lists that are here whole are longer, but never longer than this.
    (skip <= SKIP_MAX).then(|| (skip, token.to_owned()))
}

/// The longest list that is paged at the edge: the variants of a product.
const SKIP_MAX: usize = 5_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A service with a list of numbers whose token is where the next page starts.
    fn serve(window: &Window, count: usize) -> (Vec<usize>, String) {
        let from: usize = window.page_token().parse().unwrap_or(0);
        let size = usize::try_from(window.page_size()).unwrap();
        let to = (from + size).min(count);
        let next = if to < count { to.to_string() } else { String::new() };
        ((from..to).collect(), next)
    }

    fn nodes(page: &Connection<usize>) -> Vec<usize> {
        page.edges.iter().map(|edge| edge.node).collect()
    }

    #[test]
    fn every_cursor_continues_behind_its_item() {
        let count = 23;
        for first in [1, 4, 7] {
            for at in 0..first {
                let window = Window::of(Some(i32::try_from(first).unwrap()), None).unwrap();
                let (items, next) = serve(&window, count);
                let page = window.connect(items, next);
                let cursor = page.page.cursor_behind(at, page.seen);

                let window = Window::of(Some(5), Some(&cursor)).unwrap();
                let (items, next) = serve(&window, count);
                let page = window.connect(items, next);

                let wanted: Vec<usize> = (at + 1..at + 6).collect();
                assert_eq!(nodes(&page), wanted, "first {first}, behind {at}");
            }
        }
    }

    #[test]
    fn pages_lead_to_the_end() {
        let mut seen = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let window = Window::of(Some(10), after.as_deref()).unwrap();
            let (items, next) = serve(&window, 23);
            let page = window.connect(items, next);
            seen.extend(nodes(&page));
            if !page.more {
                break;
            }
            after = page.seen.checked_sub(1).map(|last| page.page.cursor_behind(last, page.seen));
        }

        assert_eq!(seen, (0..23).collect::<Vec<_>>());
    }

    #[test]
    fn more_than_a_hundred_and_foreign_cursors_are_refused() {
        assert!(Window::of(Some(101), None).is_err());
        assert!(Window::of(Some(-1), None).is_err());
        assert!(Window::of(None, Some("??")).is_err());
        assert!(Window::of(None, Some(&URL_SAFE_NO_PAD.encode("99999999:x"))).is_err());
    }
}
