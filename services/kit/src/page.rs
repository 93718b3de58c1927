//! Pages of a list: what was asked, and the token that leads to the next.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use sha2::{Digest, Sha256};

/// A token is a few sort keys; longer text is refused before it is read.
const TOKEN_LENGTH_MAX: usize = 8_192;
const CURSOR_KEYS_MAX: usize = 8;

/// The sort keys of the last item seen. They come from outside: a store parses them and never trusts them.
pub type Cursor = Vec<String>;

/// How many items a list gives when not told, and at most.
#[derive(Clone, Copy, Debug)]
pub struct PageLimits {
    /// When the caller says 0.
    pub default: u64,
    /// A caller that asks for more gets this many.
    pub max: u64,
}

/// One page as it was asked for.
#[derive(Clone, Debug)]
pub struct Page {
    /// How many items to give at most.
    pub size: u64,
    /// After which item to go on; nothing for the first page.
    pub after: Option<Cursor>,
    arguments: String,
}

/// Why a page cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// A negative number of items.
    #[error("page_size must not be negative")]
    Size,
    /// Not a token of this list, or the other arguments have changed since it was given.
    #[error("page_token is not one that this list gave for these arguments")]
    Token,
}

/// Items, and how to get those after them.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The items of this page, in the list's order.
    pub items: Vec<T>,
    /// Empty when there are no more.
    pub next_page_token: String,
}

impl Page {
    /// Reads `page_size` and `page_token`. `arguments` is the request with these two cleared, so that a token
    /// works for no other list and no other filter.
    pub fn parse<M: Message>(
        size: i32,
        token: &str,
        arguments: &M,
        limits: PageLimits,
    ) -> Result<Page, PageError> {
        let size = match u64::try_from(size).map_err(|_| PageError::Size)? {
            0 => limits.default,
            size => size.min(limits.max),
        };
        let arguments = fingerprint(arguments);
        let after = match (token, read(token)) {
            ("", _) => None,
            (_, Some((list, keys))) if list == arguments => Some(keys),
            _ => return Err(PageError::Token),
        };
        Ok(Page { size, after, arguments })
    }

    /// The token of the page after an item with these sort keys. Opaque to callers, and no authorisation.
    pub fn token(&self, last: &[String]) -> String {
        // Strings alone always have a JSON form.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(&self.arguments, last)).unwrap_or_default())
    }

    /// One more than the size: a store that asks for so many learns whether there is a next page.
    pub fn fetch_limit(&self) -> u64 {
        self.size.saturating_add(1)
    }

    /// Cuts what was fetched by `fetch_limit` to the page, and gives a token exactly when something was cut.
    pub fn listed<T>(&self, mut fetched: Vec<T>, keys: impl Fn(&T) -> Cursor) -> Listed<T> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = fetched.len() > size;
        fetched.truncate(size);
        let next_page_token = match fetched.last() {
            Some(last) if more => self.token(&keys(last)),
            _ => String::new(),
        };
        Listed { items: fetched, next_page_token }
    }
}

impl<T> Listed<T> {
    /// The same page with every item converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(convert).collect(), next_page_token: self.next_page_token }
    }
}

/// What a token says: the arguments of its list, and after which item it goes on.
fn read(token: &str) -> Option<(String, Cursor)> {
    let bytes = (token.len() <= TOKEN_LENGTH_MAX).then(|| URL_SAFE_NO_PAD.decode(token).ok()).flatten()?;
    serde_json::from_slice(&bytes).ok().filter(|(_, keys): &(String, Cursor)| keys.len() <= CURSOR_KEYS_MAX)
}

/// Names the list by its request type and its arguments; 96 bits are plenty against accidents.
fn fingerprint<M: Message>(arguments: &M) -> String {
    let mut hash = Sha256::new();
    hash.update(std::any::type_name::<M>());
    hash.update([0]);
    hash.update(arguments.encode_to_vec());
    URL_SAFE_NO_PAD.encode(hash.finalize().get(..12).unwrap_or_default())
}
