//! Lists: what they are sorted by, and which part of them is wanted.

use crate::core::problem::Problem;
use crate::core::validate::Query;

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// As the caller names it.
    pub name: &'static str,
    /// Its expression; never NULL, so that cursors can compare it.
    pub column: &'static str,
    /// Smallest first.
    pub ascending: bool,
}

impl Order {
    /// `?sortBy=&sortOrder=`: one of `orders` (name and expression), by default the first, largest first.
    ///
    /// # Errors
    /// 422.
    pub fn parse(query: &Query, orders: &[(&'static str, &'static str)]) -> Result<Self, Problem> {
        let words: Vec<&'static str> = orders.iter().map(|(name, _)| *name).collect();
        let by = match query.choice("sortBy", &words)? {
            Some(by) => Some(by),
            None => query.choice("sort", &words)?,
        };
        let ascending = query.choice("sortOrder", &["desc", "asc"])? == Some("asc");
        let order = orders.iter().find(|(name, _)| Some(*name) == by).or(orders.first());
        let (name, column) = order.copied().unwrap_or(("", "1"));
        Ok(Self { name, column, ascending })
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// By offset.
    Number {
        /// From 1.
        page: i64,
    },
    /// What comes after this id.
    After(String),
    /// What comes before this id.
    Before(String),
}

impl Page {
    /// `?page=`, `?startingAfter=`, `?endingBefore=`: one of them.
    ///
    /// # Errors
    /// 422.
    pub fn parse(query: &Query) -> Result<Self, Problem> {
        let after = query.text_up_to("startingAfter", 100)?;
        let before = query.text_up_to("endingBefore", 100)?;
        let conflict = |name: &str, other: &str| {
            Problem::invalid("custom", name, &format!("cannot be combined with {other}"))
        };
        match (after, before) {
            (Some(_), Some(_)) => Err(conflict("startingAfter", "endingBefore")),
            (Some(_), None) if query.text("page").is_some() => Err(conflict("startingAfter", "page")),
            (None, Some(_)) if query.text("page").is_some() => Err(conflict("endingBefore", "page")),
            (Some(id), None) => Ok(Self::After(id.to_owned())),
            (None, Some(id)) => Ok(Self::Before(id.to_owned())),
            (None, None) => Ok(Self::Number { page: query.page_or(" Use `startingAfter` to go further.")? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_pages() {
        let order = |query: &str| {
            Order::parse(&Query::parse(query), &crate::core::api::link_filter::ORDERS)
                .map(|o| (o.name, o.ascending))
        };
        assert_eq!(order(""), Ok(("createdAt", false)));
        assert_eq!(order("sort=clicks&sortOrder=asc"), Ok(("clicks", true)));
        assert!(order("sortBy=url;--").is_err());
        let page = |query: &str| Page::parse(&Query::parse(query));
        assert_eq!(page(""), Ok(Page::Number { page: 1 }));
        assert_eq!(page("startingAfter=link_1"), Ok(Page::After("link_1".to_owned())));
        assert!(page("startingAfter=a&endingBefore=b").is_err());
        assert!(page("startingAfter=a&page=2").is_err());
        assert!(page("endingBefore=a&page=1").is_err());
        let text = "too_big: page: Max page is 1000. Use `startingAfter` to go further.";
        assert_eq!(page("page=1001").unwrap_err().message, text);
    }
}
