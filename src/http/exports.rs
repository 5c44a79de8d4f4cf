//! `GET /events/export`, `/links/export`, `/customers/export`, `/sales/export`: whole lists as files.
//!
//! A list is read and sent page by page, so what an export needs of memory does not depend on its length. The first
//! page is read before the answer begins: what is refused has a status. Should a later one fail, the file breaks off.

use futures_util::stream;
use serde_json::Value;
use worker::{Context, Env, Error, Request};

use crate::core::access::Permission;
use crate::core::api::cursor::Cursor;
use crate::core::api::customer;
use crate::core::api::link_filter::{self, LinkFilter};
use crate::core::api::paging::{Order, Page};
use crate::core::export::{self, Column, Format};
use crate::core::sql::Where;
use crate::core::validate::Query;
use crate::edge::figures::Scope;
use crate::edge::link_list::{self, Wanted};
use crate::edge::{d1_customers, entropy};
use crate::http::events::{self, Stream};
use crate::http::failure::{Answer, Failure};
use crate::http::links::{self, scope};
use crate::http::{auth, customers, query, respond};

/// Rows that are in memory at once.
const PAGE_SIZE: i64 = 1_000;

/// Events of one file at most. The platform limits the calls of a request, and a page takes about ten.
const MAX_EVENTS: i64 = 50_000;

/// A list that is written, and how far it is.
enum Source {
    Events(Box<Part>),
    Links(Scope, LinkFilter, Page),
    Customers(Scope, Where, Page),
}

/// Events of one file.
struct Part {
    stream: Stream,
    /// After which event the next page begins.
    cursor: Option<Cursor>,
    /// The last event of the file, when there are more. A place and not a number: an event that comes meanwhile
    /// moves none out of this file that the next one would not have.
    end: Option<Cursor>,
}

/// `GET /events/export`, with the parameters of `GET /events`.
pub(crate) async fn all_events(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?;
    let query = query(request)?;
    let stream = Stream::read(request, env, &caller, &query, "24h").await?;
    part(env, &query, "events", &export::EVENTS, stream).await
}

/// `GET /sales/export`, with the parameters of `GET /events`; all sales, unless it says otherwise.
pub(crate) async fn all_sales(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::AnalyticsRead).await?;
    let query = query(request)?;
    let stream = Stream::read(request, env, &caller, &query, "all").await?.of_sales();
    part(env, &query, "sales", &export::SALES, stream).await
}

/// `GET /links/export`, with the filters of `GET /links`; oldest first.
pub(crate) async fn all_links(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::LinksRead).await?;
    let query = query(request)?;
    let filter = links::filter(env, &caller, &query).await?.everywhere();
    let source = Source::Links(scope(&caller, &query)?, filter, Page::Number { page: 1 });
    file(env, &query, "links", &export::LINKS, source).await
}

/// `GET /customers/export`, with the filters of `GET /customers`; oldest first.
pub(crate) async fn all_customers(request: &Request, env: &Env, ctx: &Context) -> Answer {
    let caller = auth::permitted(request, env, ctx, Permission::CustomersRead).await?;
    let query = query(request)?;
    let condition = customer::condition(&query, &caller.workspace_id)?;
    let source = Source::Customers(scope(&caller, &query)?, condition, Page::Number { page: 1 });
    file(env, &query, "customers", &export::CUSTOMERS, source).await
}

/// A file of events; the header `x-next-cursor` says where the next file begins, when they are too many for one.
async fn part(env: &Env, query: &Query, name: &str, columns: &'static [Column], stream: Stream) -> Answer {
    let limit = query.page_size("limit", MAX_EVENTS, MAX_EVENTS)?;
    let cursor = Cursor::parse(query)?;
    let end = stream.end_of_part(env, cursor.as_ref(), limit).await?;
    let next = end.as_ref().map(Cursor::text);
    let name = if next.is_some() { format!("{name}-part") } else { name.to_owned() };
    let response =
        file(env, query, &name, columns, Source::Events(Box::new(Part { stream, cursor, end }))).await?;
    if let Some(next) = next {
        response.headers().set("x-next-cursor", &next)?;
    }
    Ok(response)
}

