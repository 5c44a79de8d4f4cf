//! Where a stream of events is to go on.
//!
//! The place is a time and an id, not a row: it stays valid when the row it came from is gone, and what happens
//! meanwhile moves no row from one page to another.

use crate::core::problem::Problem;
use crate::core::time::Millis;
use crate::core::validate::Query;

/// The last event of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When it was.
    pub at: Millis,
    /// Its id; decides between events of the same instant.
    pub id: String,
}

impl Cursor {
    /// `?cursor=`, as a page gave it; not together with a page number.
    ///
    /// # Errors
    /// 422.
    pub fn parse(query: &Query) -> Result<Option<Self>, Problem> {
        let Some(text) = query.text_up_to("cursor", 200)? else { return Ok(None) };
        if query.text("page").is_some() {
            return Err(Problem::invalid("custom", "cursor", "cannot be combined with page"));
        }
        let found = text.split_once('.').and_then(|(at, id)| {
            let at = at.parse().ok().filter(|at| (0..=MAX_AT).contains(at))?;
            (!id.is_empty()).then(|| Self { at: Millis(at), id: id.to_owned() })
        });
        found.map(Some).ok_or_else(|| {
            Problem::invalid("custom", "cursor", "This is no cursor: send the one that the page before gave")
        })
    }

    /// As it is given to the caller.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}.{}", self.at.0, self.id)
    }
}

/// The last millisecond of 9999.
const MAX_AT: i64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_were_given() {
        let cursor = Cursor { at: Millis(1_902_589_200_123), id: "sale_x.y".to_owned() };
        let query = Query::parse(&format!("cursor={}", cursor.text()));
        assert_eq!(Cursor::parse(&query), Ok(Some(cursor)));
        assert_eq!(Cursor::parse(&Query::default()), Ok(None));
        for wrong in
            ["cursor=x", "cursor=1.", "cursor=.a", "cursor=-1.a", "cursor=9e9.a", "cursor=1.a&page=2"]
        {
            assert!(Cursor::parse(&Query::parse(wrong)).is_err(), "{wrong}");
        }
    }
}
