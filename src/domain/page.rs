//! Pages of long lists by keyset: a page begins right after (or before) the row that a cursor names, never at an offset,
//! so that page 50,000 costs what page 1 does.

use super::error::Fault;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest cursor that is read.
const MAX_CURSOR: usize = 1000;

const FOREIGN: Fault = Fault::new(
    "format",
    "This is not a cursor of this list; begin without one.",
);

/// Which row a page lies next to, and on which side; opaque on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The order that it belongs to, as in `sort`.
    #[serde(rename = "o")]
    pub order: String,
    /// The row's value in that order; none where it has none.
    #[serde(rename = "k")]
    pub key: Option<String>,
    /// The row's id, which tells equal values apart.
    #[serde(rename = "i")]
    pub id: Uuid,
    /// Whether the page ends before the row instead of beginning after it.
    #[serde(rename = "b", default)]
    pub is_backward: bool,
}

impl Cursor {
    /// The wire form: base64url.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::json!(self).to_string())
    }

    /// Reads the wire form; a cursor of another order is refused.
    pub fn parse(text: &str, order: &str) -> Result<Self, Fault> {
        if text.len() > MAX_CURSOR {
            return Err(FOREIGN);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| FOREIGN)?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| FOREIGN)?;
        if cursor.order != order || cursor.key.as_ref().is_some_and(|key| key.contains('\0')) {
            return Err(FOREIGN);
        }
        Ok(cursor)
    }
}

/// Which page is asked for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// 1 to 100.
    pub limit: u16,
    pub cursor: Option<Cursor>,
    /// Whether to count all that match, too.
    pub with_total: bool,
}

impl PageRequest {
    /// Whether it lies before its cursor; rows are then read in reverse.
    pub fn is_backward(&self) -> bool {
        self.cursor
            .as_ref()
            .is_some_and(|cursor| cursor.is_backward)
    }

    /// How many rows to read: one more than asked for tells whether there is another page.
    pub fn rows(&self) -> u64 {
        u64::from(self.limit) + 1
    }
}

/// A page, and where its neighbours begin.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Cursor>,
    pub prev: Option<Cursor>,
    /// How many match in all, where that was asked for.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// Cuts the rows that were read ([`PageRequest::rows`] at most, in reading order) to the page; `place` names a row's
    /// value and id in `order`.
    pub fn cut(
        mut rows: Vec<T>,
        request: &PageRequest,
        order: &str,
        place: impl Fn(&T) -> (Option<String>, Uuid),
    ) -> Self {
        let has_more = rows.len() > usize::from(request.limit);
        rows.truncate(usize::from(request.limit));
        let is_backward = request.is_backward();
        if is_backward {
            rows.reverse();
        }
        let beside = |row: Option<&T>, is_backward| {
            row.map(|row| {
                let (key, id) = place(row);
                Cursor {
                    order: order.to_owned(),
                    key,
                    id,
                    is_backward,
                }
            })
        };
        // Who came from a row knows that there is something on its side.
        let (is_before, is_after) = if is_backward {
            (has_more, true)
        } else {
            (request.cursor.is_some(), has_more)
        };
        Self {
            next: beside(rows.last(), false).filter(|_| is_after),
            prev: beside(rows.first(), true).filter(|_| is_before),
            items: rows,
            total: None,
        }
    }

    /// The same page with its items in another form.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
            prev: self.prev,
            total: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A list of the numbers 0 to 9 read as storage would.
    fn page(limit: u16, cursor: Option<Cursor>) -> Page<u128> {
        let request = PageRequest {
            limit,
            cursor,
            with_total: false,
        };
        let all = 0..10_u128;
        let at = request.cursor.as_ref().map(|cursor| cursor.id.as_u128());
        let mut rows: Vec<u128> = match at {
            None => all.collect(),
            Some(at) if request.is_backward() => all.filter(|n| *n < at).rev().collect(),
            Some(at) => all.filter(|n| *n > at).collect(),
        };
        rows.truncate(usize::try_from(request.rows()).unwrap());
        Page::cut(rows, &request, "id", |n| (None, Uuid::from_u128(*n)))
    }

    #[test]
    fn pages_lead_to_the_end_and_back() {
        let first = page(4, None);
        assert_eq!(
            (first.items.as_slice(), first.prev.is_none()),
            ([0, 1, 2, 3].as_slice(), true)
        );
        let second = page(4, first.next);
        assert_eq!(second.items, [4, 5, 6, 7]);
        let third = page(4, second.next);
        assert_eq!(
            (third.items.as_slice(), third.next.is_none()),
            ([8, 9].as_slice(), true)
        );
        let back = page(4, third.prev);
        assert_eq!(back.items, [4, 5, 6, 7]);
        let start = page(4, back.prev);
        assert_eq!(
            (start.items.as_slice(), start.prev.is_none()),
            ([0, 1, 2, 3].as_slice(), true)
        );
        assert_eq!(page(4, start.next).items, [4, 5, 6, 7]);
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let cursor = Cursor {
            order: "-created_at".to_owned(),
            key: Some("x".to_owned()),
            id: Uuid::nil(),
            is_backward: true,
        };
        let text = cursor.encode();
        assert_eq!(Cursor::parse(&text, "-created_at"), Ok(cursor));
        assert_eq!(
            Cursor::parse(&text, "created_at").unwrap_err().code,
            "format"
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reading_of_cursors(text in ".{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Cursor::parse(&text, "id");
            let _ = Cursor::parse(&URL_SAFE_NO_PAD.encode(bytes), "id");
        }
    }
}