async fn file(env: &Env, query: &Query, name: &str, columns: &'static [Column], source: Source) -> Answer {
    let format = Format::parse(query)?;
    let mut export = Export { env: env.clone(), format, columns, source, has_more: true };
    let first = [format.head(columns), export.page().await?].concat();
    let chunks = stream::try_unfold((Some(first), export), |(ready, mut export)| async move {
        let text = match ready {
            Some(text) => text,
            None if export.has_more => export.page().await.map_err(broken)?,
            None => return Ok(None),
        };
        Ok::<_, Error>(Some((text.into_bytes(), (None, export))))
    });
    let file_name = format!("{name}-{}.{}", entropy::now().day(), format.extension());
    Ok(respond::download(format.media_type(), &file_name, chunks)?)
}

/// A file that is being written.
struct Export {
    env: Env,
    format: Format,
    columns: &'static [Column],
    source: Source,
    has_more: bool,
}

impl Export {
    /// The next rows, as they are written.
    async fn page(&mut self) -> Result<String, Failure> {
        let (rows, has_more) = self.source.rows(&self.env).await?;
        self.has_more = has_more;
        let mut text = String::new();
        self.format.write(self.columns, &rows, &mut text);
        Ok(text)
    }
}

impl Source {
    /// The next rows, and whether there may be more.
    async fn rows(&mut self, env: &Env) -> Result<(Vec<Value>, bool), Failure> {
        match self {
            Self::Events(part) => {
                let Part { stream, cursor, end } = &mut **part;
                let (mut found, next) = stream.part(env, cursor.as_ref(), PAGE_SIZE, 0).await?;
                if let Some(end) = end {
                    found.retain(|event| !stream.is_after(event, end));
                }
                let rows = events::rows(env, &stream.scope, &found).await?;
                // A page that was cut has reached the end; one that ends there has nothing after it.
                let has_more = next.as_ref().is_some_and(|next| {
                    end.as_ref() != Some(next) && found.last().is_some_and(|last| last.event.id == next.id)
                });
                *cursor = next;
                Ok((rows, has_more))
            }
            Self::Links(scope, filter, page) => {
                let order = oldest_first(&link_filter::ORDERS);
                let wanted = Wanted { filter, order, page, size: PAGE_SIZE };
                let found = link_list::list(env, scope, &wanted).await?.ok_or_else(gone)?;
                let has_more = go_on(page, found.len(), found.last().map(|link| &link.id));
                Ok((links::shown(env, scope, found).await?, has_more))
            }
            Self::Customers(scope, condition, page) => {
                let order = oldest_first(&customer::ORDERS);
                let found = d1_customers::list(env, scope, condition.clone(), order, page, PAGE_SIZE).await?;
                let found = found.ok_or_else(gone)?;
                let has_more = go_on(page, found.len(), found.last().map(|customer| &customer.id));
                Ok((customers::shown(env, scope, &found).await?, has_more))
            }
        }
    }
}

fn oldest_first(orders: &[(&'static str, &'static str)]) -> Order {
    let (name, column) = orders.first().copied().unwrap_or(("", "1"));
    Order { name, column, ascending: true }
}

/// Puts the page after the last row; a page that is not full was the last one.
fn go_on(page: &mut Page, rows: usize, last: Option<&String>) -> bool {
    let Some(last) = last else { return false };
    *page = Page::After(last.clone());
    i64::try_from(rows).is_ok_and(|rows| rows >= PAGE_SIZE)
}

/// The row that the list was to go on from is gone.
fn gone() -> Failure {
    Error::JsError("the list changed while it was written".to_owned()).into()
}

/// Nobody can be told any more; the file breaks off and the log says why.
fn broken(failure: Failure) -> Error {
    let error = match failure {
        Failure::Broken(error) => error,
        refused => Error::RustError(refused.problem().message),
    };
    worker::console_error!("an export broke off: {error}");
    error
}
